//! Incidents: what was down, from when to when, and why.

use patchbay_contracts::{health::Incident, ipc::ListIncidents};
use yew::prelude::*;

use crate::{
    components::{Column, EmptyState, Glyph, Icon, Loading, MiddleCut, ProblemView, Select, Table, Time},
    hooks::{go, use_data, use_now, use_query},
    route::Route,
    utils::text,
};

/// All incidents, those that are open first.
#[component]
pub fn IncidentsPage() -> Html {
    let data = use_data();
    let integration = use_state(|| None::<String>);
    let deps = ((*integration).clone(), data.all_health_changes(), data.workspace_changes);
    let query = use_query(deps, |(integration, ..)| ListIncidents { integration: integration.clone() });
    let options = std::iter::once(("".into(), "All integrations".into()))
        .chain(data.integrations.iter().flat_map(|all| all.iter()).map(|one| (one.name.clone().into(), one.name.clone().into())))
        .collect::<Vec<(AttrValue, AttrValue)>>();
    let on_change = {
        let integration = integration.setter();
        Callback::from(move |name: String| integration.set(Some(name).filter(|name| !name.is_empty())))
    };
    let value = integration.as_ref().cloned().unwrap_or_default();
    html! {
        <>
            <div class="toolbar"><Select {options} {value} {on_change} label="Integration" test="incidents-integration" /></div>
            if let Some(problem) = query.problem.clone() { <ProblemView {problem} /> }
            { match &query.data {
                None if query.problem.is_none() => html! { <Loading what="the incidents" /> },
                Some(all) if all.is_empty() => html! {
                    <EmptyState glyph={Glyph::Healthy} title="No incidents" hint="An incident opens when as many health checks in a \
                        row fail as the definition allows, and ends when they hold again." />
                },
                Some(all) => html! { <IncidentTable incidents={(**all).clone()} /> },
                None => Html::default(),
            } }
        </>
    }
}

#[derive(Properties, PartialEq)]
struct IncidentTableProps {
    incidents: Vec<Incident>,
}

#[component]
fn IncidentTable(props: &IncidentTableProps) -> Html {
    let now = use_now();
    let columns = vec![
        Column::words("State"),
        Column::words("Integration"),
        Column::wide("Cause"),
        Column::figures("Failed checks"),
        Column::figures("Lasted"),
        Column::figures("Opened"),
    ];
    let open = props.incidents.iter().filter(|incident| incident.ended.is_none());
    let ended = props.incidents.iter().filter(|incident| incident.ended.is_some());
    html! {
        <Table label="Incidents" {columns} test="incidents">
            { for open.chain(ended).map(|incident| {
                let to = Route::integration(&incident.integration);
                let href = to.href();
                let lasted = incident.ended.unwrap_or(now).saturating_sub(incident.opened) as f64;
                html! {
                    <tr class="row-link" key={incident.id} data-test="incident-row" onclick={move |_: MouseEvent| go(&to)}>
                        <td>
                            if incident.ended.is_none() {
                                <span class="badge down"><Icon glyph={Glyph::Down} /><span>{ "open" }</span></span>
                            } else {
                                <span class="badge unobserved"><Icon glyph={Glyph::Healthy} /><span>{ "ended" }</span></span>
                            }
                        </td>
                        <td><a {href}><MiddleCut text={incident.integration.clone()} limit=28 /></a></td>
                        <td class="wrap">{ &incident.cause }</td>
                        <td class="figure">{ text::count(incident.failures) }</td>
                        <td class="figure">{ text::duration(lasted) }</td>
                        <td class="figure muted"><Time at={incident.opened} /></td>
                    </tr>
                }
            }) }
        </Table>
    }
}

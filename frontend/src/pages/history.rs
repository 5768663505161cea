//! Stored runs.

use std::rc::Rc;

use patchbay_contracts::{
    Problem,
    ipc::ListRuns,
    run::{RunId, RunKind, RunSummary},
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::run::RunDrawer;
use crate::{
    components::{Button, Column, EmptyState, Glyph, Loading, MiddleCut, ProblemView, Select, Table, Time, VerdictBadge},
    hooks::{go, use_data, use_query},
    ipc::call,
    route::Route,
    utils::text,
};

/// How many runs are fetched at once.
const PAGE: u32 = 100;

/// The properties of [`HistoryPage`].
#[derive(Properties, PartialEq)]
pub struct HistoryPageProps {
    /// The run that is open in the drawer.
    #[prop_or_default]
    pub open: Option<RunId>,
}

/// All stored runs, and one of them in the drawer.
#[component]
pub fn HistoryPage(props: &HistoryPageProps) -> Html {
    let data = use_data();
    let integration = use_state(|| None::<String>);
    let options = std::iter::once(("".into(), "All integrations".into()))
        .chain(data.integrations.iter().flat_map(|all| all.iter()).map(|one| (one.name.clone().into(), one.name.clone().into())))
        .collect::<Vec<(AttrValue, AttrValue)>>();
    let on_change = {
        let integration = integration.setter();
        Callback::from(move |name: String| integration.set(Some(name).filter(|name| !name.is_empty())))
    };
    let filter = html! {
        <Select {options} value={integration.as_ref().cloned().unwrap_or_default()} {on_change} label="Integration" test="history-integration" />
    };
    let on_open = Callback::from(|run: Option<RunId>| go(&run.map_or(Route::History, Route::Run)));
    html! { <Runs integration={(*integration).clone()} {filter} open={props.open} {on_open} /> }
}

/// The properties of [`HistoryTab`].
#[derive(Properties, PartialEq)]
pub struct HistoryTabProps {
    /// The integration.
    pub integration: AttrValue,
}

/// The runs of one integration.
#[component]
pub fn HistoryTab(props: &HistoryTabProps) -> Html {
    let open = use_state(|| None::<RunId>);
    let on_open = {
        let open = open.setter();
        Callback::from(move |run| open.set(run))
    };
    html! { <Runs integration={props.integration.to_string()} filter={Html::default()} open={*open} {on_open} /> }
}

#[derive(Properties, PartialEq)]
struct RunsProps {
    integration: Option<String>,
    /// What else to choose by.
    filter: Html,
    open: Option<RunId>,
    on_open: Callback<Option<RunId>>,
}

/// The runs, newest first, by kind; older ones on demand.
#[component]
fn Runs(props: &RunsProps) -> Html {
    let data = use_data();
    let kind = use_state(|| None::<RunKind>);
    let older = use_state(|| Rc::new(Older::default()));
    let deps = (props.integration.clone(), *kind, data.run_changes);
    let query = use_query(deps, |(integration, kind, _)| ListRuns {
        integration: integration.clone(),
        kind: *kind,
        limit: PAGE,
        before: None,
    });
    {
        // Older runs belong to the choice that they were fetched for.
        let older = older.setter();
        use_effect_with((props.integration.clone(), *kind), move |_| older.set(Rc::default()));
    }
    let options = vec![
        ("".into(), "All kinds".into()),
        ("probe".into(), "Probes".into()),
        ("contract".into(), "Contract runs".into()),
        ("load".into(), "Load runs".into()),
    ];
    let on_kind = {
        let kind = kind.setter();
        let kinds = [RunKind::Probe, RunKind::Contract, RunKind::Load];
        Callback::from(move |word: String| kind.set(kinds.into_iter().find(|kind| kind.as_str() == word)))
    };
    let on_close = props.on_open.reform(|()| None);
    html! {
        <>
            <div class="toolbar">
                { props.filter.clone() }
                <Select {options} value={kind.map(RunKind::as_str).unwrap_or_default()} on_change={on_kind} label="Kind" test="history-kind" />
            </div>
            if let Some(problem) = query.problem.clone() { <ProblemView {problem} /> }
            { match &query.data {
                None if query.problem.is_none() => html! { <Loading what="the runs" /> },
                Some(runs) if runs.is_empty() => html! {
                    <EmptyState glyph={Glyph::History} title="No runs here yet"
                        hint="Each probe, contract run and load run is kept here. Start one from an integration’s page." />
                },
                Some(runs) => html! {
                    <RunTable runs={runs.clone()} older={older.runs.clone()} with_integration={props.integration.is_none()}
                        open={props.open} on_open={props.on_open.reform(Some)} />
                },
                None => Html::default(),
            } }
            if let Some(runs) = query.data.filter(|runs| runs.len() as u32 == PAGE && !older.exhausted) {
                <FetchOlder integration={props.integration.clone()} kind={*kind} newest={runs} {older} />
            }
            if let Some(id) = props.open { <RunDrawer key={id} {id} {on_close} on_open={props.on_open.reform(Some)} /> }
        </>
    }
}

/// Runs that were fetched after the newest ones.
#[derive(Debug, Default, PartialEq)]
struct Older {
    runs: Rc<Vec<RunSummary>>,
    exhausted: bool,
    problem: Option<Problem>,
}

#[derive(Properties, PartialEq)]
struct FetchOlderProps {
    integration: Option<String>,
    kind: Option<RunKind>,
    newest: Rc<Vec<RunSummary>>,
    older: UseStateHandle<Rc<Older>>,
}

/// Fetches what is older than all that is shown.
#[component]
fn FetchOlder(props: &FetchOlderProps) -> Html {
    let onclick = {
        let (older, kind, integration) = (props.older.clone(), props.kind, props.integration.clone());
        let before = older.runs.last().or(props.newest.last()).map(|run| run.id);
        Callback::from(move |_: MouseEvent| {
            let command = ListRuns { integration: integration.clone(), kind, limit: PAGE, before };
            let older = older.clone();
            spawn_local(async move {
                let next = match call(command).await {
                    Ok(more) => {
                        let exhausted = (more.len() as u32) < PAGE;
                        let runs = Rc::new(older.runs.iter().cloned().chain(more).collect());
                        Older { runs, exhausted, problem: None }
                    }
                    Err(problem) => Older { runs: older.runs.clone(), exhausted: false, problem: Some(problem) },
                };
                older.set(Rc::new(next));
            });
        })
    };
    html! {
        <div class="row">
            <Button {onclick} test="older">{ "Older runs" }</Button>
            if let Some(problem) = &props.older.problem { <ProblemView problem={problem.clone()} /> }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct RunTableProps {
    runs: Rc<Vec<RunSummary>>,
    older: Rc<Vec<RunSummary>>,
    with_integration: bool,
    open: Option<RunId>,
    on_open: Callback<RunId>,
}

#[component]
fn RunTable(props: &RunTableProps) -> Html {
    let mut columns = vec![Column::words("Verdict"), Column::words("Kind")];
    columns.extend(props.with_integration.then(|| Column::words("Integration")));
    columns.extend([Column::wide("Result"), Column::figures("Took"), Column::figures("When")]);
    // What was fetched as older may have come among the newest since.
    let last = props.runs.last().map_or(RunId::MAX, |run| run.id);
    let all = props.runs.iter().chain(props.older.iter().filter(|run| run.id < last));
    html! {
        <Table label="Runs" {columns} test="runs">
            { for all.map(|run| {
                let (id, on_open) = (run.id, props.on_open.clone());
                let open = on_open.clone();
                html! {
                    <tr class="row-link" key={id} data-test="run-row" data-id={id.to_string()} onclick={move |_: MouseEvent| open.emit(id)}
                        aria-selected={(props.open == Some(id)).then_some("true")}>
                        <td><VerdictBadge verdict={run.verdict} partial={run.partial} /></td>
                        <td>
                            <button type="button" class="link" data-test="open-run" aria-label={format!("Open {} run {id}", run.kind.as_str())}
                                onclick={move |event: MouseEvent| { event.stop_propagation(); on_open.emit(id); }}>
                                { run.kind.as_str() }
                            </button>
                        </td>
                        if props.with_integration {
                            <td><MiddleCut text={run.integration.clone().unwrap_or_else(|| "–".to_owned())} limit=28 /></td>
                        }
                        <td class="wrap">{ &run.headline }</td>
                        <td class="figure">{ text::duration(run.duration_ms) }</td>
                        <td class="figure muted"><Time at={run.at} /></td>
                    </tr>
                }
            }) }
        </Table>
    }
}

//! The list of integrations.

use patchbay_contracts::{ipc::RemoveIntegration, workspace::IntegrationSummary};
use yew::prelude::*;

use crate::{
    components::{Button, Column, EmptyState, Glyph, Icon, Input, Kind, LinkButton, Loading, MiddleCut, StatusBadge, Table},
    hooks::{Notify, go, use_data, use_notify},
    route::{Route, Tab},
    utils::{search, text},
};

/// All integrations by name, with a filter.
#[component]
pub fn IntegrationsPage() -> Html {
    let data = use_data();
    let notify = use_notify();
    let filter = use_state(String::new);
    let Some(integrations) = data.integrations.clone() else {
        return if data.problem.is_some() {
            Html::default()
        } else {
            html! { <Loading what="the integrations" /> }
        };
    };
    let add = html! { <LinkButton to={Route::Add} kind={Kind::Primary} glyph={Glyph::Plus} test="add">{ "Add an integration" }</LinkButton> };
    if integrations.is_empty() {
        return html! {
            <EmptyState glyph={Glyph::Integrations} title="No integrations yet"
                hint="Paste an address, a curl line or a file, or start the sample service from the overview.">
                { add }
                <LinkButton to={Route::Overview}>{ "To the overview" }</LinkButton>
            </EmptyState>
        };
    }
    let haystack: Vec<String> = integrations.iter().map(|one| format!("{} {} {}", one.name, one.file, one.base_url)).collect();
    let found = search::filter(&filter, haystack.iter().map(String::as_str));
    let set = {
        let filter = filter.setter();
        Callback::from(move |text| filter.set(text))
    };
    let columns = vec![
        Column::words("Status"),
        Column::words("Integration"),
        Column::wide("Address"),
        Column::spare("File"),
        Column::words("Checks"),
        Column::actions("Actions"),
    ];
    html! {
        <>
            <div class="toolbar">
                <Filter value={(*filter).clone()} on_input={set} />
                <span class="muted" data-test="found">{ text::counted(found.len() as u64, "integration") }</span>
                <span class="grow" />
                { add }
            </div>
            if found.is_empty() {
                <EmptyState glyph={Glyph::Search} title="No integration has these letters" hint="The name, the file and the address are searched." />
            } else {
                <Table label="Integrations" {columns} test="integrations">
                    { for found.into_iter().map(|at| row(&integrations[at], &notify)) }
                </Table>
            }
        </>
    }
}

/// The properties of [`Filter`].
#[derive(Properties, PartialEq)]
pub struct FilterProps {
    /// What is in it.
    pub value: AttrValue,
    /// Told of each change.
    pub on_input: Callback<String>,
    /// What it filters by.
    #[prop_or("Filter (/)".into())]
    pub placeholder: AttrValue,
}

/// The filter over a list. The key `/` leads into it, Escape empties it.
#[component]
pub fn Filter(props: &FilterProps) -> Html {
    let onkeydown = {
        let (on_input, empty) = (props.on_input.clone(), props.value.is_empty());
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" && !empty {
                event.prevent_default();
                on_input.emit(String::new());
            }
        })
    };
    html! {
        <span class="filter">
            <Icon glyph={Glyph::Search} />
            <Input kind="search" value={props.value.clone()} on_input={props.on_input.clone()} placeholder={props.placeholder.clone()}
                label="Filter" filter=true test="filter" {onkeydown} />
        </span>
    }
}

fn row(one: &IntegrationSummary, notify: &Notify) -> Html {
    let to = Route::integration(&one.name);
    let onclick = {
        let to = to.clone();
        move |_: MouseEvent| go(&to)
    };
    let remove = {
        let (notify, name) = (notify.clone(), one.name.clone());
        Callback::from(move |event: MouseEvent| {
            event.stop_propagation();
            let (said, own) = (notify.clone(), name.clone());
            notify.perform(RemoveIntegration { name: name.clone() }, move |()| said.undoable(format!("Removed “{own}”")));
        })
    };
    let definition = Route::Integration { name: one.name.clone(), tab: Tab::Definition };
    html! {
        <tr class="row-link" key={one.name.clone()} data-test="integration-row" data-name={one.name.clone()} {onclick}>
            <td><StatusBadge status={one.status} /></td>
            <td><a href={to.href()} data-test="integration-name"><MiddleCut text={one.name.clone()} limit=28 /></a></td>
            <td class="code muted wide" title={one.base_url.clone()}><MiddleCut text={one.base_url.clone()} limit=44 /></td>
            <td class="code muted only-wide"><MiddleCut text={one.file.clone()} limit=28 /></td>
            <td>
                if !one.problems.is_empty() {
                    <a class="mistakes" href={definition.href()} data-test="mistakes"
                        onclick={|event: MouseEvent| event.stop_propagation()}>
                        { text::counted(one.problems.len() as u64, "problem") }
                    </a>
                } else if one.watched {
                    { "watched" }
                } else {
                    <span class="muted">{ "not watched" }</span>
                }
            </td>
            <td class="actions">
                <Button kind={Kind::Quiet} glyph={Glyph::Trash} label={format!("Remove {}", one.name)} test="remove" onclick={remove} />
            </td>
        </tr>
    }
}

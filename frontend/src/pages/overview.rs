//! How everything does.

use patchbay_contracts::{health::Status, workspace::IntegrationSummary};
use yew::prelude::*;

use super::add::AddForm;
use crate::{
    components::{
        Button, Column, Glyph, Kind, LinkButton, Loading, MiddleCut, Sparkline, StatusBadge, Table, Time, VerdictBadge,
    },
    hooks::{go, use_data, use_start_sample},
    route::{Route, Tab},
    utils::{order, text},
};

/// The integrations, those in trouble first.
#[component]
pub fn OverviewPage() -> Html {
    let data = use_data();
    let Some(integrations) = data.integrations.clone() else {
        return if data.problem.is_some() {
            Html::default()
        } else {
            html! { <Loading what="the integrations" /> }
        };
    };
    if integrations.is_empty() {
        return html! { <FirstStart /> };
    }
    let columns = vec![
        Column::words("Status"),
        Column::wide("Integration"),
        Column::words("Latency"),
        Column::figures("Last"),
        Column::figures("Errors, last hour"),
        Column::spare("Contract"),
        Column::figures("Last check"),
    ];
    html! {
        <>
            <Counts integrations={integrations.clone()} />
            <Table label="Integrations" {columns} test="overview">
                { for order::by_urgency(&integrations).into_iter().map(row) }
            </Table>
        </>
    }
}

fn row(one: &IntegrationSummary) -> Html {
    let to = Route::integration(&one.name);
    let onclick = {
        let to = to.clone();
        move |_: MouseEvent| go(&to)
    };
    let last = one.latency.last().and_then(|(_, latency)| *latency);
    let failing = matches!(one.status, Status::Down | Status::Degraded) && one.error_share.is_some_and(|share| share > 0.0);
    html! {
        <tr class="row-link" key={one.name.clone()} data-test="overview-row" data-name={one.name.clone()} {onclick}>
            <td><StatusBadge status={one.status} /></td>
            <td class="wide" title={one.name.clone()}>
                <a href={to.href()} data-test="overview-name"><MiddleCut text={one.name.clone()} limit=44 /></a>
                if !one.problems.is_empty() { <Mistakes one={one.clone()} /> }
                else if !one.watched { <span class="muted small aside">{ "not watched" }</span> }
            </td>
            <td><Sparkline points={one.latency.clone()} /></td>
            <td class="figure" data-test="overview-latency">{ last.map_or_else(|| "–".to_owned(), text::duration) }</td>
            <td class={classes!("figure", failing.then_some("bad-text"))} data-test="overview-errors">
                { one.error_share.map_or_else(|| "–".to_owned(), text::share) }
            </td>
            <td class="only-wide">
                if let Some(verdict) = one.contract { <VerdictBadge {verdict} /> } else { <span class="muted">{ "not tested" }</span> }
            </td>
            <td class="figure muted">
                if let Some(at) = one.last_check { <Time {at} /> } else { { "never" } }
            </td>
        </tr>
    }
}

#[derive(Properties, PartialEq)]
struct MistakesProps {
    one: IntegrationSummary,
}

/// Says that a file has mistakes, and leads to them.
#[component]
fn Mistakes(props: &MistakesProps) -> Html {
    let count = props.one.problems.len() as u64;
    let to = Route::Integration { name: props.one.name.clone(), tab: Tab::Definition };
    let first = props.one.problems.first().map(ToString::to_string);
    html! {
        <a href={to.href()} class="mistakes small" title={first} data-test="mistakes" onclick={|event: MouseEvent| event.stop_propagation()}>
            { text::counted(count, "problem") }
        </a>
    }
}

#[derive(Properties, PartialEq)]
struct CountsProps {
    integrations: std::rc::Rc<Vec<IntegrationSummary>>,
}

/// How many are in each status.
#[component]
fn Counts(props: &CountsProps) -> Html {
    let count = |status: Status| props.integrations.iter().filter(|one| one.status == status).count();
    html! {
        <div class="counts" data-test="counts">
            { for [Status::Down, Status::Degraded, Status::Unobserved, Status::Healthy].into_iter().map(|status| html! {
                <span class={classes!("counted", (count(status) == 0).then_some("none"))}>
                    <span class="count-figure">{ count(status) }</span>
                    <StatusBadge {status} test={format!("count-{}", status.as_str())} />
                </span>
            }) }
            <span class="grow" />
            <LinkButton to={Route::Add} glyph={Glyph::Plus} test="add">{ "Add" }</LinkButton>
        </div>
    }
}

/// What to do on a machine where nothing is registered yet.
#[component]
fn FirstStart() -> Html {
    let busy = use_state(|| false);
    let start = use_start_sample();
    let onclick = {
        let busy = busy.clone();
        Callback::from(move |_: MouseEvent| {
            busy.set(true);
            let done = busy.setter();
            start.emit(Callback::from(move |()| done.set(false)));
        })
    };
    html! {
        <div class="first" data-test="first-start">
            <h2 class="first-title">{ "Nothing is plugged in yet" }</h2>
            <p class="muted">
                { "An integration is one readable file: where a service answers, what it promises, how to check it. \
                   From that file Patchbay probes it, tests its contract, puts it under load and watches it." }
            </p>
            <section class="offer">
                <div class="grow">
                    <h2>{ "See it work" }</h2>
                    <p class="muted">
                        { "A small orders API comes with Patchbay. It runs on this machine only, and can be told to be slow, to \
                           fail or to break its contract." }
                    </p>
                </div>
                <Button kind={Kind::Primary} glyph={Glyph::Sample} busy={*busy} test="start-sample" {onclick}>
                    { "Start the sample service and register it" }
                </Button>
            </section>
            <section class="offer column">
                <h2>{ "Or add something of your own" }</h2>
                <AddForm />
            </section>
        </div>
    }
}

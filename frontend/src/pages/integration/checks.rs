//! The newest health checks, and one of them whole.

use patchbay_contracts::health::HealthCheck;
use yew::prelude::*;

use crate::{
    components::{Button, Column, Drawer, Glyph, Icon, Panel, ProblemView, Table, Time},
    utils::text,
};

/// How many checks are shown before the others are asked for.
const SHOWN: usize = 10;

/// The properties of [`LatestChecks`].
#[derive(Properties, PartialEq)]
pub struct LatestChecksProps {
    /// The checks, newest first.
    pub checks: Vec<HealthCheck>,
}

/// A table of checks; a row opens its conditions in the drawer.
#[component]
pub fn LatestChecks(props: &LatestChecksProps) -> Html {
    let open = use_state(|| None::<HealthCheck>);
    let all = use_state(|| false);
    let columns = vec![
        Column::words("Result"),
        Column::figures("Status"),
        Column::figures("Latency"),
        Column::wide("What it found"),
        Column::figures("When"),
    ];
    let shown = if *all { props.checks.len() } else { SHOWN };
    let more = props.checks.len().saturating_sub(shown);
    let show_all = {
        let all = all.setter();
        Callback::from(move |_: MouseEvent| all.set(true))
    };
    let on_close = {
        let open = open.setter();
        Callback::from(move |()| open.set(None))
    };
    html! {
        <Panel title="Latest checks" test="checks-panel">
            <Table label="Latest checks" {columns} test="latest-checks">
                { for props.checks.iter().take(shown).map(|check| {
                    let (own, setter) = (check.clone(), open.setter());
                    let (again, button) = (check.clone(), open.setter());
                    html! {
                        <tr class="row-link" key={check.at} data-test="check-row" onclick={move |_: MouseEvent| setter.set(Some(own.clone()))}
                            aria-selected={open.as_ref().is_some_and(|open| open.at == check.at).then_some("true")}>
                            <td>
                                <button type="button" class="link" data-test="open-check" onclick={move |event: MouseEvent| {
                                    event.stop_propagation();
                                    button.set(Some(again.clone()));
                                }}><Result holds={check.healthy} /></button>
                            </td>
                            <td class="figure">{ check.http_status.map(|status| status.to_string()).unwrap_or_else(|| "–".to_owned()) }</td>
                            <td class="figure">{ check.latency_ms.map_or_else(|| "–".to_owned(), text::duration) }</td>
                            <td class="wrap">{ finding(check) }</td>
                            <td class="figure muted"><Time at={check.at} /></td>
                        </tr>
                    }
                }) }
            </Table>
            if more > 0 { <Button test="all-checks" onclick={show_all}>{ format!("Show {more} more") }</Button> }
            if let Some(check) = &*open { <CheckDrawer key={check.at} check={check.clone()} {on_close} /> }
        </Panel>
    }
}

/// The first thing that did not hold.
fn finding(check: &HealthCheck) -> String {
    if let Some(problem) = &check.problem {
        return if problem.why.is_empty() { problem.what.clone() } else { format!("{}: {}", problem.what, problem.why) };
    }
    match check.conditions.iter().find(|condition| !condition.holds) {
        Some(condition) => format!("{} – {}", condition.text, condition.resolved),
        None => text::counted(check.conditions.len() as u64, "condition") + " held",
    }
}

#[derive(Properties, PartialEq)]
struct ResultProps {
    holds: bool,
}

#[component]
fn Result(props: &ResultProps) -> Html {
    let (glyph, class, word) = if props.holds { (Glyph::Healthy, "healthy", "held") } else { (Glyph::Down, "down", "failed") };
    html! { <span class={classes!("badge", class)}><Icon {glyph} /><span>{ word }</span></span> }
}

#[derive(Properties, PartialEq)]
struct CheckDrawerProps {
    check: HealthCheck,
    on_close: Callback<()>,
}

/// One check whole.
#[component]
fn CheckDrawer(props: &CheckDrawerProps) -> Html {
    let check = &props.check;
    let columns = vec![Column::words("Result"), Column::wide("Condition"), Column::words("With its values")];
    html! {
        <Drawer title="Health check" on_close={props.on_close.clone()} test="check-drawer">
            <dl class="facts">
                <dt>{ "Result" }</dt><dd><Result holds={check.healthy} /></dd>
                <dt>{ "When" }</dt><dd><Time at={check.at} /></dd>
                <dt>{ "Status" }</dt><dd>{ check.http_status.map_or_else(|| "no answer".to_owned(), |status| status.to_string()) }</dd>
                <dt>{ "Latency" }</dt><dd>{ check.latency_ms.map_or_else(|| "–".to_owned(), text::duration) }</dd>
                if let Some(until) = check.certificate_not_after { <><dt>{ "Certificate ends" }</dt><dd><Time at={until} /></dd></> }
            </dl>
            if let Some(problem) = &check.problem { <ProblemView problem={problem.clone()} /> }
            if !check.conditions.is_empty() {
                <Table label="Conditions" {columns} test="conditions">
                    { for check.conditions.iter().map(|condition| html! {
                        <tr>
                            <td><Result holds={condition.holds} /></td>
                            <td class="code wrap">{ &condition.text }</td>
                            <td class="code wrap muted">{ &condition.resolved }</td>
                        </tr>
                    }) }
                </Table>
            }
        </Drawer>
    }
}

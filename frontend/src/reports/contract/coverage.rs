//! How much of a contract was seen.

use patchbay_contracts::contract::{Coverage, OperationCoverage};
use yew::prelude::*;

use crate::{components::MiddleCut, utils::text};

/// How many operations, and how many names of each, are listed before the rest is asked for.
const LISTED: usize = 40;

/// The properties of [`CoverageView`].
#[derive(Properties, PartialEq)]
pub struct CoverageViewProps {
    /// What was seen.
    pub coverage: Coverage,
    /// What it means that an operation was called.
    pub called: AttrValue,
}

/// Operations, statuses and fields that were seen, of all; what was not seen on demand.
#[component]
pub fn CoverageView(props: &CoverageViewProps) -> Html {
    let open = use_state_eq(|| false);
    let coverage = &props.coverage;
    let bars = [
        ("operations", props.called.clone(), coverage.operations()),
        ("statuses", "Documented statuses seen".into(), coverage.statuses()),
        ("fields", "Documented fields seen".into(), coverage.fields()),
    ];
    let unseen: Vec<&OperationCoverage> = coverage.operations.iter().filter(|operation| !whole(operation)).collect();
    let toggle = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(!*open))
    };
    html! {
        <section class="coverage" aria-label="Coverage of the contract" data-test="coverage">
            <h3>{ "Coverage of the contract" }</h3>
            <dl class="coverage-bars">
                { for bars.into_iter().filter(|(_, _, (_, all))| *all > 0).map(|(test, name, (seen, all))| html! {
                    <div data-test={format!("coverage-{test}")}>
                        <dt>{ name.clone() }</dt>
                        <dd><progress class="progress" value={seen.to_string()} max={all.to_string()} aria-label={name} /></dd>
                        <dd class="figure">{ format!("{} of {}", text::count(seen as u64), text::count(all as u64)) }</dd>
                        <dd class="figure muted">{ text::share_coarse(seen as f64 / all.max(1) as f64) }</dd>
                    </div>
                }) }
            </dl>
            if !unseen.is_empty() {
                <button type="button" class="link" aria-expanded={if *open { "true" } else { "false" }} onclick={toggle} data-test="coverage-unseen">
                    { if *open { "Hide what was not seen" } else { "Show what was not seen" } }
                </button>
                if *open { <Unseen operations={unseen.into_iter().cloned().collect::<Vec<_>>()} /> }
            }
        </section>
    }
}

/// Whether all of an operation was seen.
fn whole(operation: &OperationCoverage) -> bool {
    operation.called && operation.statuses_unseen.is_empty() && operation.fields_unseen.is_empty()
}

#[derive(Properties, PartialEq)]
struct UnseenProps {
    operations: Vec<OperationCoverage>,
}

/// What was not seen, by operation.
#[component]
fn Unseen(props: &UnseenProps) -> Html {
    let limit = use_state_eq(|| LISTED);
    let more = props.operations.len().saturating_sub(*limit);
    let onclick = {
        let limit = limit.clone();
        Callback::from(move |_: MouseEvent| limit.set(*limit + LISTED * 4))
    };
    html! {
        <>
            <ul class="unseen" data-test="unseen">
                { for props.operations.iter().take(*limit).map(|operation| html! {
                    <li>
                        <MiddleCut text={operation.operation.clone()} limit=60 />
                        if operation.called {
                            if !operation.statuses_unseen.is_empty() { <span class="muted">{ "statuses " }<span class="code">{ listed(&operation.statuses_unseen) }</span></span> }
                            if !operation.fields_unseen.is_empty() { <span class="muted">{ "fields " }<span class="code breakable">{ listed(&operation.fields_unseen) }</span></span> }
                        } else {
                            <span class="muted">{ "not called" }</span>
                        }
                    </li>
                }) }
            </ul>
            if more > 0 { <button type="button" class="link" {onclick}>{ format!("Show {} more", more.min(LISTED * 4)) }</button> }
        </>
    }
}

fn listed(names: &[String]) -> String {
    let shown = names.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

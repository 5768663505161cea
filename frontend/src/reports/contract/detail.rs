//! One operation, or one of its checks, in the drawer.

use std::collections::BTreeMap;

use patchbay_contracts::contract::Check;
use yew::prelude::*;

use super::check::BrokenCheck;
use crate::{
    components::{Button, Drawer, Glyph, Icon, Kind, ProblemView, VerdictBadge},
    reports::{
        WaterfallView,
        body::LongText,
        probe::{Curl, RequestView},
    },
    utils::{
        matrix::{Judged, Outcome},
        text,
    },
};

/// How many checks of each sort are shown before the rest is asked for.
const SHOWN: usize = 25;

/// The properties of [`Detail`].
#[derive(Properties, PartialEq)]
pub struct DetailProps {
    /// The operation.
    pub result: Judged,
    /// The check that is looked at; all of them without it.
    pub check: Option<Check>,
    /// Runs the operations of these labels again.
    pub on_rerun: Option<Callback<Vec<String>>>,
    /// Told when it's to close.
    pub on_close: Callback<()>,
    /// Goes to the next failure, where there is another.
    pub on_next: Option<Callback<()>>,
}

/// What did not hold first, then what did, then the exchange.
#[component]
pub fn Detail(props: &DetailProps) -> Html {
    let result = &props.result;
    let title = match props.check {
        Some(check) => format!("{} · {}", result.endpoint, check.as_str()),
        None => result.endpoint.clone(),
    };
    let aside = props.on_next.clone().map(|on_next| {
        let onclick = on_next.reform(|_: MouseEvent| ());
        html! { <Button kind={Kind::Quiet} glyph={Glyph::Chevron} test="next-failure" {onclick}>{ "Next failure" }</Button> }
    });
    let facts = [
        result.status.map(|status| format!("status {status}")),
        (result.timing.total_ms > 0.0).then(|| text::duration(result.timing.total_ms)),
        (result.attempts > 1).then(|| text::counted(u64::from(result.attempts), "attempt")),
        Some(text::counted(u64::from(result.cases), "case")),
    ];
    let key = (result.endpoint.clone(), props.check);
    html! {
        <Drawer {title} on_close={props.on_close.clone()} test="check-detail" aside={aside.unwrap_or_default()}>
            <p class="outcome">
                <VerdictBadge verdict={result.verdict} test="operation-verdict" />
                { for facts.into_iter().flatten().map(|fact| html! { <span class="muted">{ fact }</span> }) }
            </p>
            if let Some(check) = props.check { <p class="muted">{ check.description() }</p> }
            if let Some(problem) = &result.problem { <ProblemView problem={problem.clone()} /> }
            <Checks key={format!("{key:?}")} result={result.clone()} check={props.check} on_rerun={props.on_rerun.clone()} />
            <Exchange result={result.clone()} />
        </Drawer>
    }
}

#[derive(Properties, PartialEq)]
struct ChecksProps {
    result: Judged,
    check: Option<Check>,
    on_rerun: Option<Callback<Vec<String>>>,
}

/// The checks, the gravest first.
#[component]
fn Checks(props: &ChecksProps) -> Html {
    let limit = use_state_eq(|| SHOWN);
    let own = props.result.checks.iter().enumerate().filter(|(_, check)| props.check.is_none_or(|own| own == check.check));
    let mut own: Vec<_> = own.map(|(at, check)| (at, Outcome::of(check), check)).collect();
    own.sort_by_key(|(_, outcome, _)| std::cmp::Reverse(*outcome));
    let (held, broken): (Vec<_>, Vec<_>) = own.into_iter().partition(|(_, outcome, _)| *outcome == Outcome::Held);
    let held = grouped(held.into_iter().map(|(_, _, check)| (check.check.as_str(), check.message.as_str())));
    let more = broken.len().max(held.len()).saturating_sub(*limit);
    let onclick = {
        let limit = limit.clone();
        Callback::from(move |_: MouseEvent| limit.set(*limit + SHOWN * 4))
    };
    html! {
        <>
            { for broken.iter().take(*limit).map(|(at, _, _)| html! {
                <BrokenCheck key={*at} result={props.result.clone()} at={*at} on_rerun={props.on_rerun.clone()} />
            }) }
            if !held.is_empty() {
                <ul class="held" data-test="held">
                    { for held.iter().take(*limit).map(|(check, message, times)| html! {
                        <li>
                            <Icon glyph={Glyph::Healthy} class="healthy" /><span class="muted">{ *check }</span>
                            <span class="breakable">{ *message }</span>
                            if *times > 1 { <span class="muted">{ format!("{times} times") }</span> }
                        </li>
                    }) }
                </ul>
            }
            if more > 0 { <button type="button" class="link start" {onclick}>{ format!("Show {} more", more.min(SHOWN * 4)) }</button> }
        </>
    }
}

/// What was said more than once is said once, and how often.
fn grouped<'a>(said: impl Iterator<Item = (&'static str, &'a str)>) -> Vec<(&'static str, &'a str, usize)> {
    let mut found: Vec<(&'static str, &str, usize)> = Vec::new();
    let mut place = BTreeMap::new();
    for (check, message) in said {
        let at = *place.entry((check, message)).or_insert(found.len());
        match found.get_mut(at) {
            Some((_, _, times)) => *times += 1,
            None => found.push((check, message, 1)),
        }
    }
    found
}

#[derive(Properties, PartialEq)]
struct ExchangeProps {
    result: Judged,
}

/// What was sent and what came, last.
#[component]
fn Exchange(props: &ExchangeProps) -> Html {
    let open = use_state_eq(|| false);
    let result = &props.result;
    let Some(request) = &result.request else { return Html::default() };
    let toggle = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(!*open))
    };
    html! {
        <div class="stack">
            <button type="button" class="link start" aria-expanded={if *open { "true" } else { "false" }} onclick={toggle} data-test="endpoint-exchange">
                { if *open { "Hide the exchange" } else { "Show the exchange" } }
            </button>
            if *open {
                if !request.curl.is_empty() { <Curl line={request.curl.clone()} /> }
                <WaterfallView timing={result.timing} />
                <RequestView request={request.clone()} />
                if let Some(body) = &result.body {
                    <h3>{ "Body of the answer" }</h3>
                    <div class="body-frame" tabindex="0" role="group" aria-label="Body of the answer"><LongText text={body.clone()} /></div>
                }
            }
        </div>
    }
}

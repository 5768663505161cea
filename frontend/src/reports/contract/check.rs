//! One thing that did not hold: what the contract asks and where, what came, and the request that shows it.

use patchbay_contracts::contract::{Check, CheckResult};
use yew::prelude::*;

use super::{
    accept::AcceptForm,
    difference::{MarkedBody, Versus},
    grid::look,
};
use crate::{
    components::{Button, CopyButton, Glyph, Icon, in_words},
    hooks::use_now,
    reports::probe::Curl,
    utils::{
        matrix::{Judged, Outcome},
        text,
    },
};

/// Whether what is expected and what came are values of one kind, so that comparing them tells something. Elsewhere what is
/// expected is a piece of a schema.
const fn alike(check: Check) -> bool {
    !matches!(
        check,
        Check::RequestSchema
            | Check::ResponseSchema
            | Check::UndocumentedField
            | Check::InvalidAccepted
            | Check::ValidRejected
            | Check::Envelope
            | Check::Payload
            | Check::Schema
    )
}

/// The properties of [`BrokenCheck`].
#[derive(Properties, PartialEq)]
pub struct BrokenCheckProps {
    /// The operation.
    pub result: Judged,
    /// Which of its checks.
    pub at: usize,
    /// Runs the operations of these labels again.
    pub on_rerun: Option<Callback<Vec<String>>>,
}

/// One check that did not hold.
#[component]
pub fn BrokenCheck(props: &BrokenCheckProps) -> Html {
    let accepting = use_state_eq(|| false);
    let Some(check) = props.result.checks.get(props.at) else { return Html::default() };
    let outcome = Outcome::of(check);
    // What isn't stored yet can't be referred to.
    let run = props.result.run();
    let (glyph, class) = look(outcome);
    // Without a request of its own, it is about the exchange of the whole operation.
    let request = check.request.as_ref().or(props.result.request.as_ref()).filter(|request| !request.curl.is_empty());
    let body = props.result.body.clone().filter(|_| check.request.is_none()).zip(check.pointer.clone());
    // Where nothing was sent, it is no answer either.
    let within = if request.is_some() { "In the answer" } else { "In what was checked" };
    let status = check.status.or(props.result.status.filter(|_| check.request.is_none()));
    let open_form = {
        let accepting = accepting.clone();
        Callback::from(move |_: MouseEvent| accepting.set(!*accepting))
    };
    let close_form = {
        let accepting = accepting.setter();
        use_callback((), move |(), ()| accepting.set(false))
    };
    html! {
        <section class={classes!("check", class)} aria-label={format!("{}: {}", check.check.as_str(), outcome.as_str())}
            data-test="broken-check" data-check={check.check.as_str()} data-state={outcome.as_str()}>
            <p class="row">
                <span class={classes!("badge", class)}><Icon {glyph} /><span>{ outcome.as_str() }</span></span>
                <strong title={check.check.description()}>{ check.check.as_str() }</strong>
                <span class="breakable">{ in_words(&check.message) }</span>
            </p>
            <Places check={check.clone()} {status} />
            <AcceptedNote check={check.clone()} />
            if check.expected.is_some() || check.actual.is_some() {
                <Versus expected={check.expected.clone()} actual={check.actual.clone()} alike={alike(check.check)} />
            }
            if let Some((body, pointer)) = body { <MarkedBody {body} {pointer} title={within} actual={check.actual.clone()} /> }
            if let Some(request) = request { <Curl line={request.curl.clone()} /> }
            if let Some(on_rerun) = props.on_rerun.clone() {
                <p class="row">
                    <Button glyph={Glyph::Play} test="rerun-one" onclick={
                        let label = props.result.endpoint.clone();
                        Callback::from(move |_: MouseEvent| on_rerun.emit(vec![label.clone()]))
                    }>{ "Run this again" }</Button>
                    if outcome == Outcome::Failed && run.is_some() {
                        <Button glyph={Glyph::Flag} test="accept" onclick={open_form.clone()}>{ "Accept…" }</Button>
                    }
                </p>
            } else if outcome == Outcome::Failed && run.is_some() {
                <p class="row"><Button glyph={Glyph::Flag} test="accept" onclick={open_form}>{ "Accept…" }</Button></p>
            }
            if let Some(run) = run.filter(|_| *accepting) {
                <AcceptForm {run} endpoint={props.result.endpoint.clone()} check={check.check} pointer={check.pointer.clone()} on_close={close_form} />
            }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct PlacesProps {
    check: CheckResult,
    status: Option<u16>,
}

/// Where in the body, where in the contract, and the status that came.
#[component]
fn Places(props: &PlacesProps) -> Html {
    let check = &props.check;
    let whole = if check.check == Check::Schema { "the whole document" } else { "the whole body" };
    let pointer = check.pointer.as_ref().map(|pointer| if pointer.is_empty() { whole.to_owned() } else { pointer.clone() });
    if pointer.is_none() && check.place.is_none() && props.status.is_none() {
        return Html::default();
    }
    html! {
        <p class="row muted">
            if let Some(pointer) = pointer { <span>{ "at " }<span class="code breakable" data-test="check-pointer">{ pointer }</span></span> }
            if let Some(place) = &check.place {
                <span class="row tight">
                    <span>{ if check.check == Check::Readable { "in " } else { "asked for in " } }<span class="code breakable" data-test="check-place">{ place.to_string() }</span></span>
                    <CopyButton text={place.to_string()} label="Copy the place in the contract" test="copy-place" />
                </span>
            }
            if let Some(status) = props.status { <span>{ format!("status {status}") }</span> }
        </p>
    }
}

#[derive(Properties, PartialEq)]
struct AcceptedNoteProps {
    check: CheckResult,
}

/// Why a failure is put up with, until when, and where that is written.
#[component]
fn AcceptedNote(props: &AcceptedNoteProps) -> Html {
    let now = use_now();
    let Some(accepted) = &props.check.accepted else { return Html::default() };
    let expired = accepted.until < text::day(now, 0);
    html! {
        <p class="note" data-test="accepted" data-expired={if expired { "true" } else { "false" }}>
            <Icon glyph={Glyph::Flag} />
            <span class="breakable">
                if expired { { format!("Was accepted until {}, which has passed: the next run counts it again. ", accepted.until) } }
                else { { format!("Accepted until {}. ", accepted.until) } }
                { &accepted.reason }
                if let Some(place) = &accepted.place { <span class="code muted">{ format!(" {place}") }</span> }
            </span>
        </p>
    }
}

//! Putting up with a failure for a while: why, and until when.

use patchbay_contracts::{contract::Check, ipc::AcceptFailure, run::RunId};
use yew::prelude::*;

use crate::{
    components::{Button, Field, Glyph, Input, Kind},
    hooks::{use_escape, use_notify},
    utils::{clock, text},
};

/// For how many days a failure is accepted unless somebody says otherwise.
const DAYS: i64 = 30;

/// The properties of [`AcceptForm`].
#[derive(Properties, PartialEq)]
pub struct AcceptFormProps {
    /// The run that found it.
    pub run: RunId,
    /// The operation.
    pub endpoint: String,
    /// The check.
    pub check: Check,
    /// The place in the body.
    pub pointer: Option<String>,
    /// Told when it's to close.
    pub on_close: Callback<()>,
}

/// Asks for a reason and a day, and writes both down.
#[component]
pub fn AcceptForm(props: &AcceptFormProps) -> Html {
    let notify = use_notify();
    let reason = use_state_eq(String::new);
    let until = use_state_eq(|| text::day(clock::now(), DAYS));
    let busy = use_state_eq(|| false);
    let tried = use_state_eq(|| false);
    use_escape(props.on_close.clone());
    let today = text::day(clock::now(), 0);
    let no_reason = reason.trim().is_empty();
    let day_error = match until.trim() {
        day if !text::is_day(day) => Some("Write a day such as 2027-01-31."),
        day if *day < *today => Some("This day has passed."),
        _ => None,
    };
    let onsubmit = {
        let (reason, until, busy, tried) = (reason.clone(), until.clone(), busy.clone(), tried.setter());
        let (run, endpoint, check, pointer) = (props.run, props.endpoint.clone(), props.check, props.pointer.clone());
        let on_close = props.on_close.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            if no_reason || day_error.is_some() || *busy {
                return;
            }
            busy.set(true);
            let command = AcceptFailure {
                run,
                endpoint: endpoint.clone(),
                check,
                pointer: pointer.clone(),
                reason: reason.trim().to_owned(),
                until: until.trim().to_owned(),
            };
            let (said, busy, on_close, day) = (notify.clone(), busy.setter(), on_close.clone(), until.trim().to_owned());
            notify.perform_whatever(command, move |reply| {
                busy.set(false);
                match reply {
                    Ok(file) => {
                        said.done(format!("Accepted until {day}, written to {file}: from the next run on, it fails no run"));
                        on_close.emit(());
                    }
                    Err(problem) => said.failed(problem),
                }
            });
        })
    };
    let error = |shown: Option<&'static str>| shown.filter(|_| *tried).map(AttrValue::from);
    html! {
        <form class="inset accept-form" {onsubmit} data-test="accept-form">
            <Field label="Why it is put up with" error={error(no_reason.then_some("A reason is what tells the next person why."))}>
                <Input value={(*reason).clone()} on_input={
                    let reason = reason.setter();
                    Callback::from(move |text| reason.set(text))
                } placeholder="ORD-214, mended in March" autofocus=true test="accept-reason" />
            </Field>
            <Field label="Until, including that day" error={error(day_error)}>
                <Input value={(*until).clone()} on_input={
                    let until = until.setter();
                    Callback::from(move |text| until.set(text))
                } code=true test="accept-until" />
            </Field>
            <div class="row">
                <Button kind={Kind::Primary} glyph={Glyph::Flag} submit=true busy={*busy} test="accept-save">{ "Accept this failure" }</Button>
                <Button test="accept-cancel" onclick={props.on_close.reform(|_: MouseEvent| ())}>{ "Cancel" }</Button>
            </div>
        </form>
    }
}

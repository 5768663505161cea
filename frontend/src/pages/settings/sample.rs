//! The sample service and what it does wrong.

use patchbay_contracts::{
    ipc::{SetFaults, StopSample},
    sample::Faults,
    units::{Share, Span},
};
use yew::prelude::*;

use crate::{
    components::{Button, Field, Glyph, Icon, Input, Panel, Toggle},
    hooks::{use_data, use_notify, use_start_sample},
    state::Change,
};

/// Starts and stops the sample service, and switches its faults.
#[component]
pub fn Sample() -> Html {
    let data = use_data();
    let notify = use_notify();
    let start = use_start_sample();
    let busy = use_state(|| false);
    let sample = data.sample.clone();
    let on_start = {
        let busy = busy.clone();
        Callback::from(move |_: MouseEvent| {
            busy.set(true);
            let done = busy.setter();
            start.emit(Callback::from(move |()| done.set(false)));
        })
    };
    let on_stop = {
        let (notify, dispatch) = (notify.clone(), data.dispatcher());
        Callback::from(move |_: MouseEvent| {
            let dispatch = dispatch.clone();
            notify.perform(StopSample {}, move |sample| dispatch.dispatch(Change::Sample(sample)));
        })
    };
    let on_faults = {
        let dispatch = data.dispatcher();
        Callback::from(move |faults: Faults| {
            let dispatch = dispatch.clone();
            notify.perform(SetFaults { faults }, move |sample| dispatch.dispatch(Change::Sample(sample)));
        })
    };
    let aside = match &sample.url {
        Some(_) => html! { <Button glyph={Glyph::Stop} test="sample-stop" onclick={on_stop}>{ "Stop" }</Button> },
        None => {
            html! { <Button glyph={Glyph::Play} busy={*busy} test="sample-start" onclick={on_start}>{ "Start and register" }</Button> }
        }
    };
    html! {
        <Panel title="Sample service" test="settings-sample" {aside}>
            if let Some(url) = &sample.url {
                <p class="row">
                    <span class="badge healthy"><Icon glyph={Glyph::Healthy} /><span>{ "running" }</span></span>
                    <span class="code" data-test="sample-url">{ url }</span>
                </p>
                <FaultList faults={sample.faults.clone()} {on_faults} />
            } else {
                <p class="muted" data-test="sample-stopped">
                    { "Not running. It is a small orders API on this machine, made to be probed, tested, loaded and broken on demand." }
                </p>
            }
        </Panel>
    }
}

#[derive(Properties, PartialEq)]
struct FaultListProps {
    faults: Faults,
    on_faults: Callback<Faults>,
}

/// What the service does wrong, each as a switch.
#[component]
fn FaultList(props: &FaultListProps) -> Html {
    let switch = |test: &'static str, label: &'static str, hint: &'static str, on: bool, set: fn(&mut Faults, bool)| {
        let (faults, on_faults) = (props.faults.clone(), props.on_faults.clone());
        let on_change = Callback::from(move |on| {
            let mut faults = faults.clone();
            set(&mut faults, on);
            on_faults.emit(faults);
        });
        html! { <Toggle {label} {hint} {on} {on_change} {test} /> }
    };
    let faults = &props.faults;
    let latency = {
        let (faults, on_faults) = (props.faults.clone(), props.on_faults.clone());
        Callback::from(move |latency: Option<Span>| on_faults.emit(Faults { latency, ..faults.clone() }))
    };
    let errors = {
        let (faults, on_faults) = (props.faults.clone(), props.on_faults.clone());
        Callback::from(move |errors: Option<Share>| on_faults.emit(Faults { errors, ..faults.clone() }))
    };
    html! {
        <div class="faults">
            <Quantity<Span> label="Extra latency" hint="Such as 200ms; empty for none." value={faults.latency} on_value={latency} test="fault-latency" />
            <Quantity<Share> label="Failing requests" hint="Such as 20%; empty for none." value={faults.errors} on_value={errors} test="fault-errors" />
            { switch("fault-stall", "Never answer", "Requests are taken and left hanging.", faults.stall, |f, on| f.stall = on) }
            { switch("fault-type-change", "Break a type", "amount comes as a text.", faults.type_change, |f, on| f.type_change = on) }
            { switch("fault-missing-field", "Leave a field out", "status is missing.", faults.missing_field, |f, on| f.missing_field = on) }
            { switch("fault-wrong-status", "Answer with another status", "200 in place of 201.", faults.wrong_status, |f, on| f.wrong_status = on) }
            { switch("fault-expired-token", "Refuse the token", "Every token counts as expired.", faults.expired_token, |f, on| f.expired_token = on) }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct QuantityProps<T: PartialEq> {
    label: AttrValue,
    hint: AttrValue,
    value: Option<T>,
    on_value: Callback<Option<T>>,
    test: AttrValue,
}

/// A quantity with its unit. It counts when the field is left or Enter is pressed.
#[component]
fn Quantity<T>(props: &QuantityProps<T>) -> Html
where
    T: PartialEq + Copy + std::str::FromStr<Err: std::fmt::Display> + std::fmt::Display + 'static,
{
    let typed = use_state(|| None::<String>);
    let shown = typed.as_ref().cloned().unwrap_or_else(|| props.value.map(|value| value.to_string()).unwrap_or_default());
    let parsed = match shown.trim() {
        "" => Ok(None),
        text => text.parse::<T>().map(Some).map_err(|error| error.to_string()),
    };
    let on_input = {
        let typed = typed.setter();
        Callback::from(move |text: String| typed.set(Some(text)))
    };
    let keep = {
        let (parsed, value, on_value, typed) = (parsed.clone(), props.value, props.on_value.clone(), typed);
        Callback::from(move |()| {
            if let Ok(new) = &parsed {
                if *new != value {
                    on_value.emit(*new);
                }
                typed.set(None);
            }
        })
    };
    let on_enter = keep.clone();
    html! {
        <div onfocusout={move |_| keep.emit(())}>
            <Field label={props.label.clone()} hint={props.hint.clone()} error={parsed.as_ref().err().cloned().map(AttrValue::from)}>
                <Input value={shown} {on_input} invalid={parsed.is_err()} test={props.test.clone()}
                    onkeydown={Callback::from(move |event: KeyboardEvent| if event.key() == "Enter" { on_enter.emit(()) })} />
            </Field>
        </div>
    }
}

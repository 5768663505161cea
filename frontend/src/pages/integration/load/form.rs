//! How to put an integration under load, as a form.

use patchbay_contracts::{
    integration::{Executor, LoadSpec},
    units::{Rate, Span},
};
use yew::prelude::*;

use crate::components::{Button, Field, Glyph, Input, Kind, Panel, Segments, Select};

/// What stands in the fields, as text, so that what is half typed stays as it is.
#[derive(Debug, Clone, PartialEq, Default)]
struct Draft {
    open: bool,
    endpoint: String,
    rate: String,
    connections: String,
    duration: String,
    warm_up: String,
    timeout: String,
    thresholds: Vec<String>,
    threshold: String,
    /// What the file says besides, which the form has no field for.
    rest: LoadSpec,
}

impl Draft {
    fn of(spec: Option<&LoadSpec>) -> Self {
        let text = |span: Option<Span>, otherwise: &str| span.map_or_else(|| otherwise.to_owned(), |span| span.to_string());
        let spec = spec.cloned().unwrap_or_default();
        Self {
            rest: spec.clone(),
            open: spec.executor == Executor::ConstantArrivalRate,
            endpoint: spec.endpoint.unwrap_or_default(),
            rate: spec.rate.map_or_else(|| "50/s".to_owned(), |rate| rate.to_string()),
            connections: spec.connections.map_or_else(String::new, |count| count.to_string()),
            duration: text(spec.duration, "10s"),
            warm_up: text(spec.warm_up, ""),
            timeout: text(spec.timeout, ""),
            thresholds: spec.thresholds,
            threshold: String::new(),
        }
    }

    /// What is meant, or for each field that can't be read what would do.
    fn read(&self) -> Result<LoadSpec, Mistakes> {
        let mut mistakes = Mistakes::default();
        let span = |text: &str, mistake: &mut Option<AttrValue>| match text.trim() {
            "" => None,
            text => text.parse::<Span>().map_err(|bad| *mistake = Some(bad.to_string().into())).ok(),
        };
        let duration = span(&self.duration, &mut mistakes.duration);
        if duration.is_none_or(|span| span.as_ms() <= 0.0) && mistakes.duration.is_none() {
            mistakes.duration = Some("Say how long, such as 30s or 1m".into());
        }
        let warm_up = span(&self.warm_up, &mut mistakes.warm_up);
        let timeout = span(&self.timeout, &mut mistakes.timeout);
        let rate = match (self.open, self.rate.trim().parse::<Rate>()) {
            (false, _) => None,
            (true, Ok(rate)) if rate.count > 0.0 => Some(rate),
            (true, Ok(_)) => {
                mistakes.rate = Some("A rate above zero, such as 50/s".into());
                None
            }
            (true, Err(bad)) => {
                mistakes.rate = Some(bad.to_string().into());
                None
            }
        };
        let connections = match self.connections.trim() {
            "" => None,
            text => match text.parse::<u32>() {
                Ok(count) if count > 0 => Some(count),
                _ => {
                    mistakes.connections = Some("A whole number above zero".into());
                    None
                }
            },
        };
        if mistakes != Mistakes::default() {
            return Err(mistakes);
        }
        Ok(LoadSpec {
            executor: if self.open { Executor::ConstantArrivalRate } else { Executor::ConstantConnections },
            endpoint: Some(self.endpoint.clone()).filter(|endpoint| !endpoint.is_empty()),
            rate,
            connections,
            duration,
            warm_up,
            timeout,
            thresholds: self.all_thresholds(),
            ..self.rest.clone()
        })
    }

    /// The thresholds, with the one that is typed and not yet added: it was meant.
    fn all_thresholds(&self) -> Vec<String> {
        let typed = self.threshold.trim();
        let mut all = self.thresholds.clone();
        if !typed.is_empty() && !all.iter().any(|known| known == typed) {
            all.push(typed.to_owned());
        }
        all
    }
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Mistakes {
    rate: Option<AttrValue>,
    connections: Option<AttrValue>,
    duration: Option<AttrValue>,
    warm_up: Option<AttrValue>,
    timeout: Option<AttrValue>,
}

/// The properties of [`LoadForm`].
#[derive(Properties, PartialEq)]
pub struct LoadFormProps {
    /// The endpoints to choose from.
    pub endpoints: Vec<AttrValue>,
    /// What the file says.
    pub defined: Option<LoadSpec>,
    /// What was started last from this page.
    pub sent: Option<LoadSpec>,
    /// Whether a run is being started.
    pub busy: bool,
    /// Starts a run.
    pub on_start: Callback<LoadSpec>,
    /// Writes how into the file.
    pub on_keep: Callback<LoadSpec>,
}

/// The form; filled in from what was started last, else from the file.
#[component]
pub fn LoadForm(props: &LoadFormProps) -> Html {
    let draft = use_state_eq(|| Draft::of(props.sent.as_ref().or(props.defined.as_ref())));
    let seen = use_mut_ref(|| props.defined.clone());
    {
        let draft = draft.setter();
        use_effect_with(props.defined.clone(), move |defined| {
            if *seen.borrow() != *defined {
                seen.borrow_mut().clone_from(defined);
                draft.set(Draft::of(defined.as_ref()));
            }
        });
    }
    let read = draft.read();
    let mistakes = read.as_ref().err().cloned().unwrap_or_default();
    let set = |change: fn(&mut Draft, String)| {
        let draft = draft.clone();
        Callback::from(move |text: String| {
            let mut next = (*draft).clone();
            change(&mut next, text);
            draft.set(next);
        })
    };
    let on_executor = {
        let draft = draft.clone();
        Callback::from(move |value: AttrValue| draft.set(Draft { open: value == "rate", ..(*draft).clone() }))
    };
    let give = |to: &Callback<LoadSpec>| {
        let (to, spec) = (to.clone(), read.clone().ok());
        Callback::from(move |()| {
            if let Some(spec) = spec.clone() {
                to.emit(spec);
            }
        })
    };
    let start = give(&props.on_start);
    let onsubmit = start.reform(|event: SubmitEvent| event.prevent_default());
    let keep = give(&props.on_keep).reform(|_: MouseEvent| ());
    let kept = read.as_ref().ok() == props.defined.as_ref();
    let executors: Vec<(AttrValue, AttrValue)> =
        vec![("connections".into(), "Connections".into()), ("rate".into(), "Arrival rate".into())];
    let mut endpoints: Vec<(AttrValue, AttrValue)> = vec![("".into(), "The first endpoint".into())];
    endpoints.extend(props.endpoints.iter().map(|label| (label.clone(), label.clone())));
    let hint = if draft.open {
        "Requests start at the rate, whatever the service does. Waiting counts as latency."
    } else {
        "Each connection sends its next request when the last was answered: a slow service is asked less."
    };
    html! {
        <Panel title="Load" test="load-form">
            <form class="stack" {onsubmit}>
                <div class="row">
                    <Segments label="Who decides when the next request goes out" options={executors} on_change={on_executor}
                        value={if draft.open { "rate" } else { "connections" }} test="executor" />
                    <span class="muted">{ hint }</span>
                </div>
                <div class="form-row">
                    <Field label="Endpoint">
                        <Select options={endpoints} value={draft.endpoint.clone()} on_change={set(|draft, text| draft.endpoint = text)} test="load-endpoint" />
                    </Field>
                    if draft.open {
                        <Field label="Rate" error={mistakes.rate.clone()}>
                            <Input value={draft.rate.clone()} on_input={set(|draft, text| draft.rate = text)} placeholder="50/s"
                                invalid={mistakes.rate.is_some()} test="load-rate-field" />
                        </Field>
                    }
                    <Field label={if draft.open { "Connections at most" } else { "Connections" }} error={mistakes.connections.clone()}>
                        <Input value={draft.connections.clone()} on_input={set(|draft, text| draft.connections = text)}
                            placeholder="as many as suit" invalid={mistakes.connections.is_some()} test="load-connections" />
                    </Field>
                    <Field label="Duration" error={mistakes.duration.clone()}>
                        <Input value={draft.duration.clone()} on_input={set(|draft, text| draft.duration = text)} placeholder="10s"
                            invalid={mistakes.duration.is_some()} test="load-duration" />
                    </Field>
                    <Field label="Warm-up" error={mistakes.warm_up.clone()}>
                        <Input value={draft.warm_up.clone()} on_input={set(|draft, text| draft.warm_up = text)} placeholder="none"
                            invalid={mistakes.warm_up.is_some()} test="load-warm-up" />
                    </Field>
                    <Field label="Timeout" error={mistakes.timeout.clone()}>
                        <Input value={draft.timeout.clone()} on_input={set(|draft, text| draft.timeout = text)} placeholder="of the file"
                            invalid={mistakes.timeout.is_some()} test="load-timeout" />
                    </Field>
                </div>
                <ThresholdField draft={draft.clone()} />
                <div class="row">
                    <Button kind={Kind::Primary} glyph={Glyph::Play} submit=true busy={props.busy} disabled={read.is_err()} test="load-start">
                        { "Start" }
                    </Button>
                    if !kept {
                        <Button disabled={read.is_err()} onclick={keep} test="load-keep" label="Write this into the integration's file">
                            { "Keep in the file" }
                        </Button>
                    }
                </div>
            </form>
        </Panel>
    }
}

#[derive(Properties, PartialEq)]
struct ThresholdFieldProps {
    draft: UseStateHandle<Draft>,
}

/// The thresholds as chips, and a field for one more.
#[component]
fn ThresholdField(props: &ThresholdFieldProps) -> Html {
    let draft = &props.draft;
    let on_input = {
        let draft = draft.clone();
        Callback::from(move |threshold: String| draft.set(Draft { threshold, ..(*draft).clone() }))
    };
    let add = {
        let draft = draft.clone();
        move || draft.set(Draft { thresholds: draft.all_thresholds(), threshold: String::new(), ..(*draft).clone() })
    };
    let onkeydown = {
        let (add, empty) = (add.clone(), draft.threshold.trim().is_empty());
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Enter" && !event.ctrl_key() && !empty {
                event.prevent_default();
                add();
            }
        })
    };
    html! {
        <div class="chips-field">
            <span class="field-label" id="thresholds-label">{ "Thresholds" }</span>
            <div class="chips" role="group" aria-labelledby="thresholds-label">
                { for draft.thresholds.iter().map(|threshold| {
                    let (draft, own) = (draft.clone(), threshold.clone());
                    let onclick = Callback::from(move |_: MouseEvent| {
                        let thresholds = draft.thresholds.iter().filter(|known| **known != own).cloned().collect();
                        draft.set(Draft { thresholds, ..(*draft).clone() });
                    });
                    html! {
                        <span class="chip code" data-test="threshold-chip">
                            { threshold }
                            <Button kind={Kind::Quiet} glyph={Glyph::Close} label={format!("Take out {threshold}")} test="threshold-remove" {onclick} />
                        </span>
                    }
                }) }
                <Input value={draft.threshold.clone()} {on_input} {onkeydown} code=true label="One more threshold"
                    placeholder="p95 < 500ms" test="threshold-field" />
                <Button glyph={Glyph::Plus} disabled={draft.threshold.trim().is_empty()} test="threshold-add"
                    onclick={Callback::from(move |_: MouseEvent| add())}>{ "Add" }</Button>
            </div>
            <span class="field-hint">{ "What must hold at the end: p50 to p99.99, mean, max, errors, rate." }</span>
        </div>
    }
}

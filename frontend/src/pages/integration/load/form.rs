//! How to put an integration under load, as a form.

use std::rc::Rc;

use patchbay_contracts::{
    chart::load_plan,
    integration::{Executor, LoadSpec},
    run::{RunId, RunSummary},
};
use yew::prelude::*;

use super::{
    calls::CallsField,
    k6::K6,
    more::More,
    stages::{PlanPicture, StagesField},
    thresholds::ThresholdField,
};
use crate::{
    components::{Button, Field, Glyph, Input, Kind, Panel, Segments, Select},
    utils::{
        load_draft::{Draft, Mistakes},
        text,
    },
};

/// How many characters of a run's headline the chooser shows.
const HEADLINE: usize = 56;

/// What the parts of the form have in common.
#[derive(Properties, Clone, PartialEq)]
pub struct PartProps {
    /// What stands in the fields.
    pub draft: UseStateHandle<Draft>,
    /// What would do in those that can't be read.
    #[prop_or_default]
    pub mistakes: Rc<Mistakes>,
    /// The endpoints to choose from.
    #[prop_or_default]
    pub endpoints: Vec<AttrValue>,
}

/// A change to what stands in a field.
pub fn set(draft: &UseStateHandle<Draft>, change: impl Fn(&mut Draft, String) + 'static) -> Callback<String> {
    let draft = draft.clone();
    Callback::from(move |text: String| {
        let mut next = (*draft).clone();
        change(&mut next, text);
        draft.set(next);
    })
}

/// The same for a press.
pub fn press(draft: &UseStateHandle<Draft>, change: impl Fn(&mut Draft) + 'static) -> Callback<MouseEvent> {
    set(draft, move |draft, _| change(draft)).reform(|_: MouseEvent| String::new())
}

/// What would do in a field.
pub fn mistake(mistakes: &Mistakes, field: &str) -> Option<AttrValue> {
    mistakes.get(field).map(|text| text.clone().into())
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
    /// Earlier runs, to compare with.
    pub runs: Rc<Vec<RunSummary>>,
    /// The one that is compared with.
    pub baseline: Option<RunId>,
    /// Told of the choice of one.
    pub on_baseline: Callback<Option<RunId>>,
    /// The port at which the next run can be scraped.
    pub metrics_port: Option<u16>,
    /// Told of the choice of one.
    pub on_metrics_port: Callback<Option<u16>>,
    /// The integration.
    pub integration: AttrValue,
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
    let mistakes = Rc::new(read.as_ref().err().cloned().unwrap_or_default());
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
    let plan = use_memo(read.clone().ok(), |spec| spec.as_ref().map(|spec| Rc::new(load_plan(spec))));
    html! {
        <Panel title="Load" test="load-form">
            <div class="stack">
            <form class="stack" {onsubmit}>
                <ExecutorField draft={draft.clone()} />
                <CallsField draft={draft.clone()} mistakes={mistakes.clone()} endpoints={props.endpoints.clone()} />
                <div class="load-plan">
                    <div class="stack">
                        <PaceFields draft={draft.clone()} mistakes={mistakes.clone()} />
                        if draft.executor.is_ramping() { <StagesField draft={draft.clone()} mistakes={mistakes.clone()} /> }
                    </div>
                    <PlanPicture plan={(*plan).clone()} />
                </div>
                <ThresholdField draft={draft.clone()} mistakes={mistakes.clone()} />
                <More draft={draft.clone()} mistakes={mistakes.clone()} endpoints={props.endpoints.clone()} />
                <div class="row">
                    <Button kind={Kind::Primary} glyph={Glyph::Play} submit=true busy={props.busy} disabled={read.is_err()} test="load-start">
                        { "Start" }
                    </Button>
                    if !kept {
                        <Button disabled={read.is_err()} onclick={keep} test="load-keep" label="Write this into the integration's file">
                            { "Keep in the file" }
                        </Button>
                    }
                    <BaselineField runs={props.runs.clone()} baseline={props.baseline} on_baseline={props.on_baseline.clone()} />
                    <MetricsPortField port={props.metrics_port} on_port={props.on_metrics_port.clone()} />
                </div>
            </form>
            <K6 integration={props.integration.clone()} spec={read.clone().ok()} />
            </div>
        </Panel>
    }
}

/// Who decides when the next request goes out.
#[component]
fn ExecutorField(props: &PartProps) -> Html {
    let draft = &props.draft;
    let on_change = set(draft, |draft, word| {
        if let Some(executor) = Executor::ALL.into_iter().find(|executor| executor.as_str() == word) {
            draft.choose(executor);
        }
    });
    let shown = |executor| match executor {
        Executor::ConstantConnections => "Connections",
        Executor::RampingConnections => "Ramping connections",
        Executor::ConstantArrivalRate => "Arrival rate",
        Executor::RampingArrivalRate => "Ramping rate",
    };
    let options: Vec<(AttrValue, AttrValue)> =
        Executor::ALL.into_iter().map(|executor| (executor.as_str().into(), shown(executor).into())).collect();
    let hint = if draft.executor.is_open() {
        "Requests start at the rate, whatever the service does. Waiting counts as latency."
    } else {
        "Each connection sends its next request when the last was answered: a slow service is asked less."
    };
    html! {
        <div class="row">
            <Segments label="Who decides when the next request goes out" {options} value={draft.executor.as_str()}
                on_change={on_change.reform(|word: AttrValue| word.to_string())} test="executor" />
            <span class="muted">{ hint }</span>
        </div>
    }
}

/// How fast, with how many connections, for how long.
#[component]
fn PaceFields(props: &PartProps) -> Html {
    let (draft, mistakes) = (&props.draft, &props.mistakes);
    let wrong = |field: &str| mistake(mistakes, field);
    html! {
        <div class="form-row">
            { match draft.executor {
                Executor::ConstantArrivalRate => html! {
                    <Field label="Rate" error={wrong("rate")}>
                        <Input value={draft.rate.clone()} on_input={set(draft, |draft, text| draft.rate = text)} placeholder="50/s"
                            invalid={wrong("rate").is_some()} test="load-rate-field" />
                    </Field>
                },
                Executor::RampingArrivalRate => html! {
                    <Field label="Begin at" error={wrong("start-rate")}>
                        <Input value={draft.start_rate.clone()} on_input={set(draft, |draft, text| draft.start_rate = text)}
                            placeholder="nothing" invalid={wrong("start-rate").is_some()} test="load-start-rate" />
                    </Field>
                },
                Executor::RampingConnections => html! {
                    <Field label="Begin at" error={wrong("start-connections")}>
                        <Input value={draft.start_connections.clone()} placeholder="none" test="load-start-connections"
                            on_input={set(draft, |draft, text| draft.start_connections = text)}
                            invalid={wrong("start-connections").is_some()} />
                    </Field>
                },
                Executor::ConstantConnections => Html::default(),
            } }
            if draft.executor != Executor::RampingConnections {
                <Field label={if draft.executor.is_open() { "Most connections" } else { "Connections" }} error={wrong("connections")}>
                    <Input value={draft.connections.clone()} on_input={set(draft, |draft, text| draft.connections = text)}
                        placeholder={if draft.executor.is_open() { "1000" } else { "10" }} invalid={wrong("connections").is_some()}
                        test="load-connections" />
                </Field>
            }
            if !draft.executor.is_ramping() {
                <Field label="Duration" error={wrong("duration")}>
                    <Input value={draft.duration.clone()} on_input={set(draft, |draft, text| draft.duration = text)} placeholder="10s"
                        invalid={wrong("duration").is_some()} test="load-duration" />
                </Field>
            }
            <Field label="Warm-up" error={wrong("warm-up")}>
                <Input value={draft.warm_up.clone()} on_input={set(draft, |draft, text| draft.warm_up = text)} placeholder="none"
                    invalid={wrong("warm-up").is_some()} test="load-warm-up" />
            </Field>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct BaselineFieldProps {
    runs: Rc<Vec<RunSummary>>,
    baseline: Option<RunId>,
    on_baseline: Callback<Option<RunId>>,
}

/// The run that the next one is compared with.
#[component]
fn BaselineField(props: &BaselineFieldProps) -> Html {
    if props.runs.is_empty() {
        return Html::default();
    }
    let mut options: Vec<(AttrValue, AttrValue)> = vec![("".into(), "no earlier run".into())];
    options.extend(props.runs.iter().map(|run| {
        let shown = format!("{}: {}", run.id, text::middle_cut(&run.headline, HEADLINE));
        (run.id.to_string().into(), shown.into())
    }));
    let value = props.baseline.map(|id| id.to_string()).unwrap_or_default();
    let on_change = props.on_baseline.reform(|id: String| id.parse().ok());
    html! {
        <label class="row baseline">
            <span class="muted">{ "Compare with" }</span>
            <Select {options} {value} {on_change} test="load-baseline" />
        </label>
    }
}

#[derive(Properties, PartialEq)]
struct MetricsPortFieldProps {
    port: Option<u16>,
    on_port: Callback<Option<u16>>,
}

/// Where Prometheus can scrape the next run while it goes on.
#[component]
fn MetricsPortField(props: &MetricsPortFieldProps) -> Html {
    let typed = use_state_eq(|| props.port.map(|port| port.to_string()).unwrap_or_default());
    let read = |text: &str| text.trim().parse().ok().filter(|port| *port > 0);
    let wrong = !typed.trim().is_empty() && read(&typed).is_none();
    let on_input = {
        let (typed, on_port) = (typed.setter(), props.on_port.clone());
        Callback::from(move |text: String| {
            on_port.emit(read(&text));
            typed.set(text);
        })
    };
    html! {
        <label class="row">
            <span class="muted">{ "Scraped at port" }</span>
            <span class="narrow"><Input value={(*typed).clone()} {on_input} placeholder="none" invalid={wrong} test="load-metrics-port" /></span>
            if let Some(port) = props.port {
                <code class="muted">{ format!("http://127.0.0.1:{port}/metrics") }</code>
            }
        </label>
    }
}

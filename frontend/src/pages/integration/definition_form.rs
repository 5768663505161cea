//! A form for what is changed most often in a definition. It changes single places of the file and keeps the rest.

use std::rc::Rc;

use patchbay_contracts::{integration::Integration, ipc::EditDefinition};
use yew::prelude::*;

use crate::{
    components::{Field, Input, Panel, Toggle},
    hooks::use_notify,
    utils::edits::Place,
};

/// The properties of [`DefinitionForm`].
#[derive(Properties, PartialEq)]
pub struct DefinitionFormProps {
    /// The integration.
    pub name: AttrValue,
    /// What its file defines.
    pub definition: Rc<Integration>,
    /// Whether the text beside it isn't saved, so that two sets of changes would meet.
    pub locked: bool,
}

/// Address, health check and promises.
#[component]
pub fn DefinitionForm(props: &DefinitionFormProps) -> Html {
    let notify = use_notify();
    let edit = {
        let (name, definition) = (props.name.to_string(), props.definition.clone());
        Callback::from(move |(place, text): (Place, String)| {
            let command = EditDefinition { name: name.clone(), edits: vec![place.edit(&definition, &text)] };
            let said = notify.clone();
            notify.perform(command, move |saved| said.undoable(format!("Changed {}", saved.file)));
        })
    };
    let entry = |place: Place, label: &'static str, hint: &'static str, test: &'static str| {
        // A new value in the file makes a new entry, whose text is that of the file.
        let value = AttrValue::from(place.value(&props.definition));
        html! {
            <Entry key={format!("{test} {value}")} {place} {label} {hint} value={value.clone()} disabled={props.locked} on_edit={edit.clone()} {test} />
        }
    };
    let watched = props.definition.health.as_ref().is_some_and(|health| health.enabled);
    let on_watch = edit.reform(|on: bool| (Place::Enabled, on.to_string()));
    html! {
        <Panel title="Often changed" class="definition-form" test="definition-form">
            <div class="stack">
                if props.locked { <p class="muted small">{ "Save or revert the text first." }</p> }
                { entry(Place::BaseUrl, "Address", "Where it answers; empty for base_url of the environment.", "edit-base-url") }
                <Toggle label="Health check" on={watched} on_change={on_watch} disabled={props.locked} test="edit-enabled" />
                { entry(Place::Interval, "Checked every", "Such as 30s or 5m.", "edit-interval") }
                <h3>{ "Promises" }</h3>
                { entry(Place::Availability, "Availability", "The share of checks that hold: 99.9%", "edit-availability") }
                { entry(Place::LatencyP95, "Latency, 95th percentile", "Such as 500ms.", "edit-latency-p95") }
                { entry(Place::ErrorRate, "Error rate", "The share that may fail: 0.1%", "edit-error-rate") }
            </div>
        </Panel>
    }
}

#[derive(Properties, PartialEq)]
struct EntryProps {
    place: Place,
    label: AttrValue,
    hint: AttrValue,
    value: AttrValue,
    disabled: bool,
    on_edit: Callback<(Place, String)>,
    test: AttrValue,
}

/// One place. It counts when the field is left or Enter is pressed.
#[component]
fn Entry(props: &EntryProps) -> Html {
    let typed = use_state(|| props.value.to_string());
    let mistake = props.place.mistake(&typed);
    let keep = {
        let (typed, value, wrong) = (typed.clone(), props.value.clone(), mistake.is_some());
        let (place, on_edit) = (props.place, props.on_edit.clone());
        Callback::from(move |()| {
            if !wrong && typed.trim() != value.as_str() {
                on_edit.emit((place, typed.trim().to_owned()));
            }
        })
    };
    let on_enter = keep.clone();
    let on_input = {
        let typed = typed.setter();
        Callback::from(move |text| typed.set(text))
    };
    html! {
        <div onfocusout={move |_| keep.emit(())}>
            <Field label={props.label.clone()} hint={props.hint.clone()} error={mistake.clone().map(AttrValue::from)}>
                <Input value={(*typed).clone()} {on_input} code=true invalid={mistake.is_some()} disabled={props.disabled} test={props.test.clone()}
                    onkeydown={Callback::from(move |event: KeyboardEvent| if event.key() == "Enter" { on_enter.emit(()) })} />
            </Field>
        </div>
    }
}

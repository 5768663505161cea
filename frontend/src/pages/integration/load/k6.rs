//! The same plan for k6, which goes past one machine, and what it found there.

use patchbay_contracts::{
    integration::LoadSpec,
    ipc::{ExportLoad, ImportLoad},
};
use yew::prelude::*;

use crate::{
    components::{Button, Field, Glyph, Input},
    hooks::use_notify,
};

/// The properties of [`K6`].
#[derive(Properties, PartialEq)]
pub struct K6Props {
    /// The integration.
    pub integration: AttrValue,
    /// What stands in the form, where it can be read.
    pub spec: Option<LoadSpec>,
}

const FORMATS: [(&str, &str); 2] = [("k6", "Script for k6"), ("k6-operator", "Manifest for k6-operator")];

/// Writes the plan for k6, and reads its summary.
#[component]
pub fn K6(props: &K6Props) -> Html {
    let notify = use_notify();
    let summary = use_state_eq(String::new);
    let on_summary = {
        let summary = summary.setter();
        Callback::from(move |text: String| summary.set(text))
    };
    let on_import = {
        let (notify, integration, summary) = (notify.clone(), props.integration.to_string(), summary.trim().to_owned());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let said = notify.clone();
            notify.perform(ImportLoad { integration: integration.clone(), summary: summary.clone() }, move |run| {
                said.done(format!("Kept as run {}", run.id));
            });
        })
    };
    html! {
        <details class="more" data-test="load-k6">
            <summary>{ "k6" }<span class="muted">{ " · the same plan from several machines" }</span></summary>
            <p class="field-hint">
                { "The script sends the same requests, makes the same checks and holds the same thresholds. Secrets aren't in it; it takes \
                   them from the variables that it names." }
            </p>
            <div class="row">
                { for FORMATS.into_iter().map(|(format, shown)| {
                    let (notify, integration, spec) = (notify.clone(), props.integration.to_string(), props.spec.clone());
                    let onclick = Callback::from(move |_: MouseEvent| {
                        let Some(spec) = spec.clone() else { return };
                        let (said, format) = (notify.clone(), format.to_owned());
                        let command = ExportLoad { integration: integration.clone(), spec, format, parallelism: None };
                        notify.perform(command, move |file| said.done(format!("Written to {file}")));
                    });
                    html! {
                        <Button glyph={Glyph::Download} disabled={props.spec.is_none()} test={format!("export-{format}")} {onclick}>
                            { shown }
                        </Button>
                    }
                }) }
            </div>
            <form class="form-row" onsubmit={on_import}>
                <Field label="Summary that k6 wrote">
                    <Input value={(*summary).clone()} on_input={on_summary} placeholder="summary.json" test="k6-summary" />
                </Field>
                <Button submit=true disabled={summary.trim().is_empty()} test="k6-import">{ "Keep as a run" }</Button>
            </form>
        </details>
    }
}

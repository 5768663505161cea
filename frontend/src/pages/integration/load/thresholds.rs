//! What must hold at the end of a run.

use yew::prelude::*;

use super::form::PartProps;
use crate::{
    components::{Button, Glyph, Input, Kind},
    utils::load_draft::Draft,
};

/// The thresholds as chips, and a field for one more.
#[component]
pub fn ThresholdField(props: &PartProps) -> Html {
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
            <span class="field-hint">
                { "What must hold at the end: p50 to p99.99, mean, max, errors, rate; of one endpoint \u{201c}create order: p95 < 500ms\u{201d}; \
                   in each window of a time \u{201c}errors < 1% over 10s\u{201d}." }
            </span>
        </div>
    }
}

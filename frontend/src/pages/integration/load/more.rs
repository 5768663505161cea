//! What is rarely asked for.

use patchbay_contracts::integration::{Protocol, Spacing};
use yew::prelude::*;

use super::form::{PartProps, mistake, set};
use crate::{
    components::{Field, Input, Select, Toggle},
    utils::load_draft::Draft,
};

const PROTOCOLS: [(Protocol, &str); 3] =
    [(Protocol::Http1, "HTTP/1.1"), (Protocol::Http2, "HTTP/2"), (Protocol::WebSocket, "WebSocket")];

/// The fields that most runs need not fill in.
#[component]
pub fn More(props: &PartProps) -> Html {
    let (draft, mistakes) = (&props.draft, &props.mistakes);
    let open = draft.executor.is_open();
    let wrong = |field: &str| mistake(mistakes, field);
    let field = |label: &'static str, name: &'static str, value: &str, example: &'static str, change: fn(&mut Draft, String)| {
        html! {
            <Field {label} error={wrong(name)}>
                <Input value={value.to_owned()} on_input={set(draft, change)} placeholder={example} invalid={wrong(name).is_some()}
                    test={format!("load-{name}")} />
            </Field>
        }
    };
    let protocols: Vec<(AttrValue, AttrValue)> =
        PROTOCOLS.map(|(protocol, shown)| (protocol.as_str().into(), shown.into())).to_vec();
    let on_protocol = set(draft, |draft, word| {
        if let Some((protocol, _)) = PROTOCOLS.into_iter().find(|(protocol, _)| protocol.as_str() == word) {
            draft.protocol = protocol;
        }
    });
    let spacings: Vec<(AttrValue, AttrValue)> = vec![("even".into(), "Even".into()), ("poisson".into(), "Poisson".into())];
    let on_spacing = set(draft, |draft, word| {
        draft.spacing = if word == "poisson" { Spacing::Poisson } else { Spacing::Even };
    });
    let on_keep_alive = set(draft, |draft, on| draft.keep_alive = on == "true");
    let used = draft.rarely_used();
    html! {
        <details class="more" data-test="load-more">
            <summary>{ "More" }if used > 0 { <span class="muted">{ format!(" · {used} set") }</span> }</summary>
            <div class="form-row">
                <Field label="Protocol">
                    <Select options={protocols} value={draft.protocol.as_str()} on_change={on_protocol} test="load-protocol" />
                </Field>
                if draft.protocol == Protocol::Http2 {
                    { field("Streams a connection", "streams", &draft.streams, "1", |draft, text| draft.streams = text) }
                }
                if open {
                    <Field label="Spacing">
                        <Select options={spacings} value={if draft.spacing == Spacing::Poisson { "poisson" } else { "even" }}
                            on_change={on_spacing} test="load-spacing" />
                    </Field>
                } else {
                    { field("Think time", "think-time", &draft.think_time, "500ms..2s", |draft, text| draft.think_time = text) }
                }
                { field("Timeout", "timeout", &draft.timeout, "of the file", |draft, text| draft.timeout = text) }
                { field("Iterations at most", "iterations", &draft.iterations, "no limit", |draft, text| draft.iterations = text) }
                { field("Abort after", "abort-after", &draft.abort_after, "never", |draft, text| draft.abort_after = text) }
            </div>
            <Toggle label="Keep connections open" hint="Off, each request opens a connection of its own." on={draft.keep_alive}
                on_change={on_keep_alive.reform(|on: bool| on.to_string())} test="load-keep-alive" />
            <p class="field-hint">
                { "Abort after: from then on a run ends as soon as a threshold can't be held any more. Think time: how long a user waits \
                   between an answer and its next request. Spacing: Poisson, as independent users arrive." }
            </p>
        </details>
    }
}

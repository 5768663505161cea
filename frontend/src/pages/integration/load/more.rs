//! What is rarely asked for.

use patchbay_contracts::integration::{FeedOrder, Protocol, Spacing};
use yew::prelude::*;

use super::{
    calls::ListField,
    form::{PartProps, mistake, press, set},
};
use crate::{
    components::{Button, Field, Glyph, Input, Kind, Select, Toggle},
    utils::load_draft::{Draft, Listed},
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
    let on_session_reuse = set(draft, |draft, on| draft.session_reuse = on == "true");
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
                { field("Grace", "grace", &draft.grace, "5s", |draft, text| draft.grace = text) }
                { field("Connect rate", "connect-rate", &draft.connect_rate, "at once", |draft, text| draft.connect_rate = text) }
                { field("Seed", "seed", &draft.seed, "drawn anew", |draft, text| draft.seed = text) }
                { field("Abort after", "abort-after", &draft.abort_after, "never", |draft, text| draft.abort_after = text) }
            </div>
            <Toggle label="Keep connections open" hint="Off, each request opens a connection of its own." on={draft.keep_alive}
                on_change={on_keep_alive.reform(|on: bool| on.to_string())} test="load-keep-alive" />
            <Toggle label="Take up TLS sessions" hint="Off, each connection makes a whole handshake." on={draft.session_reuse}
                on_change={on_session_reuse.reform(|on: bool| on.to_string())} test="load-session-reuse" />
            <div class="field" role="group" aria-label="Called once before the run">
                <span class="field-label">{ "Called once before the run" }</span>
                <ListField draft={draft.clone()} endpoints={props.endpoints.clone()} which={Listed::Setup} />
            </div>
            <div class="field" role="group" aria-label="Called once after it">
                <span class="field-label">{ "Called once after it" }</span>
                <ListField draft={draft.clone()} endpoints={props.endpoints.clone()} which={Listed::Teardown} />
            </div>
            <div class="field" role="group" aria-label="Files with values for requests">
                <span class="field-label">{ "Files with values for requests" }</span>
                <DataField draft={draft.clone()} />
            </div>
            <p class="field-hint">
                { "Abort after: from then on a run ends as soon as a threshold can't be held any more. Think time: how long a user waits \
                   between an answer and its next request. Spacing: Poisson, as independent users arrive. Grace: how long answers are \
                   awaited after the end. Connect rate: how fast connections are opened, such as 100/s. Seed: the same makes the same \
                   random choices." }
            </p>
        </details>
    }
}

const ORDERS: [(FeedOrder, &str, &str); 3] = [
    (FeedOrder::Sequential, "sequential", "Row after row, again and again"),
    (FeedOrder::Random, "random", "Any row"),
    (FeedOrder::Once, "once", "Each row once, then over"),
];

/// Files with values, each with the row that an iteration takes.
#[component]
fn DataField(props: &PartProps) -> Html {
    let draft = &props.draft;
    let options: Vec<(AttrValue, AttrValue)> = ORDERS.map(|(_, word, shown)| (word.into(), shown.into())).to_vec();
    html! {
        <div class="chips-field" data-test="load-data">
            <div class="stack">
                { for draft.data.iter().enumerate().map(|(at, (file, order))| {
                    let word = ORDERS.into_iter().find(|(known, ..)| known == order).map_or("", |(_, word, _)| word);
                    let on_order = set(draft, move |draft, word| {
                        if let Some((order, ..)) = ORDERS.into_iter().find(|(_, known, _)| *known == word) {
                            draft.data[at].1 = order;
                        }
                    });
                    html! {
                        <div class="data-row" key={at}>
                            <Input value={file.clone()} placeholder="users.csv" label="File" test={format!("data-file-{at}")}
                                on_input={set(draft, move |draft, text| draft.data[at].0 = text)} />
                            <Select options={options.clone()} value={word} on_change={on_order} label="Which row an iteration takes"
                                test={format!("data-order-{at}")} />
                            <Button kind={Kind::Quiet} glyph={Glyph::Close} label="Take out this file" test={format!("data-remove-{at}")}
                                onclick={press(draft, move |draft| { draft.data.remove(at); })} />
                        </div>
                    }
                }) }
            </div>
            <div>
                <Button glyph={Glyph::Plus} test="data-add"
                    onclick={press(draft, |draft| draft.data.push((String::new(), FeedOrder::default())))}>
                    { "Add a file" }
                </Button>
            </div>
        </div>
    }
}

//! The request: an address or a curl line, and all that goes with it.

use std::{cell::RefCell, rc::Rc};

use patchbay_contracts::{
    Problem,
    integration::Method,
    ipc::UnderstandRequest,
    probe::{ProbeRequest, Understood},
    units::Span,
};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::{auth::AuthEditor, pairs::Pairs};
use crate::{
    components::{Button, Field, Glyph, Icon, Input, Kind, ProblemView, Segments, Select, Toggle, value_of},
    ipc::call,
    utils::curl::{host, is_curl, taken_over},
};

/// The properties of [`Composer`].
#[derive(Properties, PartialEq)]
pub struct ComposerProps {
    /// The request as it is.
    pub request: Rc<ProbeRequest>,
    /// Told of each change.
    pub on_change: Callback<ProbeRequest>,
    /// Sends it.
    pub on_send: Callback<ProbeRequest>,
    /// Whether one is under way.
    pub busy: bool,
}

/// What came of reading a pasted line.
#[derive(Debug, Clone, PartialEq)]
enum Reading {
    Nothing,
    /// It is not understood yet.
    UnderWay,
    Understood {
        ignored: Vec<String>,
        secrets: Vec<String>,
    },
    Not(Problem),
}

/// The editors of a request. Control and Enter, from any of them, sends it.
#[component]
pub fn Composer(props: &ComposerProps) -> Html {
    let request = &props.request;
    let reading = use_state_eq(|| Reading::Nothing);
    let part = use_state_eq(|| AttrValue::from("query"));
    let timeout = use_state_eq(|| (String::new(), None::<AttrValue>));
    {
        let timeout = timeout.setter();
        use_effect_with(request.timeout, move |span| timeout.set((span.map(|span| span.to_string()).unwrap_or_default(), None)));
    }
    let set = |change: fn(&mut ProbeRequest, String)| with(props, change);
    // Whether the line that is being understood is to be sent then: somebody may be quicker than that.
    let sent_then = use_mut_ref(|| false);
    let understand = understand(props, &reading, &sent_then);
    let send = send(props, &reading, &sent_then);
    let on_address = {
        let (set, understand) = (set(|request, url| request.url = url), understand.clone());
        Callback::from(move |text: String| if is_curl(&text) { understand.emit((text, false)) } else { set.emit(text) })
    };
    let onpaste = {
        let understand = understand.clone();
        Callback::from(move |event: Event| {
            // The field would lose the ends of the lines, and with them where a continued line goes on.
            let pasted =
                event.dyn_ref::<web_sys::ClipboardEvent>().and_then(|event| event.clipboard_data()?.get_data("text").ok());
            if let Some(text) = pasted.filter(|text| is_curl(text)) {
                event.prevent_default();
                understand.emit((text, false));
            }
        })
    };
    let onkeydown = {
        let send = send.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
                event.prevent_default();
                send.emit(());
            }
        })
    };
    let methods: Vec<(AttrValue, AttrValue)> =
        Method::ALL.into_iter().map(|method| (method.as_str().into(), method.as_str().into())).collect();
    let on_method = set(|request, name| request.method = Method::named(&name).unwrap_or_default());
    let submit = send.reform(|event: SubmitEvent| event.prevent_default());
    let counted = |word: &str, count: usize| if count == 0 { word.to_owned() } else { format!("{word} {count}") };
    let has_body = request.body.as_ref().is_some_and(|body| !body.is_empty());
    let parts: Vec<(AttrValue, AttrValue)> = vec![
        ("query".into(), counted("Query", request.query.len()).into()),
        ("headers".into(), counted("Headers", request.headers.len()).into()),
        ("body".into(), if has_body { "Body •".into() } else { "Body".into() }),
        ("auth".into(), if request.auth.is_some() { "Auth •".into() } else { "Auth".into() }),
        ("options".into(), "Options".into()),
    ];
    let on_part = {
        let part = part.setter();
        Callback::from(move |chosen| part.set(chosen))
    };
    html! {
        <form class="composer" onsubmit={submit} {onkeydown}>
            <div class="address-row" {onpaste}>
                <Select label="Method" options={methods} value={request.method.as_str()} on_change={on_method} test="probe-method" />
                <Input value={request.url.clone()} on_input={on_address} code=true label="Address, or a curl line" autofocus=true
                    placeholder="https://api.example.com/v1/orders, or a curl line" test="probe-url" />
                <Button kind={Kind::Primary} glyph={Glyph::Play} submit=true busy={props.busy} disabled={request.url.trim().is_empty() && *reading != Reading::UnderWay}
                    test="probe-send" label="Send (Ctrl+Enter)">{ "Send" }</Button>
            </div>
            { read_out(&reading) }
            <Segments tabs=true label="Parts of the request" options={parts} value={(*part).clone()} on_change={on_part} test="request-part" />
            <div class="composer-part" role="tabpanel">
                { match part.as_str() {
                    "headers" => html! {
                        <Pairs noun="Header" pairs={request.headers.clone()} on_change={with(props, |request, headers| request.headers = headers)} test="header" />
                    },
                    "body" => html! {
                        <textarea class="input code body-input" value={request.body.clone().unwrap_or_default()} spellcheck="false"
                            aria-label="Body" placeholder="Sent as it stands" data-test="probe-body"
                            oninput={set(|request, body| request.body = Some(body).filter(|body| !body.is_empty())).reform(|event: InputEvent| value_of(&event))} />
                    },
                    "auth" => html! {
                        <AuthEditor auth={request.auth.clone()} host={host(&request.url)} on_change={with(props, |request, auth| request.auth = auth)} />
                    },
                    "options" => html! {
                        <div class="stack">
                            <Toggle label="Follow redirects" on={request.follow_redirects} test="probe-redirects"
                                on_change={with(props, |request, on| request.follow_redirects = on)} />
                            <Toggle label="Accept a bad certificate" hint="The answer is marked as such."
                                on={request.accept_invalid_certificate} test="probe-insecure"
                                on_change={with(props, |request, on| request.accept_invalid_certificate = on)} />
                            <Field label="Timeout" hint="The longest that the whole exchange may take." error={timeout.1.clone()}>
                                <Input value={timeout.0.clone()} placeholder="30s" invalid={timeout.1.is_some()} test="probe-timeout"
                                    on_input={on_timeout(props, &timeout)} />
                            </Field>
                        </div>
                    },
                    _ => html! {
                        <Pairs noun="Parameter" pairs={request.query.clone()} on_change={with(props, |request, query| request.query = query)} test="query" />
                    },
                } }
            </div>
        </form>
    }
}

/// Gives the request on with one thing changed.
fn with<T: 'static>(props: &ComposerProps, change: fn(&mut ProbeRequest, T)) -> Callback<T> {
    let (request, on_change) = (props.request.clone(), props.on_change.clone());
    Callback::from(move |value: T| {
        let mut next = (*request).clone();
        change(&mut next, value);
        on_change.emit(next);
    })
}

fn on_timeout(props: &ComposerProps, field: &UseStateHandle<(String, Option<AttrValue>)>) -> Callback<String> {
    let (change, field) = (with(props, |request: &mut ProbeRequest, span| request.timeout = span), field.setter());
    Callback::from(move |text: String| {
        let span = if text.trim().is_empty() { Ok(None) } else { text.parse::<Span>().map(Some) };
        match span {
            Ok(span) => {
                field.set((text, None));
                change.emit(span);
            }
            Err(bad) => field.set((text, Some(bad.to_string().into()))),
        }
    })
}

/// Takes over what a line describes, and sends it right away if that was asked for.
fn understand(
    props: &ComposerProps,
    reading: &UseStateHandle<Reading>,
    sent_then: &Rc<RefCell<bool>>,
) -> Callback<(String, bool)> {
    let (old, on_change, on_send, reading) =
        (props.request.clone(), props.on_change.clone(), props.on_send.clone(), reading.setter());
    let sent_then = sent_then.clone();
    Callback::from(move |(input, then_send): (String, bool)| {
        let (old, on_change, on_send, reading) = (old.clone(), on_change.clone(), on_send.clone(), reading.clone());
        let sent_then = sent_then.clone();
        sent_then.replace(then_send);
        reading.set(Reading::UnderWay);
        spawn_local(async move {
            match call(UnderstandRequest { input: input.clone() }).await {
                Ok(Understood { request, ignored, secrets }) => {
                    let kept = taken_over(&old, request, &input);
                    reading.set(if ignored.is_empty() && secrets.is_empty() {
                        Reading::Nothing
                    } else {
                        Reading::Understood { ignored, secrets }
                    });
                    on_change.emit(kept.clone());
                    if sent_then.take() {
                        on_send.emit(kept);
                    }
                }
                Err(problem) => reading.set(Reading::Not(problem)),
            }
        });
    })
}

/// Sends the request. What stands in the address is understood first: it may lack its scheme, be a curl line, or hold a
/// credential that must not be stored. What a reference stands for is known only where it is sent, so an address with
/// one is left as it is.
fn send(props: &ComposerProps, reading: &UseStateHandle<Reading>, sent_then: &Rc<RefCell<bool>>) -> Callback<()> {
    let (request, on_send, busy) = (props.request.clone(), props.on_send.clone(), props.busy);
    let (understand, sent_then) = (understand(props, reading, sent_then), sent_then.clone());
    let (under_way, reading) = (**reading == Reading::UnderWay, reading.setter());
    Callback::from(move |()| {
        if under_way {
            sent_then.replace(true);
            return;
        }
        let url = request.url.trim();
        if busy || url.is_empty() {
            return;
        }
        if url.contains("${") && !is_curl(url) {
            reading.set(Reading::Nothing);
            on_send.emit(ProbeRequest { url: url.to_owned(), ..(*request).clone() });
        } else {
            understand.emit((url.to_owned(), true));
        }
    })
}

fn read_out(reading: &Reading) -> Html {
    match reading {
        Reading::Nothing | Reading::UnderWay => Html::default(),
        Reading::Not(problem) => html! { <ProblemView problem={problem.clone()} /> },
        Reading::Understood { ignored, secrets } => html! {
            <div class="stack" data-test="understood">
                if !secrets.is_empty() {
                    <p class="note"><Icon glyph={Glyph::Key} />
                        { format!("Credentials in it were put into memory as secrets, and the request names them: {}.", secrets.join(", ")) }
                    </p>
                }
                if !ignored.is_empty() {
                    <p class="note"><Icon glyph={Glyph::Info} />{ format!("Left out, since it has no meaning here: {}.", ignored.join(", ")) }</p>
                }
            </div>
        },
    }
}

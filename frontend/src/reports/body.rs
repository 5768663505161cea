//! The body of an answer: as a tree, as text, as bytes.

use std::rc::Rc;

use patchbay_contracts::probe::Body;
use yew::prelude::*;

use crate::{
    components::{CopyButton, Input, JsonTree, Segments},
    utils::{find::find, text},
};

/// How many characters of a text are put into the page at once. More would freeze it, and nobody reads that far.
const CHUNK: usize = 100_000;
/// How many rows of sixteen bytes are shown at once.
const ROWS: usize = 256;

/// The properties of [`BodyView`].
#[derive(Properties, PartialEq)]
pub struct BodyViewProps {
    /// The body.
    pub body: Rc<Body>,
}

/// The body in the way that suits it, and the other ways to choose from.
#[component]
pub fn BodyView(props: &BodyViewProps) -> Html {
    let body = &props.body;
    let document = use_memo(props.body.clone(), |body| body.json.clone().map(Rc::new));
    let mut ways: Vec<(AttrValue, AttrValue)> = Vec::new();
    if body.json.is_some() {
        ways.push(("tree".into(), "Tree".into()));
    }
    if body.text.is_some() {
        ways.push(("text".into(), "Text".into()));
    }
    if body.hex.is_some() || body.text.as_ref().is_some_and(|text| !text.is_empty()) {
        ways.push(("hex".into(), "Hex".into()));
    }
    let chosen = use_state_eq(|| None::<AttrValue>);
    let wanted = use_state_eq(String::new);
    let present = |way: &AttrValue| ways.iter().any(|(known, _)| known == way);
    let way = (*chosen).clone().filter(present).or_else(|| ways.first().map(|(way, _)| way.clone()));
    let Some(way) = way else {
        let words = if body.bytes == 0 { "The answer has no body." } else { "Nothing of the body could be kept." };
        return html! { <p class="muted" data-test="no-body">{ words }</p> };
    };
    let on_change = {
        let chosen = chosen.clone();
        Callback::from(move |way| chosen.set(Some(way)))
    };
    let on_input = {
        let wanted = wanted.clone();
        Callback::from(move |text| wanted.set(text))
    };
    html! {
        <div class="body-view">
            <div class="row body-bar">
                <Segments label="How to show the body" options={ways.clone()} value={way.clone()} {on_change} test="body-as" />
                if way == "tree" {
                    <Input kind="search" label="Find in the body" placeholder="Find a name or a value" value={(*wanted).clone()}
                        {on_input} test="body-find" />
                }
                <span class="muted">{ &body.media_type }</span>
                if let Some(text) = &body.text { <CopyButton text={text.clone()} label="Copy the body" test="copy-body" /> }
            </div>
            if body.truncated {
                <p class="note" data-test="body-truncated">
                    { format!("Only the first {} came or were kept.", text::bytes(body.bytes)) }
                </p>
            }
            <div class="body-frame" tabindex="0" role="group" aria-label="Body" data-test="body">
                { match (way.as_str(), &*document, &body.text, &body.hex) {
                    ("tree", Some(document), ..) if wanted.trim().is_empty() => html! { <JsonTree value={document.clone()} /> },
                    ("tree", Some(document), ..) => html! { <Finds document={document.clone()} wanted={(*wanted).clone()} /> },
                    ("text", _, Some(text), _) => html! { <LongText text={text.clone()} /> },
                    ("hex", _, _, Some(hex)) => html! { <Bytes bytes={Rc::new(unhex(hex))} whole={!body.truncated} /> },
                    ("hex", _, Some(text), _) => html! { <Bytes bytes={Rc::new(text.as_bytes().to_vec())} whole={!body.truncated} /> },
                    _ => Html::default(),
                } }
            </div>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct FindsProps {
    document: Rc<serde_json::Value>,
    wanted: String,
}

/// What a document holds of a text.
#[component]
fn Finds(props: &FindsProps) -> Html {
    let found = use_memo((props.document.clone(), props.wanted.clone()), |(document, wanted)| find(document, wanted));
    if found.places.is_empty() {
        return html! { <p class="muted" data-test="finds-none">{ format!("Nothing in the body contains “{}”.", props.wanted) }</p> };
    }
    let more = if found.more { " at least" } else { "" };
    html! {
        <div data-test="finds">
            <p class="muted">{ format!("{}{more}", text::counted(found.places.len() as u64, "place")) }</p>
            <dl class="finds code">
                { for found.places.iter().map(|(pointer, value)| html! {
                    <div><dt>{ if pointer.is_empty() { "(whole)" } else { pointer } }</dt><dd>{ value }</dd></div>
                }) }
            </dl>
        </div>
    }
}

/// The properties of [`LongText`].
#[derive(Properties, PartialEq)]
pub struct LongTextProps {
    /// The text.
    pub text: AttrValue,
}

/// A text as it is; a long one piece by piece.
#[component]
pub fn LongText(props: &LongTextProps) -> Html {
    let shown = use_state_eq(|| CHUNK);
    let end = boundary(&props.text, *shown);
    let rest = props.text.len() - end;
    let onclick = Callback::from(move |_: MouseEvent| shown.set(*shown + CHUNK));
    html! {
        <>
            <pre class="code raw" data-test="raw-text">{ props.text[..end].to_owned() }</pre>
            if rest > 0 {
                <button type="button" class="link" data-test="show-more" {onclick}>
                    { format!("Show more ({} left)", text::bytes(rest as u64)) }
                </button>
            }
        </>
    }
}

/// The last place at or before `at` where a text can be cut.
fn boundary(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The bytes that hexadecimal digits stand for; whatever is no digit is left out.
fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

#[derive(Properties, PartialEq)]
struct BytesProps {
    bytes: Rc<Vec<u8>>,
    whole: bool,
}

/// Bytes in rows of sixteen: the offset, the bytes, and what of them is ASCII.
#[component]
fn Bytes(props: &BytesProps) -> Html {
    let shown = use_state_eq(|| ROWS);
    let mut out = String::new();
    for (row, bytes) in props.bytes.chunks(16).take(*shown).enumerate() {
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let plain = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '·' };
        let ascii: String = bytes.iter().map(plain).collect();
        out.push_str(&format!("{:08x}  {:<48} {ascii}\n", row * 16, hex.join(" ")));
    }
    let rest = props.bytes.len().saturating_sub(*shown * 16);
    let onclick = Callback::from(move |_: MouseEvent| shown.set(*shown * 4));
    html! {
        <>
            <pre class="code raw" data-test="hex">{ out }</pre>
            if rest > 0 {
                <button type="button" class="link" data-test="show-more" {onclick}>
                    { format!("Show more ({} left)", text::bytes(rest as u64)) }
                </button>
            } else if !props.whole {
                <p class="muted">{ "The rest was not kept." }</p>
            }
        </>
    }
}

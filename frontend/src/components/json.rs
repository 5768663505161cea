//! JSON that can be folded. What came from outside only ever becomes text here, never markup.

use std::rc::Rc;

use serde_json::Value;
use yew::prelude::*;

use super::{Glyph, Icon};
use crate::utils::text;

/// How many members of one list or object are shown before the rest is asked for.
const CHUNK: usize = 100;
/// How many characters of one text are shown before the rest is asked for.
const LONG: usize = 400;

/// The properties of [`JsonTree`].
#[derive(Properties, PartialEq)]
pub struct JsonTreeProps {
    /// The document.
    pub value: Rc<Value>,
    /// How many levels are unfolded at first.
    #[prop_or(2)]
    pub unfolded: usize,
    /// The name by which tests find it.
    #[prop_or("json".into())]
    pub test: AttrValue,
}

/// A JSON document whose lists and objects can be folded. Only what is unfolded is drawn.
#[component]
pub fn JsonTree(props: &JsonTreeProps) -> Html {
    html! {
        <div class="json code" data-test={props.test.clone()}>
            <Member label={None::<AttrValue>} value={Shared::root(&props.value)} unfolded={props.unfolded} last=true />
        </div>
    }
}

/// A place in a document that several components look into.
#[derive(Debug, Clone)]
struct Shared {
    root: Rc<Value>,
    pointer: Rc<[usize]>,
}

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        self.pointer == other.pointer && (Rc::ptr_eq(&self.root, &other.root) || self.root == other.root)
    }
}

impl Shared {
    fn root(value: &Rc<Value>) -> Self {
        Self { root: value.clone(), pointer: Rc::from([]) }
    }

    fn value(&self) -> &Value {
        self.pointer.iter().fold(&*self.root, |value, at| match value {
            Value::Array(list) => list.get(*at).unwrap_or(&Value::Null),
            Value::Object(members) => members.values().nth(*at).unwrap_or(&Value::Null),
            _ => &Value::Null,
        })
    }

    fn child(&self, at: usize) -> Self {
        Self { root: self.root.clone(), pointer: self.pointer.iter().copied().chain([at]).collect() }
    }
}

#[derive(Properties, PartialEq)]
struct MemberProps {
    label: Option<AttrValue>,
    value: Shared,
    unfolded: usize,
    last: bool,
}

/// One member, with what is under it.
#[component]
fn Member(props: &MemberProps) -> Html {
    let open = use_state(|| props.unfolded > 0);
    let shown = use_state(|| CHUNK);
    let value = props.value.value();
    let label = props.label.as_ref().map(|label| html! { <><span class="json-key">{ label.clone() }</span>{ ": " }</> });
    let comma = if props.last { "" } else { "," };
    let (brackets, size) = match value {
        Value::Array(list) => (("[", "]"), list.len()),
        Value::Object(members) => (("{", "}"), members.len()),
        other => return html! { <div class="json-row">{ label }<Leaf value={other.clone()} />{ comma }</div> },
    };
    if size == 0 {
        return html! { <div class="json-row">{ label }{ brackets.0 }{ brackets.1 }{ comma }</div> };
    }
    let toggle = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(!*open))
    };
    let summary = match value {
        Value::Array(_) => text::counted(size as u64, "item"),
        _ => text::counted(size as u64, "member"),
    };
    let names: Vec<AttrValue> = match value {
        Value::Object(members) => members.keys().take(*shown).map(|key| quoted(key).into()).collect(),
        _ => Vec::new(),
    };
    html! {
        <div class="json-group">
            <div class="json-row">
                <button type="button" class="json-fold" aria-expanded={if *open { "true" } else { "false" }} onclick={toggle}
                    aria-label={format!("{}{summary}", props.label.as_ref().map(|l| format!("{l}, ")).unwrap_or_default())}>
                    <Icon glyph={Glyph::Chevron} />
                </button>
                { label }{ brackets.0 }
                if !*open { <span class="muted">{ format!(" {summary} ") }</span>{ brackets.1 }{ comma } }
            </div>
            if *open {
                <div class="json-inner">
                    { for (0..size.min(*shown)).map(|at| html! {
                        <Member key={at} label={names.get(at).cloned()} value={props.value.child(at)}
                            unfolded={props.unfolded.saturating_sub(1)} last={at + 1 == size} />
                    }) }
                    if size > *shown {
                        <button type="button" class="link" onclick={
                            let shown = shown.clone();
                            Callback::from(move |_: MouseEvent| shown.set(*shown + CHUNK))
                        }>{ format!("Show {} more of {}", CHUNK.min(size - *shown), size - *shown) }</button>
                    }
                </div>
                <div class="json-row">{ brackets.1 }{ comma }</div>
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct LeafProps {
    value: Value,
}

/// A text, a number, true, false or null.
#[component]
fn Leaf(props: &LeafProps) -> Html {
    let whole = use_state(|| false);
    let class = match &props.value {
        Value::String(_) => "json-text",
        Value::Number(_) => "json-number",
        _ => "json-word",
    };
    let text = match &props.value {
        Value::String(text) => quoted(text),
        other => other.to_string(),
    };
    if *whole || text.chars().count() <= LONG {
        return html! { <span {class}>{ text }</span> };
    }
    let onclick = Callback::from(move |_: MouseEvent| whole.set(true));
    html! {
        <>
            <span {class}>{ text.chars().take(LONG).collect::<String>() }{ "…" }</span>
            <button type="button" class="link" {onclick}>{ "Show the whole text" }</button>
        </>
    }
}

/// A text as JSON writes it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

//! An editor for the text of a definition: line numbers, marks where something is wrong, and colours that tell keys,
//! comments and references apart.

use patchbay_contracts::Problem;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

use super::field::value_of;
use crate::utils::yaml::{self, Part};

/// The properties of [`CodeEditor`].
#[derive(Properties, PartialEq)]
pub struct CodeEditorProps {
    /// The text.
    pub value: AttrValue,
    /// Told of each change.
    pub on_input: Callback<String>,
    /// What it is the text of.
    pub label: AttrValue,
    /// What is wrong with it; those with a place are marked on their lines.
    #[prop_or_default]
    pub problems: Vec<Problem>,
    /// Line and column to go to. Each new value moves the cursor there; the number tells equal ones apart.
    #[prop_or_default]
    pub jump: Option<(u32, u32, u32)>,
    /// Whether it can't be changed.
    #[prop_or_default]
    pub read_only: bool,
    /// The name by which tests find it.
    #[prop_or("editor".into())]
    pub test: AttrValue,
}

/// A text area over a coloured copy of its text.
#[component]
pub fn CodeEditor(props: &CodeEditorProps) -> Html {
    let area = use_node_ref();
    {
        let area = area.clone();
        let value = props.value.clone();
        use_effect_with(props.jump, move |jump| {
            if let (Some((line, column, _)), Some(area)) = (jump, area.cast::<HtmlTextAreaElement>()) {
                let at = yaml::offset(&value, *line, *column);
                let _ = area.focus();
                let _ = area.set_selection_range(at, at);
            }
        });
    }
    let marked = |line: usize| {
        let here = |problem: &&Problem| problem.place.as_ref().is_some_and(|place| place.line as usize == line);
        props.problems.iter().find(here).map(|problem| problem.what.clone())
    };
    let lines = yaml::parts(&props.value);
    let oninput = props.on_input.reform(|event: InputEvent| value_of(&event));
    html! {
        <div class="editor code">
            <div class="editor-numbers" aria-hidden="true">
                { for (1..=lines.len()).map(|line| match marked(line) {
                    Some(what) => html! { <div class="bad" title={what}>{ line }</div> },
                    None => html! { <div>{ line }</div> },
                }) }
            </div>
            <div class="editor-text">
                <pre class="editor-colours" aria-hidden="true">
                    { for lines.iter().enumerate().map(|(at, parts)| html! {
                        <div class={marked(at + 1).map(|_| "bad")}>
                            { for parts.iter().map(|(part, text)| html! { <span class={class(*part)}>{ *text }</span> }) }
                            { "\n" }
                        </div>
                    }) }
                </pre>
                <textarea ref={area} class="editor-area" value={props.value.clone()} {oninput} onkeydown={keep_indentation()}
                    aria-label={props.label.clone()} aria-invalid={(!props.problems.is_empty()).then_some("true")}
                    readonly={props.read_only} spellcheck="false" autocomplete="off" autocapitalize="off" wrap="off"
                    data-test={props.test.clone()} />
            </div>
        </div>
    }
}

const fn class(part: Part) -> Option<&'static str> {
    match part {
        Part::Plain => None,
        Part::Comment => Some("yaml-comment"),
        Part::Key => Some("yaml-key"),
        Part::Reference => Some("yaml-reference"),
    }
}

/// Begins a new line under the first letter of the last one. The browser's own command is used, since with any other
/// way of changing the text its undo is lost.
fn keep_indentation() -> Callback<KeyboardEvent> {
    Callback::from(|event: KeyboardEvent| {
        if event.key() != "Enter" || event.ctrl_key() || event.meta_key() || event.alt_key() || event.is_composing() {
            return;
        }
        let Some(area) = event.target().and_then(|target| target.dyn_into::<HtmlTextAreaElement>().ok()) else { return };
        let Ok(Some(cursor)) = area.selection_start() else { return };
        let indentation = yaml::indentation(&area.value(), cursor);
        if !indentation.is_empty() && insert(&format!("\n{indentation}")) {
            event.prevent_default();
        }
    })
}

fn insert(text: &str) -> bool {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return false };
    let command = js_sys::Reflect::get(&document, &"execCommand".into()).ok();
    let Some(command) = command.and_then(|command| command.dyn_into::<js_sys::Function>().ok()) else { return false };
    let done = command.call3(&document, &"insertText".into(), &JsValue::FALSE, &text.into());
    done.is_ok_and(|done| done.is_truthy())
}

//! What a person types, picks and switches.

use wasm_bindgen::JsCast;
use yew::prelude::*;

/// The properties of [`Field`].
#[derive(Properties, PartialEq)]
pub struct FieldProps {
    /// What it is for.
    pub label: AttrValue,
    /// How to fill it in.
    #[prop_or_default]
    pub hint: AttrValue,
    /// What is wrong with what is in it.
    #[prop_or_default]
    pub error: Option<AttrValue>,
    /// A class over its own.
    #[prop_or_default]
    pub class: Classes,
    /// The control.
    pub children: Html,
}

/// A control with its label, a hint, and what is wrong.
#[component]
pub fn Field(props: &FieldProps) -> Html {
    html! {
        <label class={classes!("field", props.class.clone())}>
            <span class="field-label">{ props.label.clone() }</span>
            { props.children.clone() }
            if let Some(error) = &props.error {
                <span class="field-error" role="alert">{ error.clone() }</span>
            } else if !props.hint.is_empty() {
                <span class="field-hint">{ props.hint.clone() }</span>
            }
        </label>
    }
}

/// The properties of [`Input`].
#[derive(Properties, PartialEq)]
pub struct InputProps {
    /// What is in it.
    pub value: AttrValue,
    /// Told of each change.
    pub on_input: Callback<String>,
    /// `text`, `password`, `number`, `search`.
    #[prop_or("text".into())]
    pub kind: AttrValue,
    /// An example of what goes in.
    #[prop_or_default]
    pub placeholder: AttrValue,
    /// What it is for, where no [`Field`] says so.
    #[prop_or_default]
    pub label: Option<AttrValue>,
    /// Whether what is in it is wrong.
    #[prop_or_default]
    pub invalid: bool,
    /// Whether it can't be used now.
    #[prop_or_default]
    pub disabled: bool,
    /// Whether it's set in the font of code.
    #[prop_or_default]
    pub code: bool,
    /// Whether it gets the focus when it first appears.
    #[prop_or_default]
    pub autofocus: bool,
    /// Whether the key `/` leads here.
    #[prop_or_default]
    pub filter: bool,
    /// The name by which tests find it.
    #[prop_or_default]
    pub test: Option<AttrValue>,
    /// Told of each key.
    #[prop_or_default]
    pub onkeydown: Callback<KeyboardEvent>,
}

/// One line of text. Nothing is completed, corrected or spell-checked in it.
#[component]
pub fn Input(props: &InputProps) -> Html {
    let node = use_node_ref();
    {
        let node = node.clone();
        use_effect_with(props.autofocus, move |autofocus| {
            if *autofocus {
                crate::utils::dom::focus(&node);
            }
        });
    }
    let oninput = props.on_input.reform(|event: InputEvent| value_of(&event));
    html! {
        <input ref={node} type={props.kind.clone()} class={classes!("input", props.code.then_some("code"))}
            value={props.value.clone()} {oninput} onkeydown={props.onkeydown.clone()} placeholder={props.placeholder.clone()}
            aria-label={props.label.clone()} aria-invalid={props.invalid.then_some("true")} disabled={props.disabled}
            autocomplete="off" autocapitalize="off" spellcheck="false" data-filter={props.filter.then_some("")}
            data-test={props.test.clone()} />
    }
}

/// The text in the control that an event came from.
pub fn value_of(event: &InputEvent) -> String {
    let Some(target) = event.target() else { return String::new() };
    match target.dyn_into::<web_sys::HtmlInputElement>() {
        Ok(input) => input.value(),
        Err(target) => target.dyn_into::<web_sys::HtmlTextAreaElement>().map(|area| area.value()).unwrap_or_default(),
    }
}

/// The properties of [`Select`].
#[derive(Properties, PartialEq)]
pub struct SelectProps {
    /// The choices: a value, and what is shown for it.
    pub options: Vec<(AttrValue, AttrValue)>,
    /// The value that is chosen.
    pub value: AttrValue,
    /// Told of a choice.
    pub on_change: Callback<String>,
    /// What it is for, where no [`Field`] says so.
    #[prop_or_default]
    pub label: Option<AttrValue>,
    /// Whether it can't be used now.
    #[prop_or_default]
    pub disabled: bool,
    /// The name by which tests find it.
    #[prop_or_default]
    pub test: Option<AttrValue>,
}

/// One of a few.
#[component]
pub fn Select(props: &SelectProps) -> Html {
    let node = use_node_ref();
    {
        let (node, value) = (node.clone(), props.value.clone());
        use_effect(move || set_choice(&node, &value));
    }
    let onchange = {
        let (node, value, on_change) = (node.clone(), props.value.clone(), props.on_change.clone());
        Callback::from(move |_: Event| {
            let Some(select) = node.cast::<web_sys::HtmlSelectElement>() else { return };
            let picked = select.value();
            // It shows the choice once that counts; one that is refused was never shown.
            set_choice(&node, &value);
            on_change.emit(picked);
        })
    };
    html! {
        <select ref={node} class="select" {onchange} aria-label={props.label.clone()} disabled={props.disabled}
            title={props.label.clone()} data-test={props.test.clone()}>
            { for props.options.iter().map(|(value, shown)| html! {
                <option value={value.clone()} selected={*value == props.value}>{ shown.clone() }</option>
            }) }
        </select>
    }
}

fn set_choice(node: &NodeRef, value: &AttrValue) {
    if let Some(select) = node.cast::<web_sys::HtmlSelectElement>() {
        select.set_value(value);
    }
}

/// The properties of [`Toggle`].
#[derive(Properties, PartialEq)]
pub struct ToggleProps {
    /// What it switches.
    pub label: AttrValue,
    /// What that means.
    #[prop_or_default]
    pub hint: AttrValue,
    /// Whether it's on.
    pub on: bool,
    /// Told of a switch.
    pub on_change: Callback<bool>,
    /// Whether it can't be used now.
    #[prop_or_default]
    pub disabled: bool,
    /// The name by which tests find it.
    #[prop_or_default]
    pub test: Option<AttrValue>,
}

/// On or off, at once.
#[component]
pub fn Toggle(props: &ToggleProps) -> Html {
    let onclick = {
        let (on_change, on) = (props.on_change.clone(), props.on);
        Callback::from(move |_: MouseEvent| on_change.emit(!on))
    };
    html! {
        <button type="button" role="switch" class="toggle" aria-checked={if props.on { "true" } else { "false" }} {onclick}
            disabled={props.disabled} data-test={props.test.clone()}>
            <span class="toggle-track"><span class="toggle-thumb" /></span>
            <span class="toggle-words">
                <span>{ props.label.clone() }</span>
                if !props.hint.is_empty() { <span class="field-hint">{ props.hint.clone() }</span> }
            </span>
        </button>
    }
}

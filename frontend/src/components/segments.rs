//! One of a few, all in sight.

use yew::prelude::*;

use crate::utils::dom;

/// The properties of [`Segments`].
#[derive(Properties, PartialEq)]
pub struct SegmentsProps {
    /// What is chosen.
    pub label: AttrValue,
    /// The choices: a value, and what is shown for it.
    pub options: Vec<(AttrValue, AttrValue)>,
    /// The value that is chosen.
    pub value: AttrValue,
    /// Told of a choice.
    pub on_change: Callback<AttrValue>,
    /// Whether the choices are parts of what stands below, and are shown as tabs.
    #[prop_or_default]
    pub tabs: bool,
    /// The name by which tests find it; each choice is found by it, a hyphen and the value.
    pub test: AttrValue,
}

/// Choices in a row. One stop for the tab key; the arrow keys choose.
#[component]
pub fn Segments(props: &SegmentsProps) -> Html {
    let current = props.options.iter().position(|(value, _)| *value == props.value);
    let onkeydown = {
        let (options, on_change, test) = (props.options.clone(), props.on_change.clone(), props.test.clone());
        Callback::from(move |event: KeyboardEvent| {
            if event.alt_key() || event.ctrl_key() || event.meta_key() {
                return;
            }
            let last = options.len().saturating_sub(1);
            let at = current.unwrap_or(0);
            let next = match event.key().as_str() {
                "ArrowRight" | "ArrowDown" => (at + 1).min(last),
                "ArrowLeft" | "ArrowUp" => at.saturating_sub(1),
                "Home" => 0,
                "End" => last,
                _ => return,
            };
            event.prevent_default();
            if let Some((value, _)) = options.get(next) {
                on_change.emit(value.clone());
                dom::focus_first(&format!("[data-test=\"{test}-{value}\"]"));
            }
        })
    };
    let (group, item) = if props.tabs { ("tablist", "tab") } else { ("radiogroup", "radio") };
    html! {
        <div class={if props.tabs { "subtabs" } else { "segments" }} role={group} aria-label={props.label.clone()}
            data-test={props.test.clone()} {onkeydown}>
            { for props.options.iter().enumerate().map(|(at, (value, shown))| {
                let chosen = current == Some(at);
                let said = if chosen { "true" } else { "false" };
                let (on_change, own) = (props.on_change.clone(), value.clone());
                html! {
                    <button type="button" role={item} class={classes!("segment", chosen.then_some("chosen"))}
                        aria-selected={props.tabs.then_some(said)} aria-checked={(!props.tabs).then_some(said)}
                        tabindex={if chosen || (current.is_none() && at == 0) { "0" } else { "-1" }}
                        data-test={format!("{}-{value}", props.test)}
                        onclick={Callback::from(move |_: MouseEvent| on_change.emit(own.clone()))}>{ shown.clone() }</button>
                }
            }) }
        </div>
    }
}

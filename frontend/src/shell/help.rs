//! The list of keys.

use web_sys::HtmlDialogElement;
use yew::prelude::*;

use crate::{
    components::{Button, Glyph, Kind},
    hooks::{use_escape, use_focus_return},
    keys::SECTIONS,
};

/// The properties of [`KeyHelp`].
#[derive(Properties, PartialEq)]
pub struct KeyHelpProps {
    /// Told when it's to close.
    pub on_close: Callback<()>,
}

const KEYS: [(&str, &str); 11] = [
    ("Ctrl K", "Search, and every command"),
    ("?", "These keys"),
    ("Esc", "Close, leave a field, or go one level up"),
    ("Alt ←", "Where you were before"),
    ("a", "Add an integration"),
    ("/", "Into the filter of the page"),
    ("← →", "Between the pages of an integration, from its tabs"),
    ("Ctrl Enter", "Send, save or start what the page is about"),
    ("← ↑ ↓ →", "Between the cells of a contract run; Home and End to the ends of a row"),
    ("Enter", "Open a cell of a contract run: what was expected and what came"),
    ("Tab", "To the next control; Shift Tab to the one before"),
];

/// All keys of the window.
#[component]
pub fn KeyHelp(props: &KeyHelpProps) -> Html {
    use_focus_return();
    use_escape(props.on_close.clone());
    let dialog = use_modal();
    html! {
        <dialog class="dialog" ref={dialog} aria-label="Keys" data-test="keys">
            <header class="panel-head">
                <h2 class="grow">{ "Keys" }</h2>
                <Button kind={Kind::Quiet} glyph={Glyph::Close} label="Close (Esc)" test="keys-close"
                    onclick={props.on_close.reform(|_: MouseEvent| ())} />
            </header>
            <div class="keys">
                <dl>{ for KEYS.iter().map(|(keys, what)| html! { <><dt>{ strokes(keys) }</dt><dd>{ *what }</dd></> }) }</dl>
                <dl>
                    { for SECTIONS.iter().enumerate().map(|(at, (route, letter))| html! {
                        <><dt>{ strokes(&format!("g {letter}")) }{ " or " }{ strokes(&format!("Alt {}", at + 1)) }</dt>
                        <dd>{ route.title() }</dd></>
                    }) }
                </dl>
            </div>
        </dialog>
    }
}

fn strokes(keys: &str) -> Html {
    keys.split(' ').map(|key| html! { <kbd>{ key.to_owned() }</kbd> }).collect()
}

/// Opens a `<dialog>` over the page as soon as it's there; the browser keeps the focus inside.
#[hook]
pub fn use_modal() -> NodeRef {
    let node = use_node_ref();
    {
        let node = node.clone();
        use_effect_with((), move |()| {
            if let Some(dialog) = node.cast::<HtmlDialogElement>() {
                // It can only fail where the dialog is open already.
                let _ = dialog.show_modal();
            }
        });
    }
    node
}

//! Words that need care: times, long names, what can be copied.

use gloo_timers::callback::Timeout;
use patchbay_contracts::Timestamp;
use yew::prelude::*;

use super::{Button, Glyph, Kind};
use crate::{
    hooks::use_now,
    utils::{clock, dom, text},
};

/// The properties of [`Time`].
#[derive(Properties, PartialEq)]
pub struct TimeProps {
    /// The time.
    pub at: Timestamp,
    /// The name by which tests find it.
    #[prop_or_default]
    pub test: Option<AttrValue>,
}

/// How long ago, with the exact time on hover.
#[component]
pub fn Time(props: &TimeProps) -> Html {
    let now = use_now();
    let exact = text::exact(props.at, clock::offset_minutes(props.at));
    html! { <time class="time" title={exact} data-test={props.test.clone()}>{ text::ago(props.at, now) }</time> }
}

/// The properties of [`MiddleCut`].
#[derive(Properties, PartialEq)]
pub struct MiddleCutProps {
    /// The text.
    pub text: AttrValue,
    /// The most characters that are shown.
    #[prop_or(40)]
    pub limit: usize,
}

/// A text that is cut in the middle where it is long, and whole on hover and for screen readers.
#[component]
pub fn MiddleCut(props: &MiddleCutProps) -> Html {
    let cut = text::middle_cut(&props.text, props.limit);
    if cut == *props.text {
        return html! { <span class="name">{ cut }</span> };
    }
    html! {
        <span class="name" title={props.text.clone()}>
            <span aria-hidden="true">{ cut }</span>
            <span class="for-reader">{ props.text.clone() }</span>
        </span>
    }
}

/// The properties of [`CopyButton`].
#[derive(Properties, PartialEq)]
pub struct CopyButtonProps {
    /// What is copied.
    pub text: AttrValue,
    /// What it is, for the label: `Copy the address`.
    #[prop_or("Copy".into())]
    pub label: AttrValue,
    /// The name by which tests find it.
    #[prop_or("copy".into())]
    pub test: AttrValue,
}

/// Puts a text into the clipboard, and says so for a moment.
#[component]
pub fn CopyButton(props: &CopyButtonProps) -> Html {
    let copied = use_state(|| false);
    {
        let back = copied.setter();
        use_effect_with(*copied, move |copied| {
            let timeout = copied.then(|| Timeout::new(1_500, move || back.set(false)));
            move || drop(timeout)
        });
    }
    let onclick = {
        let (text, copied) = (props.text.clone(), copied.setter());
        Callback::from(move |_| {
            dom::copy(&text);
            copied.set(true);
        })
    };
    html! {
        <Button kind={Kind::Quiet} glyph={if *copied { Glyph::Healthy } else { Glyph::Copy }} test={props.test.clone()}
            label={if *copied { "Copied".into() } else { props.label.clone() }} {onclick} />
    }
}

//! Buttons, and links that look like them.

use yew::prelude::*;

use super::{Glyph, Icon};
use crate::route::Route;

/// How much a button asks for attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// The one thing that most people want here; at most one in sight.
    Primary,
    /// Anything else.
    #[default]
    Normal,
    /// In a row of a table or a toolbar, without a border.
    Quiet,
}

impl Kind {
    const fn class(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Normal => "normal",
            Self::Quiet => "quiet",
        }
    }
}

/// The properties of [`Button`].
#[derive(Properties, PartialEq)]
pub struct ButtonProps {
    /// How much it asks for attention.
    #[prop_or_default]
    pub kind: Kind,
    /// A picture before the words.
    #[prop_or_default]
    pub glyph: Option<Glyph>,
    /// What it does, for a button without words; also shown on hover.
    #[prop_or_default]
    pub label: Option<AttrValue>,
    /// The name by which tests find it.
    #[prop_or_default]
    pub test: Option<AttrValue>,
    /// Whether it can't be used now.
    #[prop_or_default]
    pub disabled: bool,
    /// Whether what it started is under way.
    #[prop_or_default]
    pub busy: bool,
    /// Whether it sends the form around it.
    #[prop_or_default]
    pub submit: bool,
    /// What it does.
    #[prop_or_default]
    pub onclick: Callback<MouseEvent>,
    /// The words.
    #[prop_or_default]
    pub children: Html,
}

/// A button.
#[component]
pub fn Button(props: &ButtonProps) -> Html {
    let wordless = props.children == Html::default();
    html! {
        <button
            type={if props.submit { "submit" } else { "button" }}
            class={classes!("button", props.kind.class(), wordless.then_some("wordless"), props.busy.then_some("busy"))}
            disabled={props.disabled || props.busy}
            aria-busy={props.busy.then_some("true")}
            aria-label={props.label.clone()}
            title={props.label.clone()}
            data-test={props.test.clone()}
            onclick={props.onclick.clone()}
        >
            if let Some(glyph) = props.glyph { <Icon {glyph} /> }
            if !wordless { <span>{ props.children.clone() }</span> }
        </button>
    }
}

/// The properties of [`LinkButton`].
#[derive(Properties, PartialEq)]
pub struct LinkButtonProps {
    /// Where it leads.
    pub to: Route,
    /// How much it asks for attention.
    #[prop_or_default]
    pub kind: Kind,
    /// A picture before the words.
    #[prop_or_default]
    pub glyph: Option<Glyph>,
    /// The name by which tests find it.
    #[prop_or_default]
    pub test: Option<AttrValue>,
    /// The words.
    pub children: Html,
}

/// A link to another place, as a button.
#[component]
pub fn LinkButton(props: &LinkButtonProps) -> Html {
    html! {
        <a href={props.to.href()} class={classes!("button", props.kind.class())} data-test={props.test.clone()}>
            if let Some(glyph) = props.glyph { <Icon {glyph} /> }
            <span>{ props.children.clone() }</span>
        </a>
    }
}

//! What stands where there is nothing yet, and the frame around what there is.

use yew::prelude::*;

use super::{Glyph, Icon};

/// The properties of [`EmptyState`].
#[derive(Properties, PartialEq)]
pub struct EmptyStateProps {
    /// A picture.
    #[prop_or(Glyph::Info)]
    pub glyph: Glyph,
    /// What there isn't.
    pub title: AttrValue,
    /// Why, and what to do about it.
    #[prop_or_default]
    pub hint: AttrValue,
    /// The name by which tests find it.
    #[prop_or("empty".into())]
    pub test: AttrValue,
    /// What does something about it.
    #[prop_or_default]
    pub children: Html,
}

/// Nothing here, why, and what to do.
#[component]
pub fn EmptyState(props: &EmptyStateProps) -> Html {
    html! {
        <div class="empty" data-test={props.test.clone()}>
            <Icon glyph={props.glyph} />
            <p class="empty-title">{ props.title.clone() }</p>
            if !props.hint.is_empty() { <p class="muted">{ props.hint.clone() }</p> }
            if props.children != Html::default() { <div class="row">{ props.children.clone() }</div> }
        </div>
    }
}

/// The properties of [`Loading`].
#[derive(Properties, PartialEq)]
pub struct LoadingProps {
    /// What is awaited: `the runs`.
    pub what: AttrValue,
}

/// Something is on its way. Shown only after a moment, so that what comes at once doesn't flicker.
#[component]
pub fn Loading(props: &LoadingProps) -> Html {
    html! { <p class="loading muted" role="status">{ format!("Reading {}…", props.what) }</p> }
}

/// The properties of [`Panel`].
#[derive(Properties, PartialEq)]
pub struct PanelProps {
    /// What it holds.
    pub title: AttrValue,
    /// What stands at the end of the title's line.
    #[prop_or_default]
    pub aside: Html,
    /// A class over its own.
    #[prop_or_default]
    pub class: Classes,
    /// The name by which tests find it.
    #[prop_or_default]
    pub test: Option<AttrValue>,
    /// The content.
    #[prop_or_default]
    pub children: Html,
}

/// A part of a page under its title.
#[component]
pub fn Panel(props: &PanelProps) -> Html {
    html! {
        <section class={classes!("panel", props.class.clone())} aria-label={props.title.clone()} data-test={props.test.clone()}>
            <header class="panel-head">
                <h2>{ props.title.clone() }</h2>
                <div class="row end">{ props.aside.clone() }</div>
            </header>
            { props.children.clone() }
        </section>
    }
}

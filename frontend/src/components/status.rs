//! Status and verdict: an icon, a word and a colour.

use patchbay_contracts::{health::Status, run::Verdict};
use yew::prelude::*;

use super::{Glyph, Icon};

/// The properties of [`StatusBadge`].
#[derive(Properties, PartialEq)]
pub struct StatusBadgeProps {
    /// The status.
    pub status: Status,
    /// The name by which tests find it.
    #[prop_or("status".into())]
    pub test: AttrValue,
}

/// How an integration does.
#[component]
pub fn StatusBadge(props: &StatusBadgeProps) -> Html {
    let glyph = match props.status {
        Status::Healthy => Glyph::Healthy,
        Status::Degraded => Glyph::Degraded,
        Status::Down => Glyph::Down,
        Status::Unobserved => Glyph::Unobserved,
    };
    let word = props.status.as_str();
    html! {
        <span class={classes!("badge", word)} data-test={props.test.clone()} data-status={word}>
            <Icon {glyph} />
            <span>{ word }</span>
        </span>
    }
}

/// The properties of [`VerdictBadge`].
#[derive(Properties, PartialEq)]
pub struct VerdictBadgeProps {
    /// The verdict.
    pub verdict: Verdict,
    /// Whether the run was cancelled half-way.
    #[prop_or_default]
    pub partial: bool,
    /// The name by which tests find it.
    #[prop_or("verdict".into())]
    pub test: AttrValue,
}

/// How a run came out.
#[component]
pub fn VerdictBadge(props: &VerdictBadgeProps) -> Html {
    let (glyph, class) = match props.verdict {
        Verdict::Pass => (Glyph::Healthy, "healthy"),
        Verdict::Fail => (Glyph::Down, "down"),
        Verdict::Inconclusive => (Glyph::Inconclusive, "degraded"),
    };
    let word = props.verdict.as_str();
    html! {
        <span class={classes!("badge", class)} data-test={props.test.clone()} data-verdict={word}>
            <Icon {glyph} />
            <span>{ word }</span>
            if props.partial { <span class="muted" data-test="partial">{ "partial" }</span> }
        </span>
    }
}

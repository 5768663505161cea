//! The load page of an integration.

use yew::prelude::*;

use super::TabProps;
use crate::components::Panel;

/// The load page.
#[component]
pub fn LoadTab(props: &TabProps) -> Html {
    html! { <Panel title={props.detail.summary.name.clone()} /> }
}

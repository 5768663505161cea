//! The metrics page of an integration.

use yew::prelude::*;

use super::TabProps;
use crate::components::Panel;

/// The metrics page.
#[component]
pub fn MetricsTab(props: &TabProps) -> Html {
    html! { <Panel title={props.detail.summary.name.clone()} /> }
}

//! The contract page of an integration.

use yew::prelude::*;

use super::TabProps;
use crate::components::Panel;

/// The contract page.
#[component]
pub fn ContractTab(props: &TabProps) -> Html {
    html! { <Panel title={props.detail.summary.name.clone()} /> }
}

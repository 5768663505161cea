//! The probe page of an integration.

use yew::prelude::*;

use super::TabProps;
use crate::components::Panel;

/// The probe page.
#[component]
pub fn ProbeTab(props: &TabProps) -> Html {
    html! { <Panel title={props.detail.summary.name.clone()} /> }
}

/// A probe of any address.
#[component]
pub fn AdHocProbe() -> Html {
    html! { <Panel title="Probe" /> }
}

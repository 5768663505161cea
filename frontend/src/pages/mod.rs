//! The pages.

pub mod integration;

use yew::prelude::*;

use crate::{
    components::{EmptyState, LinkButton},
    hooks::use_route,
    route::Route,
};

/// The page of the present place.
#[component]
pub fn Page() -> Html {
    let route = use_route();
    match &*route {
        Route::Integration { name, tab } => {
            html! { <integration::IntegrationPage key={name.clone()} name={name.clone()} tab={*tab} /> }
        }
        Route::Probe => html! { <integration::probe::AdHocProbe /> },
        _ => html! {
            <EmptyState title="Nothing is here" hint="The address names no page of Patchbay.">
                <LinkButton to={Route::Overview}>{ "Go to the overview" }</LinkButton>
            </EmptyState>
        },
    }
}

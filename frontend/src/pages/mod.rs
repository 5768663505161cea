//! The pages.

mod add;
pub mod contract;
mod contracts;
mod files;
mod history;
mod incidents;
pub mod integration;
mod integrations;
mod kinds;
mod log;
mod mocks;
mod overview;
mod run;
mod settings;

use patchbay_contracts::run::RunKind;
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
        Route::Overview => html! { <overview::OverviewPage /> },
        Route::Integrations => html! { <integrations::IntegrationsPage /> },
        Route::Add => html! { <add::AddPage /> },
        Route::Integration { name, tab } => {
            html! { <integration::IntegrationPage key={name.clone()} name={name.clone()} tab={*tab} /> }
        }
        Route::Probe => html! { <integration::probe::AdHocProbe /> },
        Route::Contracts => html! { <contracts::ContractsPage /> },
        Route::Load => html! { <kinds::LastRunsPage key="load" kind={RunKind::Load} /> },
        Route::Metrics => html! { <kinds::MetricsPage /> },
        Route::Incidents => html! { <incidents::IncidentsPage /> },
        Route::History => html! { <history::HistoryPage key="history" /> },
        Route::Run(id) => html! { <history::HistoryPage key="history" open={*id} /> },
        Route::Settings => html! { <settings::SettingsPage /> },
        Route::Log => html! { <log::LogPage /> },
        Route::Unknown(_) => html! {
            <EmptyState title="Nothing is here" hint="The address names no page of Patchbay.">
                <LinkButton to={Route::Overview}>{ "Go to the overview" }</LinkButton>
            </EmptyState>
        },
    }
}

//! One integration: its header, and the pages under it.

mod checks;
pub mod contract;
mod definition;
mod definition_form;
mod health;
pub mod job;
pub mod load;
pub mod metrics;
pub mod probe;
mod segment_bar;

use std::rc::Rc;

use patchbay_contracts::{Code, ipc::ShowIntegration, workspace::IntegrationDetail};
use yew::prelude::*;

use super::history::HistoryTab;
use crate::{
    components::{CopyButton, EmptyState, Glyph, LinkButton, Loading, MiddleCut, ProblemView, StatusBadge, TabItem, Tabs, Time},
    hooks::{use_data, use_query},
    route::{Route, Tab},
};

/// The properties of each page of an integration.
#[derive(Properties, PartialEq)]
pub struct TabProps {
    /// The integration.
    pub detail: Rc<IntegrationDetail>,
}

/// The properties of [`IntegrationPage`].
#[derive(Properties, PartialEq)]
pub struct IntegrationPageProps {
    /// The integration.
    pub name: AttrValue,
    /// Which of its pages.
    pub tab: Tab,
}

/// The header and the page that is open.
#[component]
pub fn IntegrationPage(props: &IntegrationPageProps) -> Html {
    let data = use_data();
    let name = props.name.to_string();
    let deps = (name.clone(), data.workspace_changes, data.health_changes(&name), data.run_changes);
    let query = use_query(deps, |(name, ..)| ShowIntegration { name: name.clone() });
    let Some(detail) = query.data else {
        return match query.problem {
            Some(problem) if problem.code == Code::NotFound => html! {
                <EmptyState glyph={Glyph::Integrations} title={format!("There is no integration “{name}”")}
                    hint={if problem.next.is_empty() { "It may have been removed or renamed.".to_owned() } else { problem.next }}>
                    <LinkButton to={Route::Integrations}>{ "All integrations" }</LinkButton>
                </EmptyState>
            },
            Some(problem) => html! { <ProblemView {problem} /> },
            None => html! { <Loading what="the integration" /> },
        };
    };
    let items = Tab::ALL.into_iter().map(|tab| TabItem {
        title: tab.title().into(),
        to: Route::Integration { name: name.clone(), tab },
        test: format!("tab-{}", tab.slug()).into(),
    });
    let current = Tab::ALL.into_iter().position(|tab| tab == props.tab).unwrap_or_default();
    html! {
        <>
            <Head detail={detail.clone()} />
            <Tabs label={format!("Pages of {name}")} items={items.collect::<Vec<_>>()} {current} />
            { match props.tab {
                Tab::Health => html! { <health::HealthTab {detail} /> },
                Tab::Probe => html! { <probe::ProbeTab {detail} /> },
                Tab::Contract => html! { <contract::ContractTab {detail} /> },
                Tab::Load => html! { <load::LoadTab {detail} /> },
                Tab::Metrics => html! { <metrics::MetricsTab {detail} /> },
                Tab::History => html! { <HistoryTab integration={name} /> },
                Tab::Definition => html! { <definition::DefinitionTab {detail} /> },
            } }
        </>
    }
}

/// Status, address and file.
#[component]
fn Head(props: &TabProps) -> Html {
    let summary = &props.detail.summary;
    html! {
        <div class="subject">
            <StatusBadge status={summary.status} test="integration-status" />
            if let Some(since) = summary.since { <span class="muted">{ "since " }<Time at={since} /></span> }
            <span class="row tight">
                if summary.base_url.is_empty() {
                    <span class="muted" data-test="base-url">{ "no address in this environment" }</span>
                } else {
                    <span class="code" data-test="base-url"><MiddleCut text={summary.base_url.clone()} limit=56 /></span>
                    <CopyButton text={summary.base_url.clone()} label="Copy the address" test="copy-base-url" />
                }
            </span>
            if let Some(incident) = &props.detail.incident {
                <span class="subject-incident" data-test="open-incident">{ "Incident since " }<Time at={incident.opened} />{ ": " }{ &incident.cause }</span>
            }
        </div>
    }
}

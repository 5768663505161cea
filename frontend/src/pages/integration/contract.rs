//! The contract page of an integration: run it, watch it, read what did not hold, run that again.

use patchbay_contracts::{contract::ContractSubject, run::RunKind};
use yew::prelude::*;

use super::{
    TabProps,
    job::{use_newest_job, use_past_runs},
};
use crate::{
    components::{EmptyState, Glyph, Kind, LinkButton, ProblemView},
    pages::contract::{ContractRuns, Watched},
    route::{Route, Tab},
    utils::text,
};

/// The contract page.
#[component]
pub fn ContractTab(props: &TabProps) -> Html {
    let name = props.detail.summary.name.clone();
    let job = use_newest_job(RunKind::Contract, &name);
    let past = use_past_runs(RunKind::Contract, &name);
    let definition = props.detail.definition.as_ref();
    let endpoints = definition.map_or(0, |definition| definition.endpoints.len());
    let document = definition.and_then(|definition| definition.contract.as_ref()).map(|contract| contract.file.clone());
    if endpoints == 0 && document.is_none() {
        return html! { <NoEndpoints {name} readable={definition.is_some()} /> };
    }
    let calls = format!("Calls {} in the order of the file", text::counted(endpoints as u64, "endpoint"));
    let what = match &document {
        Some(file) if endpoints == 0 => format!("Holds the service to {}.", text::middle_cut(file, 80)),
        Some(file) => format!("{calls}, and holds the service to {}.", text::middle_cut(file, 80)),
        None => format!("{calls}."),
    };
    let watched = Watched { revision: props.detail.revision.clone(), document: document.is_some() };
    html! {
        <div class="stack" data-test="contract-page">
            if let Some(problem) = past.problem { <ProblemView {problem} /> }
            <ContractRuns subject={ContractSubject::Integration { name }} {job} runs={past.data} {what} {watched} />
        </div>
    }
}

/// The properties of [`NoEndpoints`].
#[derive(Properties, PartialEq)]
pub struct NoEndpointsProps {
    /// The integration.
    pub name: String,
    /// Whether its file could be read.
    pub readable: bool,
}

/// There is nothing to call.
#[component]
pub fn NoEndpoints(props: &NoEndpointsProps) -> Html {
    let (title, hint) = if props.readable {
        (
            "The file names no endpoint",
            "Add one under `endpoints:` with a method and a path, and it can be probed, held to its contract and put under load.",
        )
    } else {
        (
            "The file can't be read",
            "Its mistakes stand beside it, each with its line. Once they are mended, everything here works.",
        )
    };
    html! {
        <EmptyState glyph={Glyph::Contract} {title} {hint} test="no-endpoints">
            <LinkButton kind={Kind::Primary} glyph={Glyph::Edit} test="open-definition"
                to={Route::Integration { name: props.name.clone(), tab: Tab::Definition }}>{ "Open the definition" }</LinkButton>
        </EmptyState>
    }
}

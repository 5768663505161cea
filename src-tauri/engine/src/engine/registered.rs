//! What is known of each integration.

use std::collections::BTreeMap;

use patchbay_contracts::{
    Code, Problem,
    health::Status,
    integration::{Auth, Integration},
    run::RunKind,
    workspace::IntegrationSummary,
};
use url::Url;

use super::Engine;
use crate::{Result, http, monitor, secrets::template, workspace::Entry};

impl Engine {
    pub(super) async fn summary(&self, entry: &Entry) -> Result<IntegrationSummary> {
        let mut summary = IntegrationSummary {
            name: entry.name.clone(),
            file: entry.file.clone(),
            system: "rest".to_owned(),
            base_url: String::new(),
            status: Status::Unobserved,
            since: None,
            last_check: None,
            latency: Vec::new(),
            error_share: None,
            watched: false,
            contract: None,
            problems: entry.parsed.problems.clone(),
        };
        let Some(definition) = &entry.parsed.definition else { return Ok(summary) };
        summary.watched = definition.health.as_ref().is_some_and(|health| health.enabled);
        match self.base_url(definition) {
            Ok(url) => summary.base_url = url,
            Err(problem) => summary.problems.push(problem),
        }
        let health = monitor::summary(&self.0.store, definition, self.now()).await?;
        summary.status = health.standing.status;
        summary.since = health.standing.since;
        summary.last_check = health.standing.last_check;
        summary.latency = health.latency;
        summary.error_share = health.error_share;
        let last = self.0.store.runs(Some(&definition.name), Some(RunKind::Contract), 1, None).await?;
        summary.contract = last.first().map(|run| run.verdict);
        Ok(summary)
    }

    /// The address of an integration in the chosen environment.
    pub(super) fn base_url(&self, definition: &Integration) -> Result<String> {
        let context = self.context(Some(&definition.name));
        match &definition.base_url {
            Some(text) => template::fill_plain(text, &context.scope),
            None => self.0.workspace.variable(Some(&definition.name), "base_url").ok_or_else(|| {
                Problem::new(Code::VariableMissing, format!("`{}` has no base_url", definition.name))
                    .why("Neither its file nor the chosen environment says where it answers")
                    .next("Add `base_url: https://…` to the file, or to the environment in patchbay.yaml")
            }),
        }
    }

    /// The secrets that definitions name, each with the integrations that name it.
    pub(super) fn secrets_in_use(&self) -> BTreeMap<String, Vec<String>> {
        let mut used: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for entry in self.0.workspace.entries() {
            let mut names = template::secrets_in(&entry.text);
            if let Some(definition) = &entry.parsed.definition {
                names.extend(short_secrets(definition));
            }
            for name in names {
                let users = used.entry(name).or_default();
                if !users.contains(&entry.name) {
                    users.push(entry.name.clone());
                }
            }
        }
        used
    }

    /// The hosts of the integrations that name the secret: where it is meant to go.
    pub(super) fn hosts_of_secret(&self, secret: &str) -> Vec<String> {
        let mut hosts = Vec::new();
        for name in self.secrets_in_use().remove(secret).unwrap_or_default() {
            let Ok(subject) = self.subject(&name) else { continue };
            let host =
                self.base_url(&subject.definition).ok().and_then(|url| Url::parse(&url).ok()?.host_str().map(str::to_owned));
            hosts.extend(host.filter(|host| !hosts.contains(host)));
        }
        hosts
    }
}

/// The secrets behind `auth: bearer` and its like.
fn short_secrets(definition: &Integration) -> Vec<String> {
    let ways = definition.auth.iter().chain(definition.endpoints.iter().filter_map(|endpoint| endpoint.auth.as_ref()));
    ways.filter_map(|auth| match auth {
        Auth::Kind(kind) => http::short_secret(&definition.name, *kind),
        Auth::Spec(_) => None,
    })
    .collect()
}

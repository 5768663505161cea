//! A Pact Broker: which pacts are to be verified, and what came of it.
//!
//! Its answers are HAL documents, in which relations such as `pb:provider-pacts-for-verification` lead on. The client is
//! Patchbay's own, so that credentials go to the broker alone and every answer is bounded.

use pact_verifier::{ConsumerVersionSelector, PactsForVerificationRequest};
use patchbay_contracts::{Code, Problem, contract::ContractOptions, integration::Method, probe::ProbeRequest, units::Span};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use url::Url;

use super::{
    exchange::{self, TIMEOUT, answer, same_origin},
    source::{MOST, PactFile},
};
use crate::{Result, http::Context};

const FOR_VERIFICATION: &str = "pb:provider-pacts-for-verification";
const LATEST: &str = "pb:latest-provider-pacts";

/// A broker, or any address of one.
pub(super) struct Broker<'a> {
    context: &'a Context,
    address: &'a str,
    options: &'a ContractOptions,
}

/// Whether an answer is that of a broker's root.
pub(super) fn is_root(value: &Value) -> bool {
    [FOR_VERIFICATION, LATEST].into_iter().any(|relation| link(value, relation).is_some())
}

/// Where a relation leads.
pub(super) fn link<'v>(value: &'v Value, relation: &str) -> Option<&'v str> {
    value.get("_links")?.get(relation)?.get("href")?.as_str()
}

impl<'a> Broker<'a> {
    pub(super) const fn new(context: &'a Context, address: &'a str, options: &'a ContractOptions) -> Self {
        Self { context, address, options }
    }

    /// One exchange with the broker; the JSON of its answer, null where it has none.
    ///
    /// # Errors
    /// The problem of the exchange; [`Code::BadResponse`] for a status of failure or an answer that is no JSON.
    pub(super) async fn exchange(&self, method: Method, url: &str, body: Option<&Value>) -> Result<Value> {
        let mut request = ProbeRequest { method, url: url.to_owned(), timeout: Some(Span(TIMEOUT)), ..ProbeRequest::default() };
        if let Some(body) = body {
            request = ProbeRequest { method, ..exchange::post(url, body) };
        }
        request.headers.push(("Accept".to_owned(), "application/hal+json, application/json".to_owned()));
        // A link may lead anywhere, and credentials may not.
        if same_origin(self.address, url) {
            request.auth.clone_from(&self.options.pact.broker_auth);
        }
        let report = exchange::send(self.context, &request).await;
        let response = answer(&report)?;
        let shown = self.context.secrets.redactor().text(&report.request.url);
        if !(200..300).contains(&response.status) {
            let said = response.body.text.as_deref().unwrap_or_default();
            let said = self.context.secrets.redactor().text(&said[..said.floor_char_boundary(500)]);
            let what = format!("{shown} answered {} {}", response.status, response.reason);
            return Err(Problem::new(Code::BadResponse, what.trim_end().to_owned()).why(said));
        }
        match (&response.body.text, &response.body.json) {
            (_, Some(json)) => Ok(json.clone()),
            (None, None) if response.body.bytes == 0 => Ok(Value::Null),
            (Some(text), None) if text.trim().is_empty() => Ok(Value::Null),
            _ => Err(Problem::new(Code::BadResponse, format!("{shown} gave no JSON"))),
        }
    }

    /// The pacts that the provider is to be held to, and what could not be fetched.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] without the provider's name; [`Code::BadResponse`] where the address is no broker's, and
    /// [`Code::NotFound`] where it has no pacts.
    pub(super) async fn pacts(&self) -> Result<(Vec<PactFile>, Vec<Problem>)> {
        let provider = self.options.pact.provider.as_deref().ok_or_else(|| {
            Problem::new(Code::InvalidInput, "The broker has pacts of many providers").next("Name the provider with --provider")
        })?;
        let root = self.exchange(Method::Get, self.address, None).await?;
        let found = match (link(&root, FOR_VERIFICATION), link(&root, LATEST)) {
            (Some(relation), _) => self.for_verification(&expand(relation, &[("provider", provider)])).await?,
            (None, Some(relation)) => self.latest(&expand(relation, &[("provider", provider)])).await?,
            (None, None) => {
                return Err(Problem::new(Code::BadResponse, format!("{} is no Pact Broker", self.address))
                    .why(format!("its answer has no link {FOR_VERIFICATION}")));
            }
        };
        if found.is_empty() {
            return Err(Problem::new(Code::NotFound, format!("The broker has no pacts for the provider {provider}")));
        }
        let (mut pacts, mut problems) = (Vec::new(), Vec::new());
        for (address, pending) in found.into_iter().take(MOST) {
            match self.exchange(Method::Get, &address, None).await {
                Ok(value) => pacts.push(PactFile::bare(address, value, pending && self.options.pact.pending)),
                Err(problem) => problems.push(problem),
            }
        }
        Ok((pacts, problems))
    }

    async fn for_verification(&self, relation: &str) -> Result<Vec<(String, bool)>> {
        let pact = &self.options.pact;
        let consumers = pact.consumers.iter().map(|consumer| selector(Some(consumer.clone())));
        let selectors: Vec<_> = if pact.consumers.is_empty() { vec![selector(None)] } else { consumers.collect() };
        let wanted = PactsForVerificationRequest {
            provider_version_tags: Vec::new(),
            include_pending_status: pact.pending,
            include_wip_pacts_since: pact.wip_since.clone(),
            consumer_version_selectors: selectors,
            provider_version_branch: pact.branch.clone(),
        };
        let body = serde_json::to_value(wanted).map_err(Problem::internal)?;
        let answer = self.exchange(Method::Post, &self.absolute(relation), Some(&body)).await?;
        let pacts = answer.pointer("/_embedded/pacts").and_then(Value::as_array).cloned().unwrap_or_default();
        let pending = |pact: &Value| pact.pointer("/verificationProperties/pending").and_then(Value::as_bool).unwrap_or(false);
        Ok(pacts.iter().filter_map(|pact| Some((self.absolute(link(pact, "self")?), pending(pact)))).collect())
    }

    async fn latest(&self, relation: &str) -> Result<Vec<(String, bool)>> {
        let answer = self.exchange(Method::Get, &self.absolute(relation), None).await?;
        let pacts = ["pb:pacts", "pacts"].into_iter().find_map(|relation| answer.get("_links")?.get(relation)?.as_array());
        let hrefs = pacts.into_iter().flatten().filter_map(|pact| pact.get("href")?.as_str());
        Ok(hrefs.map(|href| (self.absolute(href), false)).collect())
    }

    /// Tells the broker what came of one of its pacts: the branch of the provider's version first, then the results.
    ///
    /// # Errors
    /// [`Code::Unsupported`] for a pact without a link for it, and those of the exchange.
    pub(super) async fn publish(&self, pact: &Value, version: &str, results: &[Value]) -> Result<()> {
        let publish = link(pact, "pb:publish-verification-results").ok_or_else(|| {
            Problem::new(Code::Unsupported, "The results were not published: the pact names no place for them")
                .why("it has no link pb:publish-verification-results")
        })?;
        if let (Some(branch), Some(provider)) = (&self.options.pact.branch, link(pact, "pb:provider")) {
            let provider = self.exchange(Method::Get, &self.absolute(provider), None).await?;
            let relation = link(&provider, "pb:branch-version").ok_or_else(|| {
                Problem::new(Code::Unsupported, "The branch was not published: the broker knows no branches")
                    .why("the provider has no link pb:branch-version")
            })?;
            let address = expand(relation, &[("branch", branch), ("version", version)]);
            self.exchange(Method::Put, &self.absolute(&address), Some(&json!({}))).await?;
        }
        let body = json!({
            "success": results.iter().all(|result| result.get("success") == Some(&Value::Bool(true))),
            "providerApplicationVersion": version,
            "verifiedBy": { "implementation": "Patchbay", "version": env!("CARGO_PKG_VERSION") },
            "testResults": results,
        });
        self.exchange(Method::Post, &self.absolute(publish), Some(&body)).await.map(drop)
    }

    fn absolute(&self, href: &str) -> String {
        let address = Url::parse(self.address).and_then(|base| base.join(href)).map_or_else(|_| href.to_owned(), String::from);
        // What a broker says is no place for references to credentials.
        address.replace("${", "$${")
    }
}

/// The latest pact of each consumer, or of one.
fn selector(consumer: Option<String>) -> ConsumerVersionSelector {
    ConsumerVersionSelector {
        consumer,
        tag: None,
        fallback_tag: None,
        latest: Some(true),
        deployed_or_released: None,
        deployed: None,
        released: None,
        environment: None,
        main_branch: None,
        branch: None,
        matching_branch: None,
        fallback_branch: None,
    }
}

/// A link with its parameters filled in.
fn expand(link: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(link.to_owned(), |link, (name, value)| {
        link.replace(&format!("{{{name}}}"), &utf8_percent_encode(value, NON_ALPHANUMERIC).to_string())
    })
}

//! One run for contracts of every kind: which documents, which of their parts, and what of the result counts.

use std::{io::Cursor, path::Path};

use patchbay_contracts::{
    Code, Problem,
    contract::{Check, ContractKind, ContractOptions, ContractProgress, ContractReport, Severity},
    probe::ProbeRequest,
};
use tokio_util::sync::CancellationToken;

use super::{
    Document, document,
    messages::{self, Input, MessageOptions},
    openapi, pact,
};
use crate::{
    Result,
    http::{self, Bounds, Context},
    utils::pattern,
};

/// What a service is held to.
#[derive(Debug, Clone)]
pub enum Contract {
    /// One document that isn't a pact.
    Document(Document),
    /// Pacts: of a file, a folder, an address or a broker.
    Pacts(pact::Source),
}

impl Contract {
    /// Opens what a person names: a file, an address, a folder of pacts, or `pact-broker:` and an address. `workspace` is the
    /// folder that a document's references may lead through where it lies inside.
    ///
    /// # Errors
    /// What keeps it from being read; [`Code::InvalidDefinition`] where it is no contract of a known kind.
    pub async fn open(context: &Context, source: &str, options: &ContractOptions, workspace: &Path) -> Result<Self> {
        if source.starts_with("pact-broker:") || (!source.contains("://") && Path::new(source).is_dir()) {
            return pact::Source::open(context, source, options).await.map(Self::Pacts);
        }
        match document::open(context, source, options.fetch).await {
            Ok(document) => {
                let document = document.in_workspace(workspace);
                Ok(match document.kind {
                    ContractKind::Pact => Self::Pacts(pact::Source::one(document.into())),
                    _ => Self::Document(document),
                })
            }
            // The front page of a broker is a document of no kind that is known here.
            Err(problem) if problem.code == Code::InvalidDefinition && source.contains("://") => {
                match pact::Source::open(context, source, options).await {
                    Ok(broker @ pact::Source::Broker(_)) => Ok(Self::Pacts(broker)),
                    _ => Err(problem),
                }
            }
            Err(problem) => Err(problem),
        }
    }

    /// Holds a service to it.
    ///
    /// # Errors
    /// What keeps it from being verified at all: no address to call, a kind that can't be verified so.
    pub async fn verify(
        &self,
        context: &Context,
        options: &ContractOptions,
        cancel: &CancellationToken,
        progress: impl FnMut(ContractProgress) + Send,
    ) -> Result<ContractReport> {
        let document = match self {
            Self::Pacts(source) => return pact::verify(context, source, options, cancel, progress).await,
            Self::Document(document) => document,
        };
        match document.kind {
            ContractKind::Openapi | ContractKind::Swagger => openapi::verify(context, document, options, cancel, progress).await,
            ContractKind::Asyncapi | ContractKind::Messages | ContractKind::JsonSchema => {
                let input = messages_at(context, document, options).await?;
                let options = MessageOptions { contract: options.clone(), ..MessageOptions::default() };
                messages::check(context, document, vec![input], &options, cancel, progress).await
            }
            ContractKind::Patchbay | ContractKind::Pact => {
                Err(Problem::new(Code::InvalidInput, format!("`{}` can't be verified as a document", document.file))
                    .next("Name the integration, or its file"))
            }
        }
    }
}

/// What an address answers, as messages: a contract for messages says nothing of how they are asked for.
async fn messages_at(context: &Context, document: &Document, options: &ContractOptions) -> Result<Input> {
    let Some(url) = &options.url else {
        return Err(Problem::new(Code::InvalidInput, format!("`{}` describes messages, and none are given", document.file))
            .next("Give the address that answers with them as --url, or use `patchbay contract messages CONTRACT FILE`"));
    };
    let request = ProbeRequest {
        url: url.clone(),
        auth: options.auth.clone(),
        headers: options.headers.clone(),
        ..ProbeRequest::default()
    };
    let report = http::send(context, &request, Bounds::default()).await;
    if let Some(problem) = report.problem {
        return Err(problem);
    }
    let response = report.response.ok_or_else(|| Problem::internal("neither an answer nor a problem"))?;
    if !(200..300).contains(&response.status) {
        return Err(Problem::new(
            Code::BadResponse,
            format!("{} answered {} {} where messages were expected", report.request.url, response.status, response.reason),
        )
        .next("Check the address and the credentials"));
    }
    let body = response.body.text.unwrap_or_default().into_bytes();
    Ok(Input::Stream { name: report.request.url, reader: Box::new(Cursor::new(body)) })
}

/// Whether an operation is to be called that goes by these names: its label, its id, its tags.
pub fn wanted(options: &ContractOptions, names: &[&str]) -> bool {
    let meant = |pattern: &&String| names.iter().any(|name| pattern::matches(pattern, name));
    let mut only = options.only.iter().filter(|name| Check::named(name).is_none()).peekable();
    (only.peek().is_none() || only.any(|pattern| meant(&pattern)))
        && !options.skip.iter().filter(|name| Check::named(name).is_none()).any(|pattern| meant(&pattern))
}

/// Whether a check is to be made.
pub fn judged(options: &ContractOptions, check: Check) -> bool {
    let named = |names: &[String]| names.iter().any(|name| name == check.as_str());
    let some = options.only.iter().any(|name| Check::named(name).is_some());
    (!some || named(&options.only)) && !named(&options.skip)
}

/// Leaves out what nobody asked for, weighs the rest as asked, and concludes anew.
pub fn choose(report: &mut ContractReport, options: &ContractOptions) {
    report.endpoints.retain_mut(|endpoint| {
        let before = endpoint.checks.len();
        // That a service can't be reached, or a file not be read, is never left out in silence.
        endpoint
            .checks
            .retain(|result| matches!(result.check, Check::Reachable | Check::Readable) || judged(options, result.check));
        for result in &mut endpoint.checks {
            if options.warn.iter().any(|name| name == result.check.as_str()) {
                result.severity = Severity::Warning;
            }
        }
        if endpoint.checks.is_empty() {
            return before == 0;
        }
        endpoint.conclude();
        true
    });
    report.conclude();
}

/// Looks for slips in what was asked for.
///
/// # Errors
/// [`Code::InvalidInput`] for a name that can only have been meant as that of a check, with the nearest one.
pub fn check_options(options: &ContractOptions) -> Result<()> {
    let known = || Check::ALL.iter().map(|check| check.as_str());
    for name in &options.warn {
        if Check::named(name).is_none() {
            let problem = Problem::new(Code::InvalidInput, format!("There is no check `{name}`"));
            return Err(match crate::utils::nearest(name, known()) {
                Some(nearest) => problem.next(format!("Did you mean `{nearest}`?")),
                None => problem.next(format!("There are {}", known().collect::<Vec<_>>().join(", "))),
            });
        }
    }
    for name in options.only.iter().chain(&options.skip) {
        // An operation has a blank or a slash in its label; ids and tags hardly come this near to a check's name.
        let near = crate::utils::nearest(name, known()).filter(|near| near.contains('-') && name.contains('-'));
        if let Some(near) = near.filter(|near| near != name && !name.contains([' ', '/', '*'])) {
            return Err(Problem::new(Code::InvalidInput, format!("There is no check `{name}`"))
                .next(format!("Did you mean `{near}`? Operations are named like `GET /orders/*`, or by their id or tag")));
        }
    }
    Ok(())
}

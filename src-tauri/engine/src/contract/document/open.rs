//! A contract from a file or an address.

use std::{fs::File, io::Read, path::Path};

use patchbay_contracts::{
    Code, Problem,
    probe::{ProbeReport, ProbeRequest},
};
use url::Url;

use super::{Base, Document, LIMITS, MAX_BYTES};
use crate::{
    Result,
    http::{self, Bounds, Context},
};

/// Contracts before anything else; a server may have a page for people at the same address.
const ACCEPT: &str = "application/json, application/yaml;q=0.9, */*;q=0.5";

/// Reads a contract from a file or an http(s) address, and recognises it. `fetch` allows its references to lead to other
/// addresses.
///
/// # Errors
/// [`Code::NotFound`] or [`Code::InvalidInput`] for a file that can't be read; the problem of the exchange, or
/// [`Code::BadResponse`], for an address that gives none; else as for [`Document::read`].
pub async fn open(context: &Context, source: &str, fetch: bool) -> Result<Document> {
    if let Some(url) = address(source) {
        let text = fetch_text(context, &url).await?;
        let shown = context.secrets.redactor().text(source);
        let document = Document::read(&shown, text.as_bytes())?;
        return Ok(Document { base: Base::Address(url), fetch, ..document });
    }
    let (bytes, base) = read_file(Path::new(source), source)?;
    let document = Document::read(source, &bytes)?;
    Ok(Document { base, fetch, ..document })
}

impl Document {
    /// Reads a file or an http(s) address without asking what it is, for values and for parts of a contract.
    ///
    /// # Errors
    /// As for [`open`], but for texts of no known kind.
    pub async fn open_any(context: &Context, source: &str, fetch: bool) -> Result<Self> {
        if let Some(url) = address(source) {
            let text = fetch_text(context, &url).await?;
            let shown = context.secrets.redactor().text(source);
            return Ok(Self { base: Base::Address(url), fetch, ..Self::parse(&shown, text.as_bytes())? });
        }
        let (bytes, base) = read_file(Path::new(source), source)?;
        Ok(Self { base, fetch, ..Self::parse(source, &bytes)? })
    }
}

/// The address that a source is, where it is one.
fn address(source: &str) -> Option<Url> {
    Url::parse(source).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// A file's bytes, up to the bound, and where its references lead from.
pub(in crate::contract) fn read_file(path: &Path, shown: &str) -> Result<(Vec<u8>, Base)> {
    let cannot = |error: std::io::Error| {
        let code = if error.kind() == std::io::ErrorKind::NotFound { Code::NotFound } else { Code::InvalidInput };
        Problem::new(code, format!("`{shown}` can't be read"))
            .why(error.to_string())
            .next("Name a file, or an address that begins with http:// or https://")
    };
    let file = path.canonicalize().map_err(cannot)?;
    if !file.metadata().map_err(cannot)?.is_file() {
        return Err(Problem::new(Code::InvalidInput, format!("`{shown}` is not a file")).next("Name a file"));
    }
    let mut bytes = Vec::new();
    File::open(&file).map_err(cannot)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    let within = file.parent().unwrap_or(&file).to_owned();
    Ok((bytes, Base::File { file, within }))
}

/// What stands at an address, up to the bound.
pub(super) async fn fetch_text(context: &Context, url: &Url) -> Result<String> {
    let request = ProbeRequest {
        url: url.to_string(),
        headers: vec![("Accept".to_owned(), ACCEPT.to_owned())],
        follow_redirects: true,
        ..ProbeRequest::default()
    };
    let bounds = Bounds { body: MAX_BYTES as u64, ..Bounds::default() };
    text_of(http::send(context, &request, bounds).await)
}

fn text_of(exchange: ProbeReport) -> Result<String> {
    let address = exchange.request.url;
    let Some(response) = exchange.response else {
        return Err(exchange.problem.unwrap_or_else(|| Problem::internal("an exchange without answer and problem")));
    };
    if !(200..300).contains(&response.status) {
        let what = format!("{address} answered {} {} where a contract was expected", response.status, response.reason);
        return Err(Problem::new(Code::BadResponse, what.trim_end().to_owned())
            .next("Check the address; if it asks for credentials, save the contract as a file"));
    }
    if response.body.truncated && exchange.problem.is_none() {
        return Err(Problem::new(Code::TooLarge, format!("What {address} gives is larger than {} may be", LIMITS.noun))
            .why(format!("at most {} MiB are read", MAX_BYTES >> 20))
            .next(LIMITS.smaller));
    }
    if let Some(problem) = exchange.problem {
        return Err(problem);
    }
    response.body.text.ok_or_else(|| {
        Problem::new(Code::BadResponse, format!("{address} gave binary data where a contract was expected"))
            .next("Check the address")
    })
}

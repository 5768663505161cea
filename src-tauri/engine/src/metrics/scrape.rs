//! Fetching metrics from a service, or from a file.

use std::{fs::File, io::Read, path::Path};

use patchbay_contracts::{
    Code, Problem,
    integration::{Integration, Method, Metrics},
    metrics::ScrapeReport,
    probe::{ProbeReport, ProbeRequest, Response},
};

use super::{MAX_BYTES, parse};
use crate::{
    Result,
    http::{self, Bounds, Context},
};

/// OpenMetrics before the text format, as Prometheus asks for them.
const ACCEPT: &str = "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

/// Fetches and reads the metrics of an integration. Lines that can't be read are problems of the report.
///
/// # Errors
/// [`Code::InvalidDefinition`] where the integration has no `metrics`; the problem of the exchange where there was no
/// whole answer; [`Code::BadResponse`] where the answer was no success or no text.
pub async fn scrape(context: &Context, integration: &Integration) -> Result<ScrapeReport> {
    let metrics = integration.metrics.as_ref().ok_or_else(|| {
        Problem::new(Code::InvalidDefinition, format!("`{}` does not say where it exposes metrics", integration.name))
            .next("Add `metrics: { url: \"/metrics\" }` to its file")
    })?;
    fetch(context, &request(integration, metrics), &integration.name).await
}

/// Fetches and reads the metrics at an address that belongs to no integration.
///
/// # Errors
/// As for [`scrape`], and [`Code::InvalidInput`] for an address that is none.
pub async fn scrape_address(context: &Context, address: &str) -> Result<ScrapeReport> {
    let request = ProbeRequest {
        url: http::address(address)?.to_string(),
        headers: vec![("Accept".to_owned(), ACCEPT.to_owned())],
        follow_redirects: true,
        ..ProbeRequest::default()
    };
    fetch(context, &request, address).await
}

/// Reads the metrics in a file.
///
/// # Errors
/// [`Code::InvalidInput`] where it can't be read, [`Code::TooLarge`] where it is larger than a scrape may be.
pub fn read_file(file: &Path) -> Result<ScrapeReport> {
    let shown = file.display().to_string();
    let cannot =
        |error: std::io::Error| Problem::new(Code::InvalidInput, format!("{shown} can't be read")).why(error.to_string());
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(cannot)?;
    opened.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() > MAX_BYTES {
        return Err(Problem::new(Code::TooLarge, format!("{shown} has more than {} MiB", MAX_BYTES >> 20)));
    }
    Ok(parse(&shown, None, &bytes))
}

async fn fetch(context: &Context, request: &ProbeRequest, source: &str) -> Result<ScrapeReport> {
    let bounds = Bounds { body: MAX_BYTES as u64, ..Bounds::default() };
    let exchange = http::send(context, request, bounds).await;
    let response = whole_answer(&exchange)?;
    let address = &exchange.request.url;
    let text = response.body.text.as_ref().ok_or_else(|| {
        let what = format!("{address} gave {} where metrics in text were expected", kind_of(response));
        Problem::new(Code::BadResponse, what).next("Check the address; most services expose metrics under /metrics")
    })?;
    let content_type =
        response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type")).map(|(_, value)| value.as_str());
    let mut report = parse(address, content_type, text.as_bytes());
    source.clone_into(&mut report.source);
    report.at = exchange.at;
    report.duration_ms = Some(exchange.timing.total_ms);
    report.bytes = response.body.bytes;
    Ok(report)
}

fn request(integration: &Integration, metrics: &Metrics) -> ProbeRequest {
    ProbeRequest {
        integration: Some(integration.name.clone()),
        method: Method::Get,
        url: whole_address(integration, &metrics.url),
        headers: vec![("Accept".to_owned(), ACCEPT.to_owned())],
        auth: metrics.auth.clone(),
        // A scrape that takes longer than its interval would never catch up; Prometheus's default is 10 s of 15.
        timeout: Some(metrics.interval),
        follow_redirects: true,
        ..ProbeRequest::default()
    }
}

/// The address as it is written where it is whole, and under `base_url` where it is a path.
fn whole_address(integration: &Integration, url: &str) -> String {
    if url.contains("://") || url.starts_with("${") {
        return url.to_owned();
    }
    let base = integration.base_url.as_deref().unwrap_or("${env:base_url}");
    format!("{}/{}", base.trim_end_matches('/'), url.trim_start_matches('/'))
}

/// The answer, where there is one that is whole and a success.
fn whole_answer(exchange: &ProbeReport) -> Result<&Response> {
    let address = &exchange.request.url;
    let Some(response) = &exchange.response else {
        return Err(exchange.problem.clone().unwrap_or_else(|| Problem::internal("an exchange without answer and problem")));
    };
    if !(200..300).contains(&response.status) {
        let text = response.body.text.as_deref().unwrap_or_default().trim();
        let start: String = text.lines().next().unwrap_or_default().chars().take(120).collect();
        let problem = Problem::new(
            Code::BadResponse,
            format!("{address} answered {} {} where metrics were expected", response.status, response.reason),
        );
        return Err(match response.status {
            401 | 403 => problem.next("Give `metrics` an `auth`; it does not take over that of the integration"),
            404 => problem.next("Check the address; most services expose metrics under /metrics"),
            _ if start.is_empty() => problem,
            _ => problem.why(format!("the answer begins with `{start}`")),
        });
    }
    match &exchange.problem {
        Some(problem) => Err(problem.clone()),
        None if response.body.truncated => {
            Err(Problem::new(Code::TooLarge, format!("The metrics of {address} are larger than {} MiB", MAX_BYTES >> 20))
                .next("Expose fewer series, or split them over several addresses"))
        }
        None => Ok(response),
    }
}

fn kind_of(response: &Response) -> String {
    match response.body.media_type.as_str() {
        "" => "binary data".to_owned(),
        media_type => format!("binary data ({media_type})"),
    }
}

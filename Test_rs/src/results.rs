//! Results to store, and what a helper process says of those that it stored.

use patchbay_contracts::{
    Code, Problem, Timestamp,
    contract::{Check, CheckResult, ContractKind, ContractReport, EndpointResult},
    health::{ConditionResult, HealthCheck},
    integration::LoadSpec,
    load::{LoadReport, LoadSlice, LoadTotals, Quantiles},
    metrics::{Family, MetricKind, Sample, ScrapeReport},
    probe::{Body, ProbeReport, Response, SentRequest, Waterfall},
    run::{Report, Verdict},
};
use serde_json::json;

/// A moment that all these results lie behind.
pub const START: Timestamp = 1_750_000_000_000;

/// A probe that was answered, with a body of about `bytes` bytes.
pub fn probe(integration: Option<&str>, status: u16, bytes: usize) -> Report {
    Report::Probe(ProbeReport {
        integration: integration.map(str::to_owned),
        at: START,
        request: SentRequest {
            method: "GET".to_owned(),
            url: "http://127.0.0.1:1/orders".to_owned(),
            headers: vec![("Authorization".to_owned(), "Bearer ‹secret:orders-token›".to_owned())],
            body: None,
            curl: "curl http://127.0.0.1:1/orders".to_owned(),
        },
        redirects: Vec::new(),
        response: Some(Response {
            status,
            reason: "OK".to_owned(),
            version: "HTTP/1.1".to_owned(),
            headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
            body: Body {
                media_type: "text/plain".to_owned(),
                wire_bytes: bytes as u64,
                bytes: bytes as u64,
                text: Some("Grüße an 🦀 \u{0}\n".chars().cycle().take(bytes).collect()),
                ..Body::default()
            },
            remote: Some("127.0.0.1:1".to_owned()),
            certificate: None,
        }),
        timing: Waterfall { dns_ms: Some(0.25), total_ms: 12.5, ..Waterfall::default() },
        problem: None,
        notes: Vec::new(),
    })
}

/// A contract run in which one check did not hold.
pub fn contract(integration: &str) -> Report {
    Report::Contract(ContractReport {
        version: Some("1.2".to_owned()),
        base_url: "http://127.0.0.1:1".to_owned(),
        at: START + 1,
        duration_ms: 250.0,
        verdict: Verdict::Fail,
        endpoints: vec![EndpointResult {
            verdict: Verdict::Fail,
            checks: vec![CheckResult {
                expected: Some(json!(201)),
                actual: Some(json!(503)),
                ..CheckResult::new(Check::Status, Verdict::Fail, "The status is 503, not 201")
            }],
            status: Some(503),
            body: Some("{}".to_owned()),
            attempts: 3,
            cases: 1,
            ..EndpointResult::new("create order")
        }],
        ..ContractReport::new(ContractKind::Patchbay, integration, "orders.yaml")
    })
}

/// A cancelled load run of so many seconds.
pub fn load(target: &str, seconds: u32) -> Report {
    Report::Load(LoadReport {
        at: START + 2,
        duration_ms: f64::from(seconds) * 1e3,
        partial: true,
        totals: LoadTotals { sent: 1000, answered: 998, rate: 99.75, ..LoadTotals::default() },
        latency: Quantiles { count: 998, p50_ms: 1.5, ..Quantiles::default() },
        statuses: vec![(200, 998)],
        timeline: (1..=seconds).map(|second| LoadSlice { second, sent: 100, ..LoadSlice::default() }).collect(),
        notes: vec!["cancelled".to_owned()],
        histogram: vec![(1.0, 500), (2.0, 498)],
        ..LoadReport::new(target, "GET http://127.0.0.1:1/", LoadSpec::default())
    })
}

/// A health check at a moment; one that failed got no answer.
pub fn check(integration: &str, at: Timestamp, healthy: bool) -> HealthCheck {
    HealthCheck {
        integration: integration.to_owned(),
        at,
        healthy,
        latency_ms: healthy.then_some(12.5),
        http_status: healthy.then_some(200),
        conditions: vec![ConditionResult {
            text: "[STATUS] == 200".to_owned(),
            holds: healthy,
            resolved: "200 == 200".to_owned(),
        }],
        problem: (!healthy).then(|| Problem::new(Code::Refused, "No connection").why("refused").next("Start it")),
        certificate_not_after: healthy.then_some(START + 86_400_000),
    }
}

/// A scrape with so many samples, each of a series of its own, and all of the value `value`.
pub fn scrape(at: Timestamp, samples: usize, value: f64) -> ScrapeReport {
    let family = |name: &str, from: usize, to: usize| Family {
        name: name.to_owned(),
        kind: MetricKind::Counter,
        help: format!("How many {name}"),
        unit: String::new(),
        samples: (from..to)
            .map(|n| Sample {
                name: format!("{name}_total"),
                labels: vec![("path".to_owned(), format!("/orders/{n}")), ("method".to_owned(), "GET".to_owned())],
                value,
                ..Sample::default()
            })
            .collect(),
    };
    ScrapeReport {
        source: "orders".to_owned(),
        at,
        duration_ms: Some(3.0),
        bytes: 100,
        families: vec![family("requests", 0, samples / 2), family("errors", samples / 2, samples)],
        samples: samples as u64,
        problems: Vec::new(),
    }
}

/// What [`store_writer`](../store_writer/index.html) says once a result was acknowledged.
#[derive(Debug, Clone, PartialEq)]
pub enum Acknowledged {
    /// A run with its number and its headline.
    Run(i64, String),
    /// A health check with its time.
    Check(Timestamp),
    /// A scrape with its time and the number of its samples.
    Scrape(Timestamp, usize),
}

impl Acknowledged {
    /// As a line of text.
    pub fn line(&self) -> String {
        match self {
            Self::Run(id, headline) => format!("run {id} {headline}"),
            Self::Check(at) => format!("check {at}"),
            Self::Scrape(at, samples) => format!("scrape {at} {samples}"),
        }
    }

    /// From a line of text.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(3, ' ');
        match (words.next()?, words.next()?.parse().ok()?, words.next()) {
            ("run", id, Some(headline)) => Some(Self::Run(id, headline.to_owned())),
            ("check", at, None) => Some(Self::Check(at)),
            ("scrape", at, Some(samples)) => Some(Self::Scrape(at, samples.parse().ok()?)),
            _ => None,
        }
    }
}

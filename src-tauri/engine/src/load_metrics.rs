//! A load run as OpenMetrics while it goes on, so that what it does stands beside what the service says of itself.
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, http::header::CONTENT_TYPE, response::IntoResponse, routing::get};
use patchbay_contracts::{
    Code, Problem,
    load::{LoadProgress, LoadSlice},
};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::Result;

/// What the text is.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is shown of a run.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// What is put under load.
    target: String,
    /// None until the first progress.
    progress: Option<LoadProgress>,
    /// The last whole second.
    slice: LoadSlice,
}

impl Shown {
    /// Nothing yet of a run against `target`.
    pub fn new(target: &str) -> Self {
        Self { target: target.to_owned(), ..Self::default() }
    }

    /// Takes what has come since.
    pub fn take(&mut self, progress: &LoadProgress) {
        if let Some(last) = progress.new_slices.last() {
            self.slice = *last;
        }
        self.progress = Some(LoadProgress { new_slices: Vec::new(), ..progress.clone() });
    }

    /// As OpenMetrics. Before the first progress all counts are zero, so that a rate has something to begin at.
    pub fn text(&self) -> String {
        let mut text = Text { label: format!("target=\"{}\"", escaped(&self.target)), out: String::new() };
        let (totals, latency) = self.progress.as_ref().map(|progress| (progress.totals, progress.latency)).unwrap_or_default();
        let good = totals.answered.saturating_sub(totals.failed.min(totals.answered));
        text.family("patchbay_load_requests", "counter", "", "Requests that ended, by outcome.");
        for (outcome, count) in
            [("ok", good), ("failed", totals.failed), ("dropped", totals.dropped), ("unanswered", totals.unanswered)]
        {
            text.sample("patchbay_load_requests_total", &format!("outcome=\"{outcome}\""), count as f64);
        }
        let errors = self.progress.as_ref().map_or(&[][..], |progress| &progress.errors);
        if !errors.is_empty() {
            text.family("patchbay_load_errors", "counter", "", "Failures, by kind.");
            for error in errors {
                text.sample("patchbay_load_errors_total", &format!("kind=\"{}\"", escaped(&error.kind)), error.count as f64);
            }
        }
        for (name, count, help) in [
            ("patchbay_load_sent", totals.sent, "Requests that were sent."),
            ("patchbay_load_iterations", totals.iterations, "Iterations that came to their end."),
            ("patchbay_load_connects", totals.connects, "Connections that were opened."),
        ] {
            text.family(name, "counter", "", help);
            text.sample(&format!("{name}_total"), "", count as f64);
        }
        for (name, bytes, help) in [
            ("patchbay_load_received_bytes", totals.bytes_received, "Bytes that were received."),
            ("patchbay_load_sent_bytes", totals.bytes_sent, "Bytes that were sent."),
        ] {
            text.family(name, "counter", "bytes", help);
            text.sample(&format!("{name}_total"), "", bytes as f64);
        }
        text.gauge("patchbay_load_in_flight", "", "Requests in flight.", self.slice.in_flight as f64);
        text.gauge("patchbay_load_connections", "", "Connections that are open.", self.slice.connections as f64);
        if let Some(rate) = totals.target_rate {
            text.gauge("patchbay_load_target_rate", "", "Iterations a second that are asked for.", rate);
        }
        let (elapsed, total) = self.progress.as_ref().map_or((0.0, 0.0), |of| (of.elapsed_ms / 1e3, of.total_ms / 1e3));
        text.gauge("patchbay_load_elapsed_seconds", "seconds", "Time since the start.", elapsed);
        text.gauge("patchbay_load_duration_seconds", "seconds", "Time that the run takes in all.", total);
        text.family("patchbay_load_latency_seconds", "summary", "seconds", "Latency of answers so far.");
        let quantiles = [
            ("0.5", latency.p50_ms),
            ("0.9", latency.p90_ms),
            ("0.95", latency.p95_ms),
            ("0.99", latency.p99_ms),
            ("0.999", latency.p999_ms),
            ("1.0", latency.max_ms),
        ];
        for (quantile, ms) in quantiles {
            // Nothing was measured, and that is not zero.
            let seconds = if latency.count == 0 { f64::NAN } else { ms / 1e3 };
            text.sample("patchbay_load_latency_seconds", &format!("quantile=\"{quantile}\""), seconds);
        }
        text.sample("patchbay_load_latency_seconds_sum", "", latency.mean_ms * latency.count as f64 / 1e3);
        text.sample("patchbay_load_latency_seconds_count", "", latency.count as f64);
        text.out.push_str("# EOF\n");
        text.out
    }
}

/// A text that grows, with the label that all of its samples have.
struct Text {
    label: String,
    out: String,
}

// Writing to a string can't fail, so the outcomes below are of no interest.
impl Text {
    fn family(&mut self, name: &str, kind: &str, unit: &str, help: &str) {
        let _ = writeln!(self.out, "# TYPE {name} {kind}");
        if !unit.is_empty() {
            let _ = writeln!(self.out, "# UNIT {name} {unit}");
        }
        let _ = writeln!(self.out, "# HELP {name} {help}");
    }

    fn sample(&mut self, name: &str, label: &str, value: f64) {
        let comma = if label.is_empty() { "" } else { "," };
        let value = if value.is_nan() { "NaN".to_owned() } else { value.to_string() };
        let _ = writeln!(self.out, "{name}{{{}{comma}{label}}} {value}", self.label);
    }

    fn gauge(&mut self, name: &str, unit: &str, help: &str, value: f64) {
        self.family(name, "gauge", unit, help);
        self.sample(name, "", value);
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A run that can be scraped; no longer once this is dropped.
#[derive(Debug)]
pub struct Exposed {
    address: SocketAddr,
    shown: Arc<Mutex<Shown>>,
    _stop: DropGuard,
}

impl Exposed {
    /// Serves a run against `target` at `port` of the loopback address; 0 takes any free port.
    ///
    /// # Errors
    /// [`Code::InUse`] where the port is taken, [`Code::Unsupported`] where the system refuses to listen.
    pub async fn start(port: u16, target: &str) -> Result<Self> {
        let cannot = |error: std::io::Error| {
            let code = if error.kind() == std::io::ErrorKind::AddrInUse { Code::InUse } else { Code::Unsupported };
            Problem::new(code, format!("The run's metrics can't be served on 127.0.0.1:{port}"))
                .why(error.to_string())
                .next("Choose another port, or 0 for any that is free")
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let shown = Arc::new(Mutex::new(Shown::new(target)));
        let asked = Arc::clone(&shown);
        let metrics = move || {
            let text = asked.lock().unwrap_or_else(PoisonError::into_inner).text();
            async move { ([(CONTENT_TYPE, MEDIA_TYPE)], text).into_response() }
        };
        let router = Router::new().route("/metrics", get(metrics));
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                _ = axum::serve(listener, router) => {}
            }
        });
        Ok(Self { address, shown, _stop: stop.drop_guard() })
    }

    /// The same where a port is asked for.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_where_asked(port: Option<u16>, target: &str) -> Result<Option<Self>> {
        match port {
            Some(port) => Self::start(port, target).await.map(Some),
            None => Ok(None),
        }
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://{}/metrics", self.address)
    }

    /// Takes what has come since.
    pub fn take(&self, progress: &LoadProgress) {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).take(progress);
    }
}

//! The sample service's own metrics: a counter, two gauges and a histogram.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

/// Upper bounds of the latency buckets, in seconds.
const BOUNDS: [f64; 11] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];

#[derive(Debug, Default)]
struct Histogram {
    buckets: [u64; BOUNDS.len()],
    count: u64,
    sum: f64,
}

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Figures {
    requests: BTreeMap<(String, String, u16), u64>,
    durations: BTreeMap<(String, String), Histogram>,
    in_flight: u64,
}

impl Figures {
    pub(super) fn begin(&mut self) {
        self.in_flight += 1;
    }

    pub(super) fn leave(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    pub(super) fn end(&mut self, method: &str, route: &str, status: u16, took: Duration) {
        *self.requests.entry((method.to_owned(), route.to_owned(), status)).or_default() += 1;
        let histogram = self.durations.entry((method.to_owned(), route.to_owned())).or_default();
        let seconds = took.as_secs_f64();
        histogram.count += 1;
        histogram.sum += seconds;
        if let Some(bucket) = BOUNDS.iter().position(|bound| seconds <= *bound) {
            histogram.buckets[bucket] += 1;
        }
    }

    /// The metrics as Prometheus text 0.0.4, or as OpenMetrics 1.0.
    pub(super) fn text(&self, orders: usize, openmetrics: bool) -> String {
        let mut text = String::with_capacity(4096);
        self.write(&mut text, orders, openmetrics).unwrap_or_else(|_| text.clear());
        text
    }

    fn write(&self, text: &mut String, orders: usize, openmetrics: bool) -> std::fmt::Result {
        // In OpenMetrics a counter's family has no `_total`; its samples do.
        let family = if openmetrics { "sample_requests" } else { "sample_requests_total" };
        writeln!(text, "# HELP {family} Requests by method, route and status.")?;
        writeln!(text, "# TYPE {family} counter")?;
        for ((method, route, status), count) in &self.requests {
            writeln!(text, "sample_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {count}")?;
        }
        writeln!(text, "# HELP sample_orders Orders that are kept.\n# TYPE sample_orders gauge\nsample_orders {orders}")?;
        writeln!(
            text,
            "# HELP sample_in_flight Requests that are being answered.\n# TYPE sample_in_flight gauge\nsample_in_flight {}",
            self.in_flight
        )?;
        let name = "sample_request_duration_seconds";
        writeln!(text, "# HELP {name} Time to answer.\n# TYPE {name} histogram")?;
        for ((method, route), histogram) in &self.durations {
            let labels = format!("method=\"{method}\",route=\"{route}\"");
            let mut below = 0;
            for (bound, count) in BOUNDS.iter().zip(histogram.buckets) {
                below += count;
                writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {below}")?;
            }
            writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", histogram.count)?;
            writeln!(text, "{name}_sum{{{labels}}} {}", histogram.sum)?;
            writeln!(text, "{name}_count{{{labels}}} {}", histogram.count)?;
        }
        if openmetrics {
            writeln!(text, "# EOF")?;
        }
        Ok(())
    }
}

//! `scrape` and `query`.

use std::path::Path;

use patchbay_contracts::{
    Code, Problem,
    ipc::{Backend, ListSeries, QuerySeries, ScrapeNow},
    metrics::{ScrapeReport, SeriesQuery, Shape},
    run::Verdict,
    units::Span,
};
use patchbay_engine::{Engine, metrics};

use super::{looks_like_a_name, now};
use crate::{
    Outcome,
    output::{Out, describe, table::Table, words},
};

pub(super) async fn scrape(engine: &Engine, out: &Out, source: &str) -> Outcome {
    let report = if engine.workspace().entry(source).is_ok() {
        engine.scrape_now(ScrapeNow { integration: source.to_owned() }).await?
    } else if Path::new(source).is_file() {
        metrics::read_file(Path::new(source))?
    } else if looks_like_a_name(source) {
        return Err(engine.workspace().entry(source).err().unwrap_or_else(|| Problem::internal("an entry that came and went")));
    } else {
        metrics::scrape_address(&engine.context(None), source).await?
    };
    out.result(&report, || text(&report));
    for problem in &report.problems {
        out.say(&describe(problem));
    }
    Ok(if report.problems.is_empty() { Verdict::Pass } else { Verdict::Fail })
}

fn text(report: &ScrapeReport) -> String {
    let mut table = Table::new(&["metric", "kind", "samples", "value", "help"]).right(&[2, 3]);
    for family in &report.families {
        let value = match family.samples.as_slice() {
            [one] => one.value.to_string(),
            _ => String::new(),
        };
        let kind = format!("{:?}", family.kind).to_lowercase();
        table.row([family.name.clone(), kind, family.samples.len().to_string(), value, family.help.clone()]);
    }
    let took = report.duration_ms.map(|ms| format!(" in {}", words::ms(ms))).unwrap_or_default();
    format!(
        "{}\n{} samples in {} families, {}{took}\n",
        table.text(),
        report.samples,
        report.families.len(),
        words::bytes(report.bytes)
    )
}

pub(super) async fn list(engine: &Engine, out: &Out, name: &str) -> Outcome {
    engine.workspace().entry(name)?;
    let series = engine.series(ListSeries { integration: name.to_owned() }).await?;
    let now = now();
    out.result(&series, || {
        if series.is_empty() {
            return format!("Nothing is stored for {name} yet.\nNext: add `metrics: {{ url: /metrics }}` to its file, then patchbay scrape {name}");
        }
        let mut table = Table::new(&["series", "kind", "last", "when"]).right(&[2]);
        for one in &series {
            let labels: Vec<String> = one.labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let kind = format!("{:?}", one.kind).to_lowercase();
            table.row([format!("{}{labels}", one.name), kind, one.last.to_string(), words::ago(one.last_at, now)]);
        }
        table.text()
    });
    Ok(Verdict::Pass)
}

/// What `query` was asked.
pub(super) struct Query {
    pub(super) name: String,
    pub(super) series: String,
    pub(super) labels: Vec<String>,
    pub(super) range: Span,
    pub(super) rate: bool,
    pub(super) quantile: Option<f64>,
}

pub(super) async fn query(engine: &Engine, out: &Out, query: Query) -> Outcome {
    engine.workspace().entry(&query.name)?;
    let mut labels = Vec::new();
    for label in &query.labels {
        let (name, value) = label.split_once('=').ok_or_else(|| {
            Problem::new(Code::InvalidInput, format!("`{label}` is not a label")).next("Write --label name=value")
        })?;
        labels.push((name.to_owned(), value.to_owned()));
    }
    let shape = match (query.rate, query.quantile) {
        (true, _) => Shape::Rate,
        (_, Some(q)) if (0.0..=1.0).contains(&q) => Shape::Quantile { q },
        (_, Some(q)) => return Err(Problem::new(Code::InvalidInput, format!("{q} is not a quantile; it lies from 0 to 1"))),
        _ => Shape::Auto,
    };
    let to = now();
    let from = to - query.range.0.as_millis() as i64;
    let asked = SeriesQuery { integration: query.name, name: query.series, labels, shape, from, to };
    let lines = engine.query(QuerySeries { query: asked }).await?;
    out.result(&lines, || {
        if lines.is_empty() {
            return format!("No values in the last {}.", query.range);
        }
        let mut table = Table::new(&["line", "unit", "points", "min", "mean", "max", "last"]).right(&[2, 3, 4, 5, 6]);
        for line in &lines {
            let values: Vec<f64> = line.points.iter().filter_map(|(_, value)| *value).collect();
            let figure = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
            let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
            table.row([
                line.label.clone(),
                line.unit.clone(),
                values.len().to_string(),
                figure(values.iter().copied().reduce(f64::min)),
                figure(mean),
                figure(values.iter().copied().reduce(f64::max)),
                figure(values.last().copied()),
            ]);
        }
        table.text()
    });
    Ok(Verdict::Pass)
}

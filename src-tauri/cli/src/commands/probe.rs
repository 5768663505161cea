//! `probe`.

use std::path::Path;

use patchbay_contracts::{
    Code, Problem,
    ipc::{Backend, EndpointRequest, SendProbe, UnderstandRequest},
    probe::{ProbeReport, ProbeRequest, Waterfall},
    run::{Report, Verdict},
};
use patchbay_engine::Engine;

use super::{looks_like_a_name, split_target};
use crate::{
    Outcome,
    arguments::ProbeArguments,
    output::{Colour, Out, describe, table::Table, words},
};

/// A body that is typed or read for one probe.
const BODY: u64 = 16 << 20;

pub(super) async fn run(engine: &Engine, out: &Out, arguments: &ProbeArguments) -> Outcome {
    let request = request(engine, out, arguments).await?;
    let run = engine.probe(SendProbe { request }).await?;
    let Report::Probe(probe) = &run.report else { return Err(Problem::internal("a probe gave another kind of report")) };
    out.result(&run, || text(out, probe));
    if let Some(problem) = &probe.problem {
        out.say(&describe(problem));
    }
    Ok(match &probe.response {
        None if probe.problem.as_ref().is_some_and(|problem| problem.code == Code::InvalidInput) => {
            return Err(probe.problem.clone().unwrap_or_else(|| Problem::internal("a probe without a problem")));
        }
        None => Verdict::Inconclusive,
        Some(response) if arguments.fail && response.status >= 400 => Verdict::Fail,
        Some(_) => Verdict::Pass,
    })
}

async fn request(engine: &Engine, out: &Out, arguments: &ProbeArguments) -> Result<ProbeRequest, Problem> {
    let mut request = match split_target(engine, &arguments.target) {
        Some((integration, endpoint)) => engine.endpoint_request(EndpointRequest { integration, endpoint }).await?,
        // Gives the "no such integration" with the nearest name.
        None if looks_like_a_name(&arguments.target) => {
            let name = arguments.target.split('/').next().unwrap_or_default();
            engine.workspace().entry(name)?;
            return Err(Problem::new(Code::NotFound, format!("There is no integration `{name}`")));
        }
        None => {
            let understood = engine.understand(UnderstandRequest { input: arguments.target.clone() }).await?;
            if !understood.ignored.is_empty() {
                out.say(&format!("ignored: {}", understood.ignored.join(" ")));
            }
            understood.request
        }
    };
    for header in &arguments.headers {
        let (name, value) = header.split_once(':').ok_or_else(|| {
            Problem::new(Code::InvalidInput, format!("`{header}` is not a header")).next("Write -H 'Name: value'")
        })?;
        request.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name.trim()));
        request.headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    if let Some(data) = &arguments.data {
        request.body = Some(body(data)?);
        if arguments.method.is_none() && request.endpoint.is_none() {
            request.method = patchbay_contracts::integration::Method::Post;
        }
    }
    if let Some(method) = arguments.method {
        request.method = method;
    }
    request.follow_redirects |= arguments.location;
    request.accept_invalid_certificate |= arguments.insecure;
    request.timeout = arguments.timeout.or(request.timeout);
    Ok(request)
}

fn body(data: &str) -> Result<String, Problem> {
    let Some(file) = data.strip_prefix('@') else { return Ok(data.to_owned()) };
    let cannot = |why: String| Problem::new(Code::InvalidInput, format!("The body can't be read from {file}")).why(why);
    let length = std::fs::metadata(Path::new(file)).map_err(|error| cannot(error.to_string()))?.len();
    if length > BODY {
        return Err(cannot(format!("It has {length} bytes; a probe sends at most {BODY}")));
    }
    std::fs::read_to_string(file).map_err(|error| cannot(error.to_string()))
}

pub(super) fn text(out: &Out, probe: &ProbeReport) -> String {
    let mut text = format!("{} {}\n", probe.request.method, probe.request.url);
    for hop in &probe.redirects {
        text.push_str(&format!("  {} {} → {}\n", hop.status, hop.from, hop.to));
        if !hop.withheld.is_empty() {
            text.push_str(&format!("    not sent on to the other host: {}\n", hop.withheld.join(", ")));
        }
    }
    if let Some(response) = &probe.response {
        let colour = match response.status {
            200..=299 => Colour::Green,
            300..=399 => Colour::Yellow,
            _ => Colour::Red,
        };
        let status = out.paint(colour, &format!("{} {}", response.status, response.reason));
        let size = words::bytes(response.body.bytes);
        text.push_str(&format!("{} {status}  {}  {size}\n\n", response.version, words::ms(probe.timing.total_ms)));
        let mut table = Table::bare();
        for (name, value) in &response.headers {
            table.row([out.paint(Colour::Dim, name), value.clone()]);
        }
        text.push_str(&table.text());
        text.push('\n');
        let body = &response.body;
        match (&body.json, &body.text, &body.hex) {
            (Some(json), _, _) => text.push_str(&serde_json::to_string_pretty(json).unwrap_or_default()),
            (_, Some(plain), _) => text.push_str(&printable(plain)),
            (_, _, Some(hex)) => text.push_str(hex),
            _ => {}
        }
        if body.truncated {
            text.push_str("\n… cut here");
        }
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&waterfall(&probe.timing));
    for note in &probe.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text
}

/// What a service sent must not move the terminal's cursor or change its colours.
fn printable(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() && !matches!(character, '\n' | '\t') { '�' } else { character })
        .collect()
}

/// Bars to scale, each beginning where the last ended.
fn waterfall(timing: &Waterfall) -> String {
    const WIDTH: f64 = 40.0;
    let phases = [
        ("DNS", timing.dns_ms),
        ("connect", timing.connect_ms),
        ("TLS", timing.tls_ms),
        ("first byte", timing.first_byte_ms),
        ("download", timing.download_ms),
    ];
    let sum: f64 = phases.iter().filter_map(|(_, ms)| *ms).sum();
    let mut table = Table::bare().right(&[1]);
    let mut before = 0.0;
    for (name, ms) in phases {
        let Some(ms) = ms else { continue };
        let scale = if sum > 0.0 { WIDTH / sum } else { 0.0 };
        let start = (before * scale).round() as usize;
        let end = (((before + ms) * scale).round() as usize).max(start + 1);
        table.row([name.to_owned(), words::ms(ms), format!("{}{}", " ".repeat(start), "█".repeat(end - start))]);
        before += ms;
    }
    table.row(["total".to_owned(), words::ms(timing.total_ms), String::new()]);
    table.text()
}

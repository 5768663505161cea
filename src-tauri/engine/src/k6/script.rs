//! The script as a whole.

use patchbay_contracts::{
    Code, Problem,
    integration::{Endpoint, FeedOrder, LoadSpec, Protocol},
};
use serde_json::{Map, Value, json};

use super::{
    Exported, Source, feeds, js, limits,
    request::{self, Request},
    thresholds::{self, FAILED, Frame, Mapped, Subject},
    tls, unsupported,
    values::Values,
    workload::{self, Workload},
};
use crate::Result;

/// Helpers that each script has.
const RUNTIME: &str = include_str!("runtime.js");
const IMPORTS: &str = "
import http from 'k6/http';
import { check, randomSeed, sleep } from 'k6';
import { SharedArray } from 'k6/data';
import encoding from 'k6/encoding';
import exec from 'k6/execution';
import { Rate } from 'k6/metrics';

";
/// Quantiles and the like that the summary is to have of each trend.
const TREND: [&str; 12] =
    ["count", "avg", "min", "med", "max", "p(50)", "p(75)", "p(90)", "p(95)", "p(99)", "p(99.9)", "p(99.99)"];
/// The tags that k6 sets. Not `url`: an address may hold a secret, and makes a series of its own for each value in it.
const TAGS: [&str; 10] =
    ["proto", "status", "method", "name", "group", "check", "error", "error_code", "scenario", "expected_response"];

/// A script with all that its manifest needs to know.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) text: String,
    pub(super) notes: Vec<String>,
    pub(super) variables: Vec<String>,
    /// Whether k6 must be kept from HTTP/2.
    pub(super) http1: bool,
}

impl Script {
    pub(super) fn exported(self) -> Exported {
        Exported { text: self.text, notes: self.notes, variables: self.variables }
    }
}

/// What the users of a plan do.
struct Steps {
    setup: Vec<Request>,
    round: Vec<(Request, u32)>,
    teardown: Vec<Request>,
    feeds: Vec<String>,
    /// The rows of the shortest file each row of which is used once.
    rows: Option<u64>,
}

impl Steps {
    fn all(&self) -> impl Iterator<Item = &Request> {
        self.setup.iter().chain(self.round.iter().map(|(request, _)| request)).chain(&self.teardown)
    }
}

/// A plan that was understood.
pub(super) struct Made {
    pub(super) spec: LoadSpec,
    pub(super) frame: Frame,
    pub(super) mapped: Vec<Mapped>,
    /// The requests as people read them.
    pub(super) shown: String,
    workload: Workload,
    steps: Steps,
    values: Values,
    notes: Vec<String>,
    http1: bool,
    /// What makes k6 show the client's certificate.
    client: String,
    instances: u32,
}

/// Understands a plan whose load `instances` of k6 share.
pub(super) async fn make(source: Source<'_>, spec: &LoadSpec, instances: u32) -> Result<Made> {
    let mut spec = spec.clone();
    spec.timeout = spec.timeout.or(source.definition.error_handling.timeout);
    let (mut notes, mut values) = (Vec::new(), Values::default());
    let steps = steps(source, &spec, &mut values).await?;
    remark(&spec, &steps, &mut notes);
    let workload = workload::make(&spec, steps.rows, &mut notes)?;
    limits::hold(&spec, &workload, &source.definition.load_limits.unwrap_or_default())?;
    let frame = frame(&spec, &workload, subjects(&steps), instances);
    let mapped = thresholds::map(&spec, &frame, &mut notes)?;
    for note in steps.all().flat_map(|request| &request.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    let https = steps.all().any(|request| request.https);
    let client = if https { tls::client(source, &mut values, &mut notes)? } else { String::new() };
    let http1 = https && spec.protocol == Protocol::Http1;
    if spec.protocol == Protocol::Http2 && !https {
        return Err(unsupported("HTTP/2 without TLS can't be written for k6")
            .why("k6 agrees on HTTP/2 within TLS only")
            .next("Choose protocol: http/1.1, or an address with https"));
    }
    let shown: Vec<&str> = steps.round.iter().map(|(request, _)| request.shown.as_str()).collect();
    let shown = shown.join(if spec.chain.is_empty() { " | " } else { " → " });
    Ok(Made { spec, frame, mapped, shown, workload, steps, values, notes, http1, client, instances })
}

impl Made {
    /// The script.
    pub(super) fn write(self, name: &str) -> Result<Script> {
        let Self { spec, frame, mapped, workload, steps, values, notes, http1, client, .. } = &self;
        let variables = values.variables();
        let mut text = head(name, notes, &variables, *http1);
        text.push_str(IMPORTS);
        text.push_str(&format!("export const options = {};\n\n", pretty(&options(spec, workload, frame, mapped, steps))?));
        text.push_str(client);
        let think = spec.think_time.map(|range| json!([range.from.as_ms(), range.to.as_ms()]));
        let plan = json!({
            "chain": !spec.chain.is_empty(),
            "open": spec.executor.is_open(),
            "think": think,
            "warmUp": spec.warm_up.map_or(0.0, |warm_up| warm_up.as_ms()),
            "timeout": workload::span(workload.timeout),
            "seed": spec.seed.map(|seed| seed % (1 << 31)),
        });
        let origin = json!({ "integration": name, "spec": spec, "instances": self.instances });
        text.push_str(&format!("const plan = {};\n", js::json(&plan)));
        text.push_str(&format!("const origin = {};\n", js::json(&origin)));
        text.push_str("// Requests that failed, or whose answers were not as the plan expects.\n");
        text.push_str(&format!("const failed = new Rate({});\n", js::string(FAILED)));
        text.push_str(&format!("const variables = {};\n\n", js::json(&json!(variables))));
        text.push_str(&format!("const feeds = [{}];\n\n", steps.feeds.concat()));
        let list = |name: &str, requests: &[String]| {
            let inner = if requests.is_empty() { String::new() } else { format!("\n{}", requests.concat()) };
            format!("const {name} = [{inner}];\n\n")
        };
        let round = steps.round.iter().zip(&frame.subjects);
        let round: Vec<String> = round.map(|((request, weight), subject)| request.literal(&subject.tag, *weight)).collect();
        let once = |requests: &[Request]| requests.iter().map(|one| one.literal(&tag(&one.name), 1)).collect::<Vec<_>>();
        text.push_str("// Called once, before the load.\n");
        text.push_str(&list("before", &once(&steps.setup)));
        text.push_str(if spec.chain.is_empty() {
            "// Of these, each iteration calls one.\n"
        } else {
            "// Each iteration calls these, one after the other.\n"
        });
        text.push_str(&list("endpoints", &round));
        text.push_str("// Called once, after the load.\n");
        text.push_str(&list("after", &once(&steps.teardown)));
        text.push_str(RUNTIME);
        Ok(Script { text, http1: *http1, variables, notes: self.notes })
    }
}

async fn steps(source: Source<'_>, spec: &LoadSpec, values: &mut Values) -> Result<Steps> {
    let definition = source.definition;
    let found = |name: &str| definition.endpoint_or_first(Some(name));
    if !spec.mix.is_empty() && !spec.chain.is_empty() {
        return Err(Problem::new(Code::InvalidInput, "A load plan has a mix or a chain, not both"));
    }
    if spec.mix.iter().any(|one| one.weight == 0) {
        return Err(Problem::new(Code::InvalidInput, "A weight of 0 leaves the endpoint out")
            .next("Take it out of the mix, or give it a weight of at least 1"));
    }
    let setup = called(source, &spec.setup, values).await?;
    let outer = values.clone();
    let (mut literals, mut rows) = (Vec::new(), None);
    for (place, feed) in spec.data.iter().enumerate() {
        let read = feeds::read(source.files, feed)?;
        for column in &read.columns {
            values.column(column, place);
        }
        let order = match feed.order {
            FeedOrder::Sequential => "sequential",
            FeedOrder::Random => "random",
            FeedOrder::Once => "once",
        };
        if feed.order == FeedOrder::Once {
            rows = Some(rows.unwrap_or(u64::MAX).min(read.rows.len() as u64));
        }
        let lines: Vec<String> = read.rows.iter().map(|row| format!("    {},\n", js::json(row))).collect();
        let name = js::string(&format!("{place} {}", feed.file));
        literals.push(format!(
            "\n  {{ order: {}, rows: new SharedArray({name}, () => [\n{}  ]) }},\n",
            js::string(order),
            lines.concat()
        ));
    }
    let round: Vec<(&Endpoint, u32)> = if !spec.chain.is_empty() {
        spec.chain.iter().map(|name| found(name).map(|endpoint| (endpoint, 1))).collect::<Result<_>>()?
    } else if !spec.mix.is_empty() {
        spec.mix.iter().map(|one| found(&one.endpoint).map(|endpoint| (endpoint, one.weight))).collect::<Result<_>>()?
    } else {
        vec![(definition.endpoint_or_first(spec.endpoint.as_deref())?, 1)]
    };
    let mut requests = Vec::new();
    for (endpoint, weight) in round {
        requests.push((request::make(source, endpoint, values).await?, weight));
        if !spec.chain.is_empty() {
            endpoint.capture.keys().for_each(|name| values.capture(name));
        }
    }
    values.back_to(&outer);
    let teardown = called(source, &spec.teardown, values).await?;
    Ok(Steps { setup, round: requests, teardown, feeds: literals, rows })
}

/// Requests of endpoints that are called one after the other.
async fn called(source: Source<'_>, names: &[String], values: &mut Values) -> Result<Vec<Request>> {
    let mut requests = Vec::new();
    for name in names {
        let endpoint = source.definition.endpoint_or_first(Some(name))?;
        requests.push(request::make(source, endpoint, values).await?);
        endpoint.capture.keys().for_each(|name| values.capture(name));
    }
    Ok(requests)
}

/// What is different from a run of Patchbay's own.
fn remark(spec: &LoadSpec, steps: &Steps, notes: &mut Vec<String>) {
    let mut note = |text: &str| notes.push(text.to_owned());
    if spec.executor.is_open() {
        note(
            "k6 counts latency from the moment at which a request was sent; Patchbay counts it from the moment at which it was \
             due, so what waits behind a slow answer is in Patchbay's figures and not in k6's.",
        );
        note(
            "An arrival that finds no user free is dropped by k6 (dropped_iterations); with Patchbay it waits for a connection.",
        );
    }
    note(
        "Requests that have no answer when the grace is over are interrupted by k6 and are in none of its figures. Its rate is \
         one of requests over the time of the whole run, grace included; Patchbay's is one of answers over the measured time.",
    );
    if spec.thresholds.iter().any(|text| text.contains("errors")) && spec.executor.is_open() {
        note("Of failures and dropped arrivals, which Patchbay adds up, k6 holds each by itself to the bound on errors.");
    }
    if steps.all().any(|request| !request.captures.is_empty()) {
        note("JavaScript loses digits of numbers beyond 2^53; a larger one that is captured is another in the next request.");
    }
    if steps.all().any(|request| request.https) {
        if spec.protocol == Protocol::Http1 {
            note("k6 agrees on HTTP/2 where a service offers it; start it with GODEBUG=http2client=0 to stay with HTTP/1.1.");
        }
        if spec.session_reuse {
            note("k6 makes a whole TLS handshake on each connection.");
        }
    }
    if spec.warm_up.is_some() && spec.executor.is_open() {
        note("Arrivals that k6 drops while it warms up count as dropped.");
    }
    if spec.abort_after.is_some() {
        note("k6 looks at thresholds every two seconds, so a run that can't hold one any more ends a little later.");
    }
}

fn subjects(steps: &Steps) -> Vec<Subject> {
    let mut subjects: Vec<Subject> = Vec::new();
    for (request, _) in &steps.round {
        let plain = tag(&request.name);
        let mut own = plain.clone();
        let mut number = 1;
        while subjects.iter().any(|known| known.tag == own) {
            number += 1;
            own = format!("{plain} {number}");
        }
        subjects.push(Subject { name: request.name.clone(), tag: own, judges: request.judges() });
    }
    subjects
}

/// A name as a tag that thresholds can be about: k6 reads braces, commas, colons and quotes in them.
fn tag(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '.' | '/') { c } else { '_' };
    name.trim().chars().map(plain).collect()
}

fn frame(spec: &LoadSpec, workload: &Workload, subjects: Vec<Subject>, instances: u32) -> Frame {
    let measured = workload.duration.saturating_sub(spec.warm_up.map(|warm_up| warm_up.0).unwrap_or_default());
    let ends_early = workload.scenario["executor"] == "shared-iterations";
    Frame {
        subjects,
        phased: spec.warm_up.is_some() || !spec.setup.is_empty() || !spec.teardown.is_empty(),
        measured: (!ends_early).then_some(measured.as_secs_f64()),
        arrivals: workload.arrivals,
        instances,
        abort_after: spec.abort_after,
    }
}

fn options(spec: &LoadSpec, workload: &Workload, frame: &Frame, mapped: &[Mapped], steps: &Steps) -> Value {
    let mut thresholds: Map<String, Value> = Map::new();
    // One without an expression holds nothing; it makes k6 put the figures of the part into its summary.
    let tags = frame.subjects.iter().filter(|_| frame.subjects.len() > 1).map(|subject| Some(subject.tag.as_str()));
    for tag in tags.chain([None]) {
        for metric in ["http_reqs", "http_req_failed", FAILED, "http_req_duration", "http_req_waiting"] {
            thresholds.insert(frame.metric(metric, tag), json!([]));
        }
        thresholds.insert(unanswered(&frame.metric("http_reqs", tag)), json!([]));
    }
    for part in mapped.iter().flat_map(|one| &one.parts) {
        let written = if part.abort {
            let wait = frame.abort_after.map_or_else(|| "0s".to_owned(), |after| workload::span(after.0));
            json!({ "threshold": part.expression, "abortOnFail": true, "delayAbortEval": wait })
        } else {
            json!(part.expression)
        };
        if let Some(all) = thresholds.entry(part.metric.clone()).or_insert_with(|| json!([])).as_array_mut()
            && !all.contains(&written)
        {
            all.push(written);
        }
    }
    let reads = steps.all().any(|request| request.reads_body);
    json!({
        "scenarios": { "load": workload.scenario },
        "thresholds": thresholds,
        "summaryTrendStats": TREND,
        "systemTags": TAGS,
        "maxRedirects": 0,
        "noConnectionReuse": !spec.keep_alive,
        "discardResponseBodies": !reads,
    })
}

/// The part of a metric that is about requests without an answer, which have the status 0 with k6.
pub(super) fn unanswered(metric: &str) -> String {
    match metric.strip_suffix('}') {
        Some(open) => format!("{open},status:0}}"),
        None => format!("{metric}{{status:0}}"),
    }
}

fn pretty(value: &Value) -> Result<String> {
    serde_json::to_string_pretty(value).map_err(Problem::internal)
}

fn head(name: &str, notes: &[String], variables: &[String], http1: bool) -> String {
    let mut text = js::comment(&format!("The load plan of {name}, written by Patchbay {} for k6 v1.", version()), "", "");
    text.push_str("//\n");
    let keep = if http1 { "GODEBUG=http2client=0 " } else { "" };
    text.push_str(&js::comment(&format!("Run it:        {keep}k6 run FILE"), "", ""));
    text.push_str(&js::comment("Read it back:  patchbay load NAME --from-k6 summary.json", "", ""));
    text.push_str(&js::comment(
        "The summary goes into the file that the variable PATCHBAY_SUMMARY names, summary.json without it, and is printed with -.",
        "",
        "",
    ));
    if !variables.is_empty() {
        text.push_str("//\n");
        text.push_str(&js::comment(
            "No secret stands in this script. It has them from these variables, and sends them to the hosts below, wherever that is:",
            "",
            "",
        ));
        for variable in variables {
            text.push_str(&js::comment(variable, "  ", "  "));
        }
    }
    text.push_str("//\n");
    text.push_str(&js::comment("What is different from a run of Patchbay's own:", "", ""));
    for note in notes {
        text.push_str(&js::comment(note, "- ", "  "));
    }
    text
}

const fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

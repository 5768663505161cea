//! The HTML report of each kind of run.

use patchbay_contracts::{
    probe::ProbeReport,
    run::{Report, Run},
};

use super::page::{Page, ms, when};

pub(super) fn render(run: &Run) -> String {
    match &run.report {
        Report::Probe(probe) => probe_page(run, probe),
        Report::Contract(contract) => super::contract::page(run, contract),
        Report::Load(load) => super::load::page(run, load),
    }
}

fn probe_page(run: &Run, probe: &ProbeReport) -> String {
    let mut page =
        Page::new(&format!("Probe: {} {}", probe.request.method, probe.request.url), run.summary.verdict, run.summary.partial);
    let timing = &probe.timing;
    let phase = |value: Option<f64>| value.map(ms).unwrap_or_default();
    page.facts(&[
        (
            "Status",
            probe.response.as_ref().map(|response| format!("{} {}", response.status, response.reason)).unwrap_or_default(),
        ),
        ("Begun", when(probe.at)),
        ("Total", ms(timing.total_ms)),
        ("DNS", phase(timing.dns_ms)),
        ("Connect", phase(timing.connect_ms)),
        ("TLS", phase(timing.tls_ms)),
        ("First byte", phase(timing.first_byte_ms)),
        ("Download", phase(timing.download_ms)),
        ("Run", run.summary.id.to_string()),
    ]);
    if let Some(problem) = &probe.problem {
        page.line(&problem.to_string());
    }
    for note in &probe.notes {
        page.line(note);
    }
    let rows =
        |headers: &[(String, String)]| headers.iter().map(|(name, value)| vec![name.clone(), value.clone()]).collect::<Vec<_>>();
    if let Some(response) = &probe.response {
        page.heading("Response");
        page.table(&["header", "value"], &rows(&response.headers), 2);
        let body = &response.body;
        match (&body.json, &body.text, &body.hex) {
            (Some(json), _, _) => page.code(&serde_json::to_string_pretty(json).unwrap_or_default()),
            (_, Some(text), _) | (_, _, Some(text)) => page.code(text),
            _ => page.line("The body is empty"),
        }
    }
    page.heading("Request");
    page.table(&["header", "value"], &rows(&probe.request.headers), 2);
    page.code(&probe.request.curl);
    page.finish()
}

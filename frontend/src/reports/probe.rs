//! One exchange, shown whole.

use std::rc::Rc;

use patchbay_contracts::{
    Timestamp,
    probe::{Certificate, ProbeReport, Redirect, Response, SentRequest},
};
use yew::prelude::*;

use super::{
    WaterfallView,
    body::{BodyView, LongText},
};
use crate::{
    components::{Column, CopyButton, Glyph, Icon, MiddleCut, ProblemView, Segments, Table, Time},
    hooks::use_now,
    utils::text,
};

/// The properties of [`ProbeReportView`].
#[derive(Properties, PartialEq)]
pub struct ProbeReportViewProps {
    /// What was sent and what came.
    pub report: Rc<ProbeReport>,
}

/// The status, the time, the size, and the exchange in its parts.
#[component]
pub fn ProbeReportView(props: &ProbeReportViewProps) -> Html {
    let report = &props.report;
    let tab = use_state_eq(|| None::<AttrValue>);
    let body = use_memo(props.report.clone(), |report| report.response.as_ref().map(|response| Rc::new(response.body.clone())));
    let parts = parts(report);
    let present = |tab: &AttrValue| parts.iter().any(|(known, _)| known == tab);
    let current = (*tab).clone().filter(present).or_else(|| parts.first().map(|(tab, _)| tab.clone())).unwrap_or_default();
    let on_change = {
        let tab = tab.clone();
        Callback::from(move |chosen| tab.set(Some(chosen)))
    };
    html! {
        <div class="exchange" data-test="exchange">
            <Outcome report={report.clone()} />
            if let Some(problem) = &report.problem { <ProblemView problem={problem.clone()} mild={report.response.is_some()} /> }
            { for report.notes.iter().map(|note| html! {
                <p class="note" data-test="note"><Icon glyph={Glyph::Degraded} />{ note }</p>
            }) }
            <WaterfallView timing={report.timing} />
            <Segments tabs=true label="Parts of the exchange" options={parts.clone()} value={current.clone()} {on_change} test="part" />
            <div class="exchange-part" role="tabpanel">
                { match (current.as_str(), &report.response, &*body) {
                    ("body", Some(_), Some(body)) => html! { <BodyView body={body.clone()} /> },
                    ("headers", Some(response), _) => html! { <Headers label="Headers of the answer" headers={response.headers.clone()} /> },
                    ("certificate", Some(Response { certificate: Some(certificate), .. }), _) => html! {
                        <CertificateView certificate={certificate.clone()} />
                    },
                    ("redirects", ..) => redirects(&report.redirects),
                    _ => html! { <RequestView request={report.request.clone()} /> },
                } }
            </div>
        </div>
    }
}

fn parts(report: &ProbeReport) -> Vec<(AttrValue, AttrValue)> {
    let mut parts: Vec<(AttrValue, AttrValue)> = Vec::new();
    if let Some(response) = &report.response {
        parts.push(("body".into(), "Body".into()));
        parts.push(("headers".into(), format!("Headers {}", response.headers.len()).into()));
    }
    parts.push(("request".into(), "Request".into()));
    if report.response.as_ref().is_some_and(|response| response.certificate.is_some()) {
        parts.push(("certificate".into(), "Certificate".into()));
    }
    if !report.redirects.is_empty() {
        parts.push(("redirects".into(), format!("Redirects {}", report.redirects.len()).into()));
    }
    parts
}

/// The line over an exchange.
#[component]
fn Outcome(props: &ProbeReportViewProps) -> Html {
    let report = &props.report;
    let Some(response) = &report.response else {
        return html! {
            <p class="outcome">
                <span class="outcome-status down" data-test="response-status"><Icon glyph={Glyph::Down} />{ "No answer" }</span>
                <span class="muted">{ "after " }{ text::duration(report.timing.total_ms) }</span>
                <span class="muted"><Time at={report.at} /></span>
            </p>
        };
    };
    let (glyph, class) = match response.status {
        200..=299 => (Glyph::Healthy, "healthy"),
        300..=399 => (Glyph::External, "unobserved"),
        _ => (Glyph::Down, "down"),
    };
    let body = &response.body;
    let size = if body.wire_bytes == body.bytes || body.wire_bytes == 0 {
        text::bytes(body.bytes)
    } else {
        format!("{} ({} on the wire)", text::bytes(body.bytes), text::bytes(body.wire_bytes))
    };
    html! {
        <p class="outcome">
            <span class={classes!("outcome-status", class)} data-test="response-status" data-status={response.status.to_string()}>
                <Icon {glyph} /><span>{ response.status }{ " " }{ &response.reason }</span>
            </span>
            <span data-test="response-time">{ text::duration(report.timing.total_ms) }</span>
            <span data-test="response-size">{ size }</span>
            <span class="muted">{ &response.version }</span>
            if let Some(remote) = &response.remote { <span class="muted code" title="The address that answered">{ remote }</span> }
            <span class="muted"><Time at={report.at} /></span>
        </p>
    }
}

#[derive(Properties, PartialEq)]
struct HeadersProps {
    label: AttrValue,
    headers: Vec<(String, String)>,
}

/// Headers in the order in which they came.
#[component]
fn Headers(props: &HeadersProps) -> Html {
    if props.headers.is_empty() {
        return html! { <p class="muted">{ "None." }</p> };
    }
    let columns = vec![Column::words("Name"), Column::wide("Value")];
    html! {
        <Table label={props.label.clone()} {columns} test="headers">
            { for props.headers.iter().map(|(name, value)| html! {
                <tr><td class="code header-name">{ name }</td><td class="code breakable">{ value }</td></tr>
            }) }
        </Table>
    }
}

/// The properties of [`RequestView`].
#[derive(Properties, PartialEq)]
pub struct RequestViewProps {
    /// The request as it went out.
    pub request: SentRequest,
}

/// The request as it was sent, and as a curl line.
#[component]
pub fn RequestView(props: &RequestViewProps) -> Html {
    let request = &props.request;
    html! {
        <div class="stack">
            <p class="code breakable" data-test="sent">{ &request.method }{ " " }{ &request.url }</p>
            <Headers label="Headers of the request" headers={request.headers.clone()} />
            if let Some(body) = request.body.as_ref().filter(|body| !body.is_empty()) {
                <div class="body-frame" tabindex="0" role="group" aria-label="Body of the request"><LongText text={body.clone()} /></div>
            }
            if !request.curl.is_empty() { <Curl line={request.curl.clone()} /> }
        </div>
    }
}

/// The properties of [`Curl`].
#[derive(Properties, PartialEq)]
pub struct CurlProps {
    /// The line.
    pub line: AttrValue,
}

/// A request as a curl line that can be copied.
#[component]
pub fn Curl(props: &CurlProps) -> Html {
    html! {
        <div class="curl">
            <pre class="code raw" data-test="curl">{ props.line.clone() }</pre>
            <CopyButton text={props.line.clone()} label="Copy the curl line" test="copy-curl" />
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct CertificateViewProps {
    certificate: Certificate,
}

/// What the server's certificate says of itself.
#[component]
fn CertificateView(props: &CertificateViewProps) -> Html {
    let now = use_now();
    let certificate = &props.certificate;
    let (glyph, class, word) =
        if certificate.valid { (Glyph::Healthy, "healthy", "valid") } else { (Glyph::Down, "down", "not valid, and accepted") };
    html! {
        <dl class="certificate" data-test="certificate">
            <div><dt>{ "Found" }</dt><dd><span class={classes!("badge", class)}><Icon {glyph} /><span>{ word }</span></span></dd></div>
            <div><dt>{ "Issued to" }</dt><dd class="breakable">{ &certificate.subject }</dd></div>
            <div><dt>{ "Issued by" }</dt><dd class="breakable">{ &certificate.issuer }</dd></div>
            <div><dt>{ "Good for" }</dt><dd class="breakable">{ certificate.names.join(", ") }</dd></div>
            <div><dt>{ "From" }</dt><dd><Time at={certificate.not_before} /></dd></div>
            <div><dt>{ "Until" }</dt><dd><Time at={certificate.not_after} />{ left(certificate.not_after, now) }</dd></div>
            if let Some(protocol) = &certificate.protocol { <div><dt>{ "Protocol" }</dt><dd>{ protocol }</dd></div> }
        </dl>
    }
}

fn left(until: Timestamp, now: Timestamp) -> Html {
    let days = until.saturating_sub(now).div_euclid(86_400_000);
    match days {
        0..=13 => html! { <span class="badge degraded"><Icon glyph={Glyph::Degraded} /><span>{ "ends soon" }</span></span> },
        d if d < 0 => html! { <span class="badge down"><Icon glyph={Glyph::Down} /><span>{ "has ended" }</span></span> },
        _ => Html::default(),
    }
}

fn redirects(redirects: &[Redirect]) -> Html {
    let columns = vec![Column::figures("Status"), Column::wide("From"), Column::wide("To"), Column::words("Not sent on")];
    html! {
        <Table label="Answers on the way" {columns} test="redirects">
            { for redirects.iter().map(|redirect| html! {
                <tr>
                    <td class="figure">{ redirect.status }</td>
                    <td class="code"><MiddleCut text={redirect.from.clone()} limit=60 /></td>
                    <td class="code"><MiddleCut text={redirect.to.clone()} limit=60 /></td>
                    <td title="Another host does not get these credentials">{ redirect.withheld.join(", ") }</td>
                </tr>
            }) }
        </Table>
    }
}

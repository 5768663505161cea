//! `sample`.

use patchbay_contracts::{Code, Problem, integration::Method, probe::ProbeRequest, run::Verdict};
use patchbay_engine::{Engine, sample::Sample};

use super::until_over;
use crate::{Outcome, arguments::SampleArguments, output::Out};

pub(super) async fn run(engine: &Engine, out: &Out, arguments: &SampleArguments) -> Outcome {
    let mut sample = Sample::start(engine.ports(), arguments.port, &arguments.token, arguments.faults()?).await?;
    let url = sample.url();
    if arguments.register {
        engine.register_sample(&url).await?;
    }
    let document = serde_json::json!({
        "url": url, "metrics": format!("{url}/metrics"), "openapi": format!("{url}/openapi.json"),
        "token": arguments.token, "faults": sample.faults(), "registered": arguments.register,
    });
    out.result(&document, || {
        let registered = if arguments.register {
            format!("\nRegistered as {}; try: patchbay contract test {0}", patchbay_engine::sample::NAME)
        } else {
            String::new()
        };
        format!(
            "The sample service answers at {url}\n  orders   {url}/api/v1/orders   (Authorization: Bearer {})\n  metrics  {url}/metrics\n  OpenAPI  {url}/openapi.json{registered}",
            arguments.token
        )
    });
    until_over(arguments.duration, sample.ended()).await;
    sample.stop();
    Ok(Verdict::Pass)
}

/// Tells a sample service that runs elsewhere what to do wrong.
pub(super) async fn tell(out: &Out, arguments: &SampleArguments) -> Outcome {
    let faults = arguments.faults()?;
    let url = arguments.at.as_deref().unwrap_or_default().trim_end_matches('/');
    // No workspace is needed for this one call, and nothing is stored.
    let engine =
        Engine::open(patchbay_engine::engine::Config { database: Some(":memory:".to_owned()), ..Default::default() }).await?;
    let request = ProbeRequest {
        method: Method::Put,
        url: format!("{url}/_patchbay/faults"),
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: Some(serde_json::to_string(&faults).map_err(Problem::internal)?),
        ..ProbeRequest::default()
    };
    let answer = patchbay_engine::http::send(&engine.context(None), &request, patchbay_engine::http::Bounds::default()).await;
    match answer.response {
        Some(response) if response.status == 200 => {
            out.result(&faults, || {
                if arguments.faults.is_empty() {
                    "The sample service does nothing wrong now".to_owned()
                } else {
                    format!("The sample service now has: {}", arguments.faults.join(", "))
                }
            });
            Ok(Verdict::Pass)
        }
        Some(response) => Err(Problem::new(Code::InvalidInput, format!("{url} is not a sample service"))
            .why(format!("It answered {} {}", response.status, response.reason))),
        None => Err(answer.problem.unwrap_or_else(|| Problem::internal("neither an answer nor a problem"))),
    }
}

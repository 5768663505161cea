//! Calls before and after a run.

use patchbay_contracts::{
    Code, Problem,
    integration::{Endpoint, Integration},
    probe::ProbeRequest,
};

use crate::{
    Result,
    contract::{Schemas, capture},
    http::{self, Bounds, Context},
};

/// Endpoints that are called one after the other, with what they capture.
#[derive(Debug, Default)]
pub struct Calls {
    calls: Vec<(Endpoint, ProbeRequest)>,
    context: Option<Box<Known>>,
}

/// What the calls know by then.
struct Known(Context);

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Known")
    }
}

impl Calls {
    pub(super) fn new(definition: &Integration, schemas: &Schemas, names: &[String]) -> Result<Self> {
        let call = |name: &String| {
            let endpoint = definition.endpoint_or_first(Some(name))?;
            Ok((endpoint.clone(), http::request_with(definition, endpoint, schemas)?))
        };
        Ok(Self { calls: names.iter().map(call).collect::<Result<_>>()?, context: None })
    }

    /// The same, with what is known.
    pub(super) fn with(self, context: Context) -> Self {
        Self { context: Some(Box::new(Known(context))), ..self }
    }

    /// Makes the calls, and stops at the first that fails.
    pub(super) async fn make(&self, context: &mut Context) -> Result<()> {
        for (endpoint, request) in &self.calls {
            call(endpoint, request, context).await?;
        }
        Ok(())
    }

    /// Makes all of the calls, whatever becomes of the others. Gives what went wrong.
    pub(super) async fn make_all(&self, context: &mut Context) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (endpoint, request) in &self.calls {
            problems.extend(call(endpoint, request, context).await.err());
        }
        problems
    }

    /// The same with what is known.
    pub(super) async fn finish(&mut self) -> Vec<Problem> {
        match self.context.take() {
            Some(mut known) => self.make_all(&mut known.0).await,
            None => Vec::new(),
        }
    }
}

async fn call(endpoint: &Endpoint, request: &ProbeRequest, context: &mut Context) -> Result<()> {
    let about = |problem: Problem| Problem { what: format!("`{}`: {}", endpoint.label(), problem.what), ..problem };
    let report = http::send_plain(context, request, Bounds::default()).await;
    if let Some(problem) = report.problem {
        return Err(about(problem));
    }
    let response = report.response.ok_or_else(|| Problem::internal("neither an answer nor a problem"))?;
    let expected = endpoint.expect.as_ref().and_then(|expect| expect.status.as_ref());
    if !expected.map_or(response.status < 400, |pattern| pattern.matches(response.status)) {
        let what = format!("`{}` answered {} {}", endpoint.label(), response.status, response.reason);
        return Err(Problem::new(Code::BadResponse, what).why("it is called before or after the load run, and has to succeed"));
    }
    for (name, expression) in &endpoint.capture {
        let value = capture::capture(expression, &response).map_err(about)?;
        context.scope.captured.insert(name.clone(), value);
    }
    Ok(())
}

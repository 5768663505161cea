//! `mock`.

use patchbay_contracts::{Code, Problem, integration::Auth, run::Verdict, sample::Faults};
use patchbay_engine::{
    Engine,
    contract::mock::{Mock, MockOptions},
    engine::Config,
    secrets::guard_panics,
};

use super::until_over;
use crate::{
    Outcome,
    arguments::MockArguments,
    output::{Out, describe},
};

pub(super) async fn run(out: &Out, arguments: MockArguments, config: Config) -> Outcome {
    let options = MockOptions {
        port: arguments.port,
        host: arguments.host,
        seed: arguments.seed,
        faults: faults(&arguments.faults)?,
        auth: arguments.auth.as_deref().map(Auth::from_flag).transpose()?,
    };
    // Nothing is stored.
    let engine = Engine::open(Config { database: Some(":memory:".to_owned()), ..config }).await?;
    guard_panics(engine.credentials().redactor());
    let given = options.auth.is_some();
    let mut mock = engine.mock(&arguments.file, arguments.fetch, options).await?;
    for problem in mock.problems() {
        out.say(&describe(problem));
    }
    // One that was made up guards nothing, and is no secret; one that was given is.
    let token = (!given).then(|| mock.credential().expose().clone());
    let document = serde_json::json!({
        "url": mock.url(), "file": arguments.file, "token": token, "seed": arguments.seed, "faults": arguments.faults,
    });
    out.result(&document, || text(&mock, &arguments, token.as_deref()));
    until_over(arguments.duration, mock.ended()).await;
    mock.stop();
    engine.close().await;
    Ok(Verdict::Pass)
}

fn text(mock: &Mock, arguments: &MockArguments, token: Option<&str>) -> String {
    let mut text = format!("A mock of {} answers at {}\n", arguments.file, mock.url());
    if let Some(token) = token {
        text.push_str(&format!(
            "  credential  {token}   (what the contract protects takes it as a bearer token, as a key or as a password; others are refused)\n  try         patchbay contract test {} --url {} --auth bearer:{token}\n",
            arguments.file,
            mock.url()
        ));
    }
    if !arguments.faults.is_empty() {
        text.push_str(&format!("  faults      {}\n", arguments.faults.join(", ")));
    }
    text
}

fn faults(texts: &[String]) -> Result<Faults, Problem> {
    let mut faults = Faults::default();
    for text in texts {
        faults.turn_on(text).map_err(|bad| Problem::new(Code::InvalidInput, bad.to_string()))?;
    }
    Ok(faults)
}

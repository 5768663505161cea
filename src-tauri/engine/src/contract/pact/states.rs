//! Bringing the provider into the state that an interaction starts from, and out of it again.

use std::{process::Stdio, time::Duration};

use pact_models::provider_states::ProviderState;
use patchbay_contracts::{
    Code, Problem,
    contract::{Check, CheckResult, ContractOptions},
    run::Verdict,
};
use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::Command,
};

use super::exchange::{self, answer, same_origin};
use crate::{Result, http::Context};

/// The longest that a command may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes of what a command says.
const SAID: u64 = 1 << 20;

/// Up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    SetUp,
    TearDown,
}

impl Action {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SetUp => "setup",
            Self::TearDown => "teardown",
        }
    }
}

/// What state changes came to.
pub(super) struct Changed {
    /// One for each state.
    pub(super) checks: Vec<CheckResult>,
    /// Values that the provider gave, for generators.
    pub(super) values: Map<String, Value>,
}

impl Changed {
    /// Whether the interaction can begin.
    pub(super) fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.verdict == Verdict::Pass)
    }
}

/// Changes to all states, one after the other. Nothing is changed where nobody says how.
pub(super) async fn change(context: &Context, options: &ContractOptions, states: &[ProviderState], action: Action) -> Changed {
    let mut changed = Changed { checks: Vec::new(), values: Map::new() };
    let Some(handler) = options.pact.states.as_deref() else { return changed };
    for state in states {
        let result = match handler.strip_prefix("command:") {
            Some(line) => by_command(line, state, action).await,
            None => by_address(context, options, handler, state, action).await,
        };
        let (doing, done) = match action {
            Action::SetUp => ("set up", "set up"),
            Action::TearDown => ("take down", "taken down"),
        };
        let (verdict, message) = match result {
            Ok(values) => {
                changed.values.extend(values);
                (Verdict::Pass, format!("The state `{}` was {done}", state.name))
            }
            Err((verdict, why)) => (verdict, format!("The provider did not {doing} the state `{}`: {why}", state.name)),
        };
        changed.checks.push(CheckResult::new(Check::ProviderState, verdict, message));
    }
    changed
}

/// Why a state was not changed, and whether that is a failure or only not known.
type Failure = (Verdict, String);

fn body(state: &ProviderState, action: Action) -> Value {
    json!({ "state": state.name, "params": state.params, "action": action.as_str() })
}

async fn by_address(
    context: &Context,
    options: &ContractOptions,
    address: &str,
    state: &ProviderState,
    action: Action,
) -> std::result::Result<Map<String, Value>, Failure> {
    let mut request = exchange::post(address, &body(state, action));
    // The credentials are the provider's, and no other service's.
    if options.url.as_deref().is_some_and(|url| same_origin(url, address)) {
        request = exchange::filtered(request, options);
    }
    let report = exchange::send(context, &request).await;
    let response = answer(&report).map_err(|problem| (Verdict::Inconclusive, problem.to_string()))?;
    if !(200..300).contains(&response.status) {
        return Err((Verdict::Fail, format!("{address} answered {} {}", response.status, response.reason).trim_end().to_owned()));
    }
    Ok(response.body.json.as_ref().and_then(Value::as_object).cloned().unwrap_or_default())
}

/// Runs the person's own command line in their shell. The state stands in the environment and on standard input, and is
/// never a part of the line: a pact may come from anywhere.
async fn by_command(line: &str, state: &ProviderState, action: Action) -> std::result::Result<Map<String, Value>, Failure> {
    let failed = |why: String| (Verdict::Fail, why);
    let asked = body(state, action);
    let mut command = shell(line);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PATCHBAY_SECRET_") {
            command.env_remove(name);
        }
    }
    let params = asked.get("params").map(Value::to_string).unwrap_or_default();
    command.env("PACT_STATE", &state.name).env("PACT_ACTION", action.as_str()).env("PACT_PARAMS", params);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| failed(format!("the command can't be started: {error}")))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let run = async {
        if let Some(mut stdin) = stdin {
            // A command need not read what it is told.
            let _ = stdin.write_all(asked.to_string().as_bytes()).await;
        }
        let (said, complained) = tokio::join!(all(stdout), all(stderr));
        (child.wait().await, said, complained)
    };
    let (status, said, complained) = tokio::time::timeout(TIMEOUT, run)
        .await
        .map_err(|_| (Verdict::Inconclusive, format!("the command did not end within {} s", TIMEOUT.as_secs())))?;
    let status = status.map_err(|error| failed(error.to_string()))?;
    if !status.success() {
        let why = complained.trim();
        let why = &why[..why.floor_char_boundary(500)];
        return Err(failed(format!("the command ended with {status}{}{why}", if why.is_empty() { "" } else { ": " })));
    }
    Ok(serde_json::from_str(&said).unwrap_or_default())
}

fn shell(line: &str) -> Command {
    let (program, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut command = Command::new(program);
    command.arg(flag).arg(line.trim());
    command
}

/// What a pipe gives, up to the bound; the rest is read and dropped, so that the command isn't held up.
async fn all(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut pipe) = pipe else { return String::new() };
    let mut bytes = Vec::new();
    let _ = (&mut pipe).take(SAID).read_to_end(&mut bytes).await;
    let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Says what stands in the way before anything is sent.
///
/// # Errors
/// [`Code::InvalidInput`] for a handler that is neither an address nor a command.
pub(super) fn check(options: &ContractOptions) -> Result<()> {
    match options.pact.states.as_deref() {
        Some(handler) if !handler.starts_with("command:") && !handler.contains("://") && !handler.starts_with("${") => {
            Err(Problem::new(Code::InvalidInput, format!("States can't be changed by `{handler}`"))
                .next("Give an address, or `command:` and a command line"))
        }
        _ => Ok(()),
    }
}

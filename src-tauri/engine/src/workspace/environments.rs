//! `patchbay.yaml`: the environments of a workspace and their variables.

use std::sync::LazyLock;

use indexmap::IndexMap;
use patchbay_contracts::{Code, Problem, integration::Scalar};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{definition, utils::nearest};

/// The file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    /// What holds for the whole workspace.
    #[serde(default)]
    workspace: Settings,
}

/// What holds for the whole workspace.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The environment that is chosen; the first one without it.
    #[serde(default)]
    pub environment: Option<String>,
    /// The environments: a name, and variables by name. A mapping in place of a value holds the variables of the
    /// integration of that name alone.
    #[serde(default)]
    pub environments: IndexMap<String, IndexMap<String, Variable>>,
}

/// A variable, or the variables of one integration.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Variable {
    /// A value.
    Value(Scalar),
    /// Values of one integration.
    Of(IndexMap<String, Scalar>),
}

static SCHEMA: LazyLock<Value> = LazyLock::new(definition::schema_of::<SettingsFile>);

/// Reads the file; what can't be read is left out as a whole, so that nothing is called by half an environment.
pub fn parse(file: &str, bytes: &[u8]) -> (Settings, Vec<Problem>) {
    let (read, mut problems, positions) = definition::parse_as::<SettingsFile>(file, bytes, &SCHEMA);
    let Some(settings) = read.map(|file| file.workspace) else { return (Settings::default(), problems) };
    if let Some(chosen) = settings.environment.as_deref().filter(|chosen| !settings.environments.contains_key(*chosen)) {
        let mut problem = unknown(chosen, &settings);
        problem.code = Code::InvalidDefinition;
        problem.place = positions.place("/workspace/environment");
        problems.push(problem);
    }
    (settings, problems)
}

/// There is no such environment.
pub fn unknown(name: &str, settings: &Settings) -> Problem {
    let known: Vec<&str> = settings.environments.keys().map(String::as_str).collect();
    let why = match known.as_slice() {
        [] => format!("{} defines none", super::SETTINGS_FILE),
        _ => format!("there are {}", known.join(", ")),
    };
    let next = nearest(name, known.iter().copied()).map(|near| format!("Did you mean \"{near}\"?"));
    Problem::new(Code::NotFound, format!("There is no environment \"{name}\"")).why(why).next(next.unwrap_or_default())
}

impl Settings {
    /// The value of a variable in an environment: the integration's own before that of all.
    pub fn variable(&self, environment: &str, integration: Option<&str>, name: &str) -> Option<String> {
        let variables = self.environments.get(environment)?;
        let own = integration.and_then(|integration| match variables.get(integration) {
            Some(Variable::Of(own)) => own.get(name),
            _ => None,
        });
        let common = || match variables.get(name) {
            Some(Variable::Value(value)) => Some(value),
            _ => None,
        };
        own.or_else(common).map(|value| value.0.clone())
    }
}

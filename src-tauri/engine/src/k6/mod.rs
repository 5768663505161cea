//! The same load plan for k6: as a script, as a manifest for k6-operator, and k6's summary read back as a report.
//!
//! What goes into a script is what Patchbay's own generator would send and judge. Secrets are never in it: it reads them
//! from the variables `PATCHBAY_SECRET_<NAME>`, which Patchbay itself reads too. What k6 has no word for is refused, or
//! said in the comment at the top of the script and in [`Exported::notes`].
//!
//! The options and functions are those of k6 v1 (<https://grafana.com/docs/k6/v1.x/>), the manifest is a `TestRun` of
//! k6-operator (<https://github.com/grafana/k6-operator>, `k6.io/v1alpha1`).

mod conditions;
mod feeds;
mod js;
mod limits;
mod manifest;
mod request;
mod script;
mod summary;
mod thresholds;
mod tls;
mod values;
mod workload;

use std::path::{Path, PathBuf};

use patchbay_contracts::{
    Code, Problem,
    integration::{Integration, LoadSpec},
};

pub use self::summary::{LARGEST_SUMMARY, read as read_summary};
use crate::{Result, contract::Schemas, http::Context};

/// What a load plan is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A script for `k6 run`.
    Script,
    /// A manifest for `kubectl apply` where k6-operator runs: the script in a ConfigMap, and a TestRun.
    Operator,
}

impl Format {
    /// The format of that name.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] with the names that there are.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "k6" => Ok(Self::Script),
            "k6-operator" => Ok(Self::Operator),
            _ => Err(Problem::new(Code::InvalidInput, format!("A load plan can't be written as `{name}`"))
                .next("There are k6 and k6-operator")),
        }
    }

    /// What the name of its file ends with.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Script => "js",
            Self::Operator => "yaml",
        }
    }
}

/// A load plan, written for k6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The script or the manifest.
    pub text: String,
    /// What is different from a run of Patchbay's own, each in a sentence. They stand in the text as well.
    pub notes: Vec<String>,
    /// The variables that it reads secrets from.
    pub variables: Vec<String>,
}

/// Where the files of an integration are: data files and bodies.
#[derive(Debug, Clone)]
pub struct Files {
    /// The folder that none of them may lie outside of.
    pub folder: PathBuf,
    /// The integration's own file, relative to the folder.
    pub file: PathBuf,
}

impl Files {
    /// Those beside the integration's file, which lies in `folder`.
    pub fn within(folder: &Path, file: &str) -> Self {
        Self { folder: folder.to_owned(), file: PathBuf::from(file) }
    }
}

/// All that a plan is made from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// Variables of the environment.
    pub context: &'a Context,
    /// The integration, with its address filled in.
    pub definition: &'a Integration,
    /// Files that its schemas refer to.
    pub schemas: &'a Schemas,
    /// Other files that it refers to.
    pub files: &'a Files,
}

impl std::fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("definition", &self.definition.name).finish_non_exhaustive()
    }
}

/// Writes a load plan for k6. `parallelism` is the number of pods that share the load, for a manifest only.
///
/// # Errors
/// What makes no sense as a plan of Patchbay's own; [`Code::Unsupported`] for what k6 can't do and no note could make up
/// for; an endpoint, a variable, a captured value or a file that is missing.
pub async fn export(source: Source<'_>, spec: &LoadSpec, format: Format, parallelism: Option<u32>) -> Result<Exported> {
    let pods = match (format, parallelism) {
        (Format::Script, None) => 1,
        (Format::Script, Some(_)) => {
            return Err(Problem::new(Code::InvalidInput, "A script alone has no pods that share the load")
                .next("Ask for k6-operator, or leave the parallelism out"));
        }
        (Format::Operator, pods) => manifest::pods(pods)?,
    };
    let script = script::make(source, spec, pods).await?.write(&source.definition.name)?;
    let exported = match format {
        Format::Script => script.exported(),
        Format::Operator => manifest::write(&source.definition.name, script, pods)?,
    };
    // A variable or the definition may hold in plain what is a secret elsewhere.
    if source.context.secrets.redactor().text(&exported.text) != exported.text {
        return Err(Problem::new(Code::InvalidDefinition, "The value of a secret stands in the load plan in plain")
            .why("a script is handed on to other machines, and a variable or the definition brings the value into it")
            .next("Write ${secret:NAME} in its place"));
    }
    Ok(exported)
}

fn unsupported(what: impl Into<String>) -> Problem {
    Problem::new(Code::Unsupported, what)
}

//! Changes to a definition from a form: which place of the file becomes what.

use patchbay_contracts::{
    integration::{Integration, Slo},
    units::{Share, Span},
    workspace::Edit,
};
use serde_json::{Value, json};

/// A place of the definition that the form shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the file")]
pub enum Place {
    BaseUrl,
    Interval,
    Enabled,
    Availability,
    LatencyP95,
    ErrorRate,
}

impl Place {
    /// What stands there, as a person writes it; empty where nothing does.
    pub fn value(self, definition: &Integration) -> String {
        fn shown<T: ToString>(value: Option<T>) -> String {
            value.map(|value| value.to_string()).unwrap_or_default()
        }
        let slo = definition.slo.as_ref();
        match self {
            Self::BaseUrl => definition.base_url.clone().unwrap_or_default(),
            Self::Interval => shown(definition.health.as_ref().map(|health| health.interval)),
            Self::Enabled => definition.health.as_ref().is_some_and(|health| health.enabled).to_string(),
            Self::Availability => shown(slo.and_then(|slo| slo.availability)),
            Self::LatencyP95 => shown(slo.and_then(|slo| slo.latency_p95)),
            Self::ErrorRate => shown(slo.and_then(|slo| slo.error_rate)),
        }
    }

    /// What is wrong with a text for this place.
    pub fn mistake(self, text: &str) -> Option<String> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        match self {
            Self::Interval | Self::LatencyP95 => text.parse::<Span>().err().map(|error| error.to_string()),
            Self::Availability | Self::ErrorRate => text.parse::<Share>().err().map(|error| error.to_string()),
            Self::BaseUrl => {
                let known = ["http://", "https://", "${"].iter().any(|start| text.starts_with(start));
                (!known).then(|| {
                    "An address begins with http:// or https://, or is taken from the environment: ${env:base_url}".to_owned()
                })
            }
            Self::Enabled => None,
        }
    }

    /// The change that brings a text there; nothing at all takes the place out. What holds the place comes and goes with
    /// its first and last entry, so that no empty mapping is left behind.
    pub fn edit(self, definition: &Integration, text: &str) -> Edit {
        let text = text.trim();
        let value = if text.is_empty() { Value::Null } else { Value::from(text) };
        let (parent, key) = match self {
            Self::BaseUrl => return at("/integration/base_url", value),
            Self::Enabled => return enabled(definition, text == "true"),
            // Without an interval the check has its usual one.
            Self::Interval => ("health", "interval"),
            Self::Availability => ("slo", "availability"),
            Self::LatencyP95 => ("slo", "latency_p95"),
            Self::ErrorRate => ("slo", "error_rate"),
        };
        let present = if parent == "slo" { definition.slo.is_some() } else { definition.health.is_some() };
        if !present {
            let whole = if value.is_null() { Value::Null } else { json!({ key: value }) };
            return at(&format!("/integration/{parent}"), whole);
        }
        if parent == "slo" && value.is_null() && self.is_last(definition.slo.as_ref()) {
            return at("/integration/slo", Value::Null);
        }
        at(&format!("/integration/{parent}/{key}"), value)
    }

    fn is_last(self, slo: Option<&Slo>) -> bool {
        let Some(slo) = slo else { return false };
        let mut rest = slo.clone();
        match self {
            Self::Availability => rest.availability = None,
            Self::LatencyP95 => rest.latency_p95 = None,
            Self::ErrorRate => rest.error_rate = None,
            Self::BaseUrl | Self::Interval | Self::Enabled => return false,
        }
        rest == Slo::default()
    }
}

fn enabled(definition: &Integration, on: bool) -> Edit {
    match (definition.health.is_some(), on) {
        (false, true) => at("/integration/health", json!({ "interval": "30s" })),
        (false, false) => at("/integration/health", Value::Null),
        // It is on unless the file says otherwise.
        (true, true) => at("/integration/health/enabled", Value::Null),
        (true, false) => at("/integration/health/enabled", Value::Bool(false)),
    }
}

fn at(pointer: &str, value: Value) -> Edit {
    Edit { pointer: pointer.to_owned(), value }
}

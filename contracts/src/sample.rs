//! The bundled sample service: a small orders API that can be told to misbehave.

use serde::{Deserialize, Serialize};

use crate::units::{BadQuantity, Share, Span};

/// What the sample service does wrong on demand. Written on the command line as `latency=200ms`, `errors=20%`,
/// `stall`, `type-change`, `missing-field`, `wrong-status`, `expired-token`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Faults {
    /// Extra latency on each answer.
    pub latency: Option<Span>,
    /// The share of requests answered with a 500.
    pub errors: Option<Share>,
    /// Whether requests are taken and never answered.
    pub stall: bool,
    /// Whether `amount` comes as a text instead of a number.
    pub type_change: bool,
    /// Whether `status` is left out.
    pub missing_field: bool,
    /// Whether a created order is answered with 200 instead of 201.
    pub wrong_status: bool,
    /// Whether every token is refused as expired.
    pub expired_token: bool,
}

/// The sample service as this program runs it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SampleState {
    /// Where it answers: `http://127.0.0.1:PORT`; none while it doesn't run.
    pub url: Option<String>,
    /// What it does wrong.
    pub faults: Faults,
    /// Whether it is registered as an integration in this workspace.
    pub registered: bool,
}

impl Faults {
    /// Turns on the fault that `text` names, such as `latency=200ms`, `errors=20%` or `stall`.
    ///
    /// # Errors
    /// A sentence that names the faults, where `text` isn't one of them.
    pub fn turn_on(&mut self, text: &str) -> Result<(), BadQuantity> {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        match (name.trim(), value) {
            ("latency", value) => self.latency = Some(value.unwrap_or("200ms").parse()?),
            ("errors", value) => self.errors = Some(value.unwrap_or("20%").parse()?),
            ("stall", None) => self.stall = true,
            ("type-change", None) => self.type_change = true,
            ("missing-field", None) => self.missing_field = true,
            ("wrong-status", None) => self.wrong_status = true,
            ("expired-token", None) => self.expired_token = true,
            _ => {
                return Err(BadQuantity(format!("`{text}` is not a fault; there are {}", Self::FORMS.join(", "))));
            }
        }
        Ok(())
    }

    /// How each fault is written.
    pub const FORMS: [&'static str; 7] =
        ["latency=200ms", "errors=20%", "stall", "type-change", "missing-field", "wrong-status", "expired-token"];
}

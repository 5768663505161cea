//! Conditions in Gatus's grammar as JavaScript.

use patchbay_contracts::units::Span;

use super::{js, request::path_of, values::Values};
use crate::{
    Result,
    contract::conditions::{self, Function, Operand, Source},
    http::Context,
};

/// A condition over the answer `r` and the values `v`, and whether it takes the body; nothing where k6 can't tell.
pub(super) fn compile(text: &str, values: &mut Values, context: &Context) -> Result<Option<(String, bool)>> {
    let condition = conditions::parse(text)?;
    let (left, operator, right) = condition.sides();
    let reads_body = condition.reads_body();
    if let Some(held) = matcher(left, operator, right, values, context)? {
        return Ok(held.map(|held| (held, reads_body)));
    }
    let sides = (side(left, values, context)?, side(right, values, context)?);
    let (Some(left), Some(right)) = sides else { return Ok(None) };
    Ok(Some((format!("compare({left}, {}, {right})", js::string(operator)), reads_body)))
}

/// `pat(…)` and `any(…)`; nothing where neither is on a side.
fn matcher(
    left: &Operand,
    operator: &str,
    right: &Operand,
    values: &mut Values,
    context: &Context,
) -> Result<Option<Option<String>>> {
    let (matcher, other) = match (left, right) {
        (Operand::Pattern(_) | Operand::Any(_), other) => (left, other),
        (other, Operand::Pattern(_) | Operand::Any(_)) => (right, other),
        _ => return Ok(None),
    };
    let Some(other) = side(other, values, context)? else { return Ok(Some(None)) };
    let matched = match matcher {
        Operand::Pattern(pattern) => {
            let pattern = values.text(pattern, context, None)?;
            format!("matches({}, {other})", pattern.expression())
        }
        Operand::Any(options) => {
            let mut all = Vec::new();
            for option in options {
                all.push(values.text(option, context, None)?.expression());
            }
            format!("oneOf([{}], {other})", all.join(", "))
        }
        _ => return Ok(None),
    };
    let wanted = operator == "==";
    Ok(Some(Some(format!("{matched} === {wanted}"))))
}

fn side(operand: &Operand, values: &mut Values, context: &Context) -> Result<Option<String>> {
    let reading = match operand {
        Operand::Literal(text) => {
            // A time is compared in milliseconds.
            let is_number = text.trim().parse::<f64>().is_ok();
            let text = match text.trim().parse::<Span>() {
                Ok(span) if !is_number => return Ok(Some(format!("span({}, {})", js::string(text), span.as_ms()))),
                _ => text,
            };
            return Ok(Some(values.text(text, context, None)?.expression()));
        }
        Operand::Reading(reading) => reading,
        Operand::Pattern(_) | Operand::Any(_) => return Ok(None),
    };
    let value = match &reading.source {
        Source::Status => "String(r.status)".to_owned(),
        Source::ResponseTime => "String(r.timings.duration)".to_owned(),
        Source::Connected => "String(r.status !== 0)".to_owned(),
        Source::Header(name) => format!("header(r, {})", js::string(name)),
        Source::Body(path) => {
            let Some(path) = path_of(path) else { return Ok(None) };
            return Ok(match reading.function {
                Function::Itself => Some(format!("bodyText(r, {path})")),
                Function::Len => Some(format!("bodyLength(r, {path})")),
                Function::Has => Some(format!("bodyHas(r, {path})")),
                Function::Age => None,
            });
        }
        Source::Ip | Source::CertificateExpiration => return Ok(None),
    };
    Ok(match reading.function {
        Function::Itself => Some(value),
        Function::Len => Some(format!("length({value})")),
        Function::Has => Some(format!("has({value})")),
        Function::Age => None,
    })
}

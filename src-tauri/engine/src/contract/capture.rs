//! Values taken from an answer for later endpoints.

use patchbay_contracts::{Code, Problem, probe::Response};

use super::conditions::{Step, as_text, parse_path, walk};
use crate::Result;

/// The longest value that is captured, in bytes.
const LONGEST: usize = 64 * 1024;

/// The value that an expression leads to: `$.data[0].id` (or `[BODY].data[0].id`) in a JSON body, `$` for the whole body,
/// `header:Location`, or `status`.
///
/// # Errors
/// [`Code::InvalidDefinition`] where the expression can't be read, [`Code::NotFound`] where it leads nowhere, and
/// [`Code::TooLarge`] where the value has more than 64 KiB.
pub(crate) fn capture(expression: &str, response: &Response) -> Result<String> {
    let value = find(expression.trim(), response)?;
    if value.len() > LONGEST {
        return Err(Problem::new(Code::TooLarge, format!("{expression} leads to {} bytes", value.len()))
            .why(format!("at most {LONGEST} are captured")));
    }
    Ok(value)
}

fn find(expression: &str, response: &Response) -> Result<String> {
    if expression == "status" {
        return Ok(response.status.to_string());
    }
    if let Some(name) = expression.strip_prefix("header:") {
        let name = name.trim();
        let header = response.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        return header
            .map(|(_, value)| value.clone())
            .ok_or_else(|| Problem::new(Code::NotFound, format!("The answer has no header {name}")));
    }
    let path = expression.strip_prefix('$').or_else(|| expression.strip_prefix("[BODY]"));
    let Some(path) = path else {
        return Err(Problem::new(Code::InvalidDefinition, format!("`{expression}` says nothing that can be captured"))
            .next("Write $.id for a member of the body, header:Location for a header, or status"));
    };
    let steps = parse_path(path).filter(|steps| !steps.contains(&Step::Each)).ok_or_else(|| {
        Problem::new(Code::InvalidDefinition, format!("`{expression}` is not a path"))
            .next("Write names after dots and indices in brackets, such as $.data[0].id")
    })?;
    if steps.is_empty()
        && let Some(text) = &response.body.text
    {
        return Ok(text.clone());
    }
    let Some(json) = &response.body.json else {
        return Err(Problem::new(Code::NotFound, format!("There is no {expression}")).why("the body is not JSON"));
    };
    match walk(&steps, json) {
        Some(value) if !value.is_null() => Ok(as_text(value)),
        Some(_) => Err(Problem::new(Code::NotFound, format!("{expression} is null"))),
        None => Err(Problem::new(Code::NotFound, format!("There is no {expression} in the body"))),
    }
}

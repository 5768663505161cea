//! Texts of a standard's form: times, media types, addresses.

/// The moment that a text of RFC 3339 names, in nanoseconds since 1970; none where it isn't such a text. A leap second
/// counts as the second before it.
pub(super) fn rfc3339(text: &str) -> Option<i64> {
    if !has_form(text) {
        return None;
    }
    let upper = text.to_ascii_uppercase();
    let stamp: jiff::Timestamp = upper.parse().ok()?;
    i64::try_from(stamp.as_nanosecond()).ok()
}

/// Whether a text is a date and time of RFC 3339 with its offset.
pub(super) fn is_rfc3339(text: &str) -> bool {
    // Years far off are such times too, and can't be counted in nanoseconds.
    has_form(text) && text.to_ascii_uppercase().parse::<jiff::Timestamp>().is_ok()
}

/// The form alone, since the parser allows more than the standard: `2026-01-31T12:30:00.5+01:00`.
fn has_form(text: &str) -> bool {
    let digits = |part: &str, count: usize| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    let Some((date, time)) = text.split_once(['T', 't']) else { return false };
    let date: Vec<&str> = date.split('-').collect();
    let &[year, month, day] = date.as_slice() else { return false };
    let Some(zone) = time.find(['Z', 'z', '+', '-']) else { return false };
    let (time, zone) = time.split_at(zone);
    let zone_fits = match zone.strip_prefix(['+', '-']) {
        Some(offset) => offset.split_once(':').is_some_and(|(hours, minutes)| {
            let within = |part: &str, most: u8| digits(part, 2) && part.parse::<u8>().is_ok_and(|value| value <= most);
            within(hours, 23) && within(minutes, 59)
        }),
        None => zone.len() == 1,
    };
    let (clock, fraction) = time.split_once('.').map_or((time, None), |(clock, fraction)| (clock, Some(fraction)));
    let clock: Vec<&str> = clock.split(':').collect();
    let &[hour, minute, second] = clock.as_slice() else { return false };
    digits(year, 4)
        && [month, day, hour, minute, second].into_iter().all(|part| digits(part, 2))
        && fraction.is_none_or(|fraction| !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit()))
        && zone_fits
}

/// Whether a text is `type/subtype` with parameters, by the tokens of RFC 2045.
pub(super) fn is_media_type(text: &str) -> bool {
    let token = |part: &str| {
        let part = part.trim();
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte))
    };
    let mut parts = text.split(';');
    let media = parts.next().unwrap_or_default();
    let parameter = |part: &str| {
        part.split_once('=').is_some_and(|(name, value)| {
            let value = value.trim();
            token(name) && (token(value) || value.len() >= 2 && value.starts_with('"') && value.ends_with('"'))
        })
    };
    media.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype)) && parts.all(parameter)
}

/// Whether a text is a URI reference of RFC 3986, absolute or not.
pub(super) fn is_uri_reference(text: &str) -> bool {
    jsonschema_format("uri-reference", text)
}

/// Whether a text is a URI of RFC 3986 with its scheme.
pub(super) fn is_uri(text: &str) -> bool {
    jsonschema_format("uri", text)
}

/// Judges by the validator's own formats, so that a `format` in a schema and one here mean the same.
fn jsonschema_format(format: &'static str, text: &str) -> bool {
    use std::{collections::HashMap, sync::LazyLock};
    static FORMATS: LazyLock<HashMap<&'static str, jsonschema::Validator>> = LazyLock::new(|| {
        ["uri", "uri-reference"]
            .into_iter()
            .filter_map(|format| {
                let schema = serde_json::json!({ "format": format });
                let built = jsonschema::options().should_validate_formats(true).build(&schema);
                built.ok().map(|validator| (format, validator))
            })
            .collect()
    });
    FORMATS.get(format).is_none_or(|validator| validator.is_valid(&serde_json::Value::String(text.to_owned())))
}

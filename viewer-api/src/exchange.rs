//! The HTTP side of an exchange: media types, preferences, conditional reads (FHIR R4 §3.1.0).

use crate::json::Value;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use model::time::{Instant, PartialDateTime};
use serde::Deserialize;

use crate::error::{Error, fhir_json};

/// Checks that the client can read FHIR JSON; `_format` overrides `Accept`.
pub(crate) fn negotiate(headers: &HeaderMap, pairs: &[(String, String)]) -> Result<(), Error> {
    let format = pairs
        .iter()
        .find(|(name, _)| name == "_format")
        .map(|(_, value)| value.as_str());
    let accepted = match (format, headers.get(header::ACCEPT)) {
        (Some(format), _) => format == "json" || is_fhir_json(format),
        (None, Some(accept)) => accept
            .to_str()
            .is_ok_and(|accept| accept.split(',').any(is_fhir_json)),
        (None, None) => true,
    };
    if accepted {
        Ok(())
    } else {
        Err(Error::NotAcceptable)
    }
}

/// Whether a media range covers FHIR JSON of R4. A blank may stand for the `+` of a query.
fn is_fhir_json(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
        .replace(' ', "+");
    let refused = |parameter: &str| match parameter.split_once('=') {
        Some(("q", weight)) => weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0),
        Some(("fhirVersion", version)) => !matches!(version, "4.0" | "4.0.1"),
        _ => false,
    };
    let known = [
        "application/fhir+json",
        "application/json",
        "text/json",
        "application/*",
        "*/*",
    ];
    known.contains(&kind.as_str()) && !parts.any(refused)
}

/// Whether the client wants to hear of parameters that are not offered.
pub(crate) fn is_strict(headers: &HeaderMap) -> bool {
    let preferences = headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok());
    preferences
        .flat_map(|value| value.split([',', ';']))
        .any(|one| one.trim() == "handling=strict")
}

/// What a resource says of its version.
#[derive(Default, Deserialize)]
struct Versioned {
    #[serde(default)]
    meta: Meta,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    version_id: Option<String>,
    last_updated: Option<String>,
}

/// The answer to a read: the resource, or that the client has it already.
pub(crate) fn conditional(headers: &HeaderMap, resource: Value) -> Response {
    let Versioned { meta } = serde_json::from_str(resource.as_str()).unwrap_or_default();
    let tag = meta.version_id.map(|version| format!("W/\"{version}\""));
    let updated = meta
        .last_updated
        .and_then(|text| text.parse::<PartialDateTime>().ok())
        .map(|time| time.start());
    let known = is_known(headers, tag.as_deref(), updated);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        fhir_json(StatusCode::OK, resource)
    };
    let mut set = |name, text: Option<String>| {
        if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::ETAG, tag);
    set(header::LAST_MODIFIED, updated.and_then(http_date));
    response
}

/// RFC 9110 §13.2.2: a tag, when given, decides alone. Times of HTTP have whole seconds.
fn is_known(headers: &HeaderMap, tag: Option<&str>, updated: Option<Instant>) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(known) = text(header::IF_NONE_MATCH) {
        let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        return known.trim() == "*"
            || tag.is_some_and(|tag| known.split(',').any(|one| opaque(one) == opaque(tag)));
    }
    let since = text(header::IF_MODIFIED_SINCE)
        .and_then(|text| DateTimeParser::new().parse_timestamp(text).ok());
    updated
        .zip(since)
        .is_some_and(|(updated, since)| updated.0.div_euclid(1_000_000) <= since.as_second())
}

fn http_date(instant: Instant) -> Option<String> {
    let time = Timestamp::from_microsecond(instant.0).ok()?;
    Some(time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::object::Object;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
    }

    fn check(accept: &str, expected: bool) {
        assert_eq!(
            negotiate(&headers("accept", accept), &[]).is_ok(),
            expected,
            "{accept}"
        );
    }

    #[test]
    fn only_fhir_json_is_offered() {
        check("application/fhir+json", true);
        check("application/fhir+json; fhirVersion=4.0", true);
        check("text/html, */*;q=0.1", true);
        check("application/fhir+xml", false);
        check("application/fhir+xml, application/fhir+json;q=0", false);
        check("application/fhir+json; fhirVersion=5.0", false);
    }

    #[test]
    fn a_format_parameter_overrides_the_header() {
        let asked = |format: &str| {
            negotiate(
                &headers("accept", "*/*"),
                &[("_format".to_owned(), format.to_owned())],
            )
        };
        assert!(asked("json").is_ok() && asked("application/fhir json").is_ok());
        assert!(asked("xml").is_err());
    }

    #[test]
    fn a_client_that_has_the_version_gets_no_body() {
        let meta = Object::new()
            .with("versionId", "3")
            .with("lastUpdated", "2026-04-02T10:16:00.500+09:00");
        let resource = Value::from(Object::new().with("meta", meta));
        let status = |name, value| conditional(&headers(name, value), resource.clone()).status();
        assert_eq!(
            status("if-none-match", "W/\"2\", W/\"3\""),
            StatusCode::NOT_MODIFIED
        );
        assert_eq!(status("if-none-match", "W/\"2\""), StatusCode::OK);
        assert_eq!(
            status("if-modified-since", "Thu, 02 Apr 2026 01:16:00 GMT"),
            StatusCode::NOT_MODIFIED
        );
        assert_eq!(
            status("if-modified-since", "Thu, 02 Apr 2026 01:15:59 GMT"),
            StatusCode::OK
        );
        let shown = conditional(&HeaderMap::new(), resource);
        assert_eq!(
            shown.headers()["last-modified"],
            "Thu, 02 Apr 2026 01:16:00 GMT"
        );
        assert_eq!(shown.headers()["etag"], "W/\"3\"");
    }
}

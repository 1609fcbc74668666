//! Requests that change something must come from a page of this site, or from a program.

use axum::extract::FromRequestParts;
use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;

use super::connection::Site;
use crate::refusal::Refusal;
use crate::secret::Secret;
use crate::state::Auth;

/// Where a page puts the session's form secret when it does not post a form.
const FORM_SECRET: &str = "x-csrf-token";

/// Proof that no other site caused the request.
pub(super) struct OwnSite;

impl FromRequestParts<Auth> for OwnSite {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, auth: &Auth) -> Result<Self, Refusal> {
        check(parts, auth.front.site.as_ref()).map(|()| Self)
    }
}

fn text<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts
        .headers
        .get(name)
        .map(|value| value.to_str().unwrap_or(""))
}

/// Browsers say in `Sec-Fetch-Site` who caused a request. It goes before `Origin`, which is `null`
/// for the forms of pages that are served with `Referrer-Policy: no-referrer`, as ours are. Programs
/// send neither. A proxy may ask for another host than the browser did, so where the `site` is
/// configured, that is the origin.
pub(super) fn check(parts: &Parts, site: Option<&Site>) -> Result<(), Refusal> {
    if let Some(site) = text(parts, "sec-fetch-site") {
        let own = matches!(site, "same-origin" | "none");
        return if own { Ok(()) } else { Err(Refusal::Foreign) };
    }
    let Some(origin) = text(parts, ORIGIN.as_str()) else {
        return Ok(());
    };
    if let Some(site) = site {
        let own = origin == site.origin();
        return if own { Ok(()) } else { Err(Refusal::Foreign) };
    }
    let scheme = |scheme| origin.strip_prefix(scheme);
    let origin = scheme("https://").or_else(|| scheme("http://"));
    // HTTP/2 carries the host in the request's target.
    let target = parts
        .uri
        .authority()
        .map(axum::http::uri::Authority::as_str);
    let host = text(parts, HOST.as_str()).or(target);
    let own = origin.is_some() && origin == host;
    if own { Ok(()) } else { Err(Refusal::Foreign) }
}

/// Whether the request shows the form secret of its session, in its form or in its header: a cookie
/// alone is sent by the browser whoever asks for it.
pub(super) fn check_form(
    parts: &Parts,
    session: &Secret,
    field: Option<&str>,
) -> Result<(), Refusal> {
    let shown = field.or_else(|| text(parts, FORM_SECRET));
    let right = shown.is_some_and(|shown| session.companion().is(shown));
    if right { Ok(()) } else { Err(Refusal::Foreign) }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn check_request(site: Option<&str>, origin: Option<&str>, own: bool) {
        let mut request = Request::post("/login").header(HOST, "hub.example.jp:8080");
        for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        assert_eq!(check(&parts, None).is_ok(), own, "{site:?} {origin:?}");
    }

    #[test]
    fn where_the_site_is_configured_the_host_of_the_request_does_not_count() {
        let site: Site = "https://hub.example.jp".parse().unwrap();
        for (origin, own) in [
            ("https://hub.example.jp", true),
            ("http://hub.example.jp", false),
            ("http://127.0.0.1:8080", false),
        ] {
            let request = Request::post("/login").header(HOST, "127.0.0.1:8080");
            let (parts, ()) = request
                .header(ORIGIN, origin)
                .body(())
                .unwrap()
                .into_parts();
            assert_eq!(check(&parts, Some(&site)).is_ok(), own, "{origin}");
        }
    }

    #[test]
    fn a_page_of_this_site_may() {
        check_request(
            Some("same-origin"),
            Some("https://hub.example.jp:8080"),
            true,
        );
        check_request(Some("same-origin"), Some("null"), true);
        check_request(None, Some("https://hub.example.jp:8080"), true);
    }

    #[test]
    fn a_program_or_the_person_themselves_may() {
        check_request(None, None, true);
        check_request(Some("none"), None, true);
    }

    #[test]
    fn another_site_may_not() {
        check_request(Some("cross-site"), Some("https://evil.example"), false);
        check_request(Some("same-site"), Some("https://other.example.jp"), false);
        check_request(
            Some("cross-site"),
            Some("https://hub.example.jp:8080"),
            false,
        );
        check_request(None, Some("https://evil.example"), false);
        check_request(None, Some("https://hub.example.jp"), false);
        check_request(None, Some("null"), false);
    }
}

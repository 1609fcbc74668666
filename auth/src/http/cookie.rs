//! The session's cookie. The `__Host-` prefix makes the browser itself refuse one that is not
//! `Secure`, or comes from another host (RFC 6265bis §4.1.3.2).

use axum::http::{HeaderMap, HeaderValue, header};

use crate::secret::Secret;

const NAME: &str = "__Host-musubi";
const RULES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";

/// The secret of the session's cookie.
pub(super) fn read(headers: &HeaderMap) -> Option<Secret> {
    value(headers).and_then(Secret::parse)
}

fn value(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == NAME).then_some(value))
}

/// Sets the cookie; it goes when the browser closes.
pub(super) fn set(headers: &mut HeaderMap, secret: &Secret) {
    put(headers, &format!("{NAME}={}; {RULES}", secret.text()));
}

/// Takes the cookie away.
pub(super) fn clear(headers: &mut HeaderMap) {
    put(headers, &format!("{NAME}=; {RULES}; Max-Age=0"));
}

fn put(headers: &mut HeaderMap, text: &str) {
    if let Ok(mut value) = HeaderValue::from_str(text) {
        value.set_sensitive(true);
        headers.insert(header::SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let secret = Secret::random().unwrap();
        let mut headers = HeaderMap::new();
        let sent = format!("a=b; {NAME}={}; c=d", secret.text());
        headers.insert(header::COOKIE, sent.parse().unwrap());
        assert!(secret.is(&read(&headers).unwrap().text()));
        headers.insert(
            header::COOKIE,
            "musubi=x; __Host-musubi2=y".parse().unwrap(),
        );
        assert!(read(&headers).is_none());
    }

    #[test]
    fn the_cookie_is_for_this_host_this_site_and_no_script() {
        let mut headers = HeaderMap::new();
        set(&mut headers, &Secret::random().unwrap());
        let text = headers[header::SET_COOKIE].to_str().unwrap();
        assert!(
            text.starts_with("__Host-musubi=") && text.ends_with(RULES),
            "{text}"
        );
        assert!(!text.contains("Domain"), "{text}");
    }
}

//! Style and script, embedded in the program. Their paths hold a hash of their content, so browsers
//! may keep them for ever and still get every new version.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use data_encoding::HEXLOWER;
use rust_embed::RustEmbed;

use crate::page::not_found;

#[derive(RustEmbed)]
#[folder = "assets"]
struct Assets;

/// Every route of this room: method and path.
pub const ROUTES: &[(Method, &str)] = &[(Method::GET, "/assets/{hash}/{name}")];

/// The routes of [`ROUTES`].
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ROUTES.iter().fold(Router::new(), |router, (_, path)| {
        router.route(path, get(asset))
    })
}

fn short(hash: [u8; 32]) -> String {
    let (first, _) = hash.split_at(8);
    HEXLOWER.encode(first)
}

/// The path of an asset; a path that answers 404 for one that does not exist.
pub fn url(name: &str) -> String {
    let hash =
        Assets::get(name).map_or_else(String::new, |file| short(file.metadata.sha256_hash()));
    format!("/assets/{hash}/{name}")
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

async fn asset(Path((hash, name)): Path<(String, String)>) -> Response {
    let file = Assets::get(&name).filter(|file| short(file.metadata.sha256_hash()) == hash);
    let Some(file) = file else {
        return not_found().await;
    };
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    let kind = HeaderValue::from_static(kind(&name));
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, kept)];
    (headers, file.data.into_owned()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_has_a_kind_and_its_own_path() {
        for name in Assets::iter() {
            assert_ne!(kind(&name), "application/octet-stream", "{name}");
            assert_eq!(
                url(&name).len(),
                "/assets//".len() + 16 + name.len(),
                "{name}"
            );
        }
    }

    #[test]
    fn what_is_served_loads_nothing_from_elsewhere() {
        for name in Assets::iter() {
            let text = String::from_utf8(Assets::get(&name).unwrap().data.into_owned()).unwrap();
            let text = text.replace("http://www.w3.org/2000/svg", "");
            assert!(
                !text.contains("http:") && !text.contains("https:"),
                "{name}"
            );
        }
    }
}

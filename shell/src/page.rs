//! A page's own part inside the layout.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use crate::assets::url;

/// What the layout says around a page.
#[derive(Debug, Clone, Copy, Default)]
pub struct Frame<'a> {
    /// Title, Japanese. Never a patient's name: titles stand in histories and task lists.
    pub title: &'a str,
    /// Title, English.
    pub title_en: &'a str,
    /// After how many seconds without a request the screen is cleared; 0 never.
    pub idle_seconds: i64,
}

#[derive(Template)]
#[template(path = "layout.html")]
struct Layout<'a> {
    frame: &'a Frame<'a>,
    style: String,
    script: String,
    icon: String,
    main: String,
}

/// Puts a page's own part into the layout. A part that cannot be rendered gives 500 and no part of
/// itself.
pub fn page(status: StatusCode, frame: &Frame<'_>, main: &impl Template) -> Response {
    let layout = main.render().and_then(|main| {
        let (style, script) = (url("musubi.css"), url("musubi.js"));
        Layout {
            frame,
            style,
            script,
            icon: url("icon.svg"),
            main,
        }
        .render()
    });
    match layout {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message {
    title: &'static str,
    title_en: &'static str,
    next: &'static str,
    next_en: &'static str,
}

fn message(status: StatusCode, message: &Message) -> Response {
    let frame = Frame {
        title: message.title,
        title_en: message.title_en,
        idle_seconds: 0,
    };
    page(status, &frame, message)
}

/// The page for paths that do not exist.
pub async fn not_found() -> Response {
    let text = Message {
        title: "ページが見つかりません",
        title_en: "Page not found",
        next: "アドレスを確認するか、トップページに戻ってください。",
        next_en: "Check the address, or go back to the start page.",
    };
    message(StatusCode::NOT_FOUND, &text)
}

/// The page for methods that a path does not have.
pub async fn method_not_allowed() -> Response {
    let text = Message {
        title: "この操作はできません",
        title_en: "Method not allowed",
        next: "トップページに戻って、画面のボタンから操作してください。",
        next_en: "Go back to the start page and use the buttons there.",
    };
    message(StatusCode::METHOD_NOT_ALLOWED, &text)
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn a_page_has_no_inline_script_or_style_and_names_its_language() {
        let response = not_found().await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(
            text.starts_with("<!doctype html>\n<html lang=\"ja\">"),
            "{text}"
        );
        assert!(
            text.contains(&url("musubi.css")) && text.contains("見つかりません"),
            "{text}"
        );
        for inline in ["<style", "style=", "onclick", "javascript:", "<script>"] {
            assert!(!text.contains(inline), "{inline}");
        }
    }

    #[derive(Template)]
    #[template(source = "{{ text }}", ext = "html")]
    struct Hostile {
        text: &'static str,
    }

    #[tokio::test]
    async fn what_people_typed_stays_text() {
        let hostile = Hostile {
            text: "<script>alert(1)</script>",
        };
        let response = page(StatusCode::OK, &Frame::default(), &hostile);
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        assert!(
            !String::from_utf8(bytes.to_vec())
                .unwrap()
                .contains("<script>alert")
        );
    }
}

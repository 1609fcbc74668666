//! What can be refused, with its status and its words. The words are the same whether an account
//! exists or not, and say what to do next.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::lockout::Held;

/// Why a request is refused, before anything about a patient is looked at.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Account name, password or code is wrong; nobody learns which.
    #[error("account name, password or code is wrong")]
    Wrong,
    /// The sign-in must begin again with the password.
    #[error("the sign-in has ended; begin again")]
    SignInEnded,
    /// Nobody is signed in.
    #[error("sign in first")]
    NotSignedIn,
    /// Too many failures.
    #[error("too many attempts")]
    Held(Held),
    /// The person did as much as the regulation allows in a while; seconds until there is room.
    #[error("too many requests")]
    Throttled(i64),
    /// A request that another site may have caused.
    #[error("the request does not come from a page of this site")]
    Foreign,
    /// A read token over a connection that others can read.
    #[error("a read token needs https")]
    Insecure,
    /// Only a person who is signed in may do this, not a read token.
    #[error("a read token cannot do this")]
    SessionNeeded,
    /// The body does not have the expected form.
    #[error("{0}")]
    Malformed(&'static str),
    /// The body's type is not understood.
    #[error("send application/json or a form")]
    UnknownType,
    /// Accounts or audit cannot be reached.
    #[error("not available now")]
    Unavailable(#[from] store::Error),
}

impl Refusal {
    /// HTTP status.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Wrong | Self::SignInEnded | Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::Held(_) | Self::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Foreign | Self::Insecure | Self::SessionNeeded => StatusCode::FORBIDDEN,
            Self::Malformed(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::UnknownType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// A word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::SignInEnded => "sign-in-ended",
            Self::NotSignedIn => "not-signed-in",
            Self::Held(_) => "held",
            Self::Throttled(_) => "throttled",
            Self::Foreign => "foreign",
            Self::Insecure => "insecure",
            Self::SessionNeeded => "session-needed",
            Self::Malformed(_) => "malformed",
            Self::UnknownType => "unknown-type",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// What people read, Japanese and English.
    pub fn words(&self) -> (String, String) {
        let plain = |ja: &str, en: &str| (ja.to_owned(), en.to_owned());
        match self {
            Self::Wrong => plain(
                "利用者名、パスワードまたは確認コードが違います。もう一度入力してください。",
                "Account name, password or code is wrong. Please try again.",
            ),
            Self::SignInEnded => plain(
                "サインインの手続きが終了しました。パスワードからやり直してください。",
                "This sign-in has ended. Please begin again with your password.",
            ),
            Self::NotSignedIn => plain(
                "サインインしていません。トップページからサインインしてください。",
                "You are not signed in. Please sign in on the start page.",
            ),
            Self::Held(Held::For(seconds)) => (
                format!("試行回数が多すぎます。{seconds}秒待ってから、もう一度入力してください。"),
                format!("Too many attempts. Please wait {seconds} s, then try again."),
            ),
            Self::Held(Held::UntilUnlocked) => plain(
                "試行回数が多すぎます。事務局に連絡して、解除を依頼してください。",
                "Too many attempts. Please ask the secretariat to unlock the account.",
            ),
            Self::Throttled(seconds) => (
                format!("短時間の操作が多すぎます。{seconds}秒待ってからやり直してください。"),
                format!("Too many requests. Please wait {seconds} s, then try again."),
            ),
            Self::Foreign => plain(
                "この画面からの操作ではないため、受け付けませんでした。トップページからやり直してください。",
                "The request did not come from a page of this site. Please go back to the start page.",
            ),
            Self::Insecure => plain(
                "閲覧トークンは https の接続でのみ使えます。",
                "A read token works over https only.",
            ),
            Self::SessionNeeded => plain(
                "閲覧トークンではこの操作はできません。サインインしてください。",
                "A read token cannot do this. Please sign in.",
            ),
            Self::Malformed(what) => plain(
                "入力の形式が正しくありません。入力内容を確認してください。",
                what,
            ),
            Self::UnknownType => plain(
                "JSON またはフォームの形式で送信してください。",
                "Please send application/json or a form.",
            ),
            Self::Unavailable(_) => plain(
                "現在利用できません。しばらくしてからやり直してください。",
                "Not available now. Please try again in a while.",
            ),
        }
    }

    /// Seconds for `Retry-After`, where waiting helps.
    pub const fn retry_after(&self) -> Option<i64> {
        match self {
            Self::Held(Held::For(seconds)) | Self::Throttled(seconds) => Some(*seconds),
            Self::Unavailable(_) => Some(5),
            _ => None,
        }
    }

    /// Adds the headers that belong to the refusal.
    pub(crate) fn with_headers(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            let realm = header::HeaderValue::from_static("Bearer realm=\"musubi\"");
            headers.insert(header::WWW_AUTHENTICATE, realm);
        }
        if let Self::Unavailable(error) = self {
            tracing::error!(%error, "sign-in is not available");
        }
        response
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (ja, en) = self.words();
        let body = Json(json!({ "error": self.code(), "ja": ja, "en": en }));
        self.with_headers((self.status(), body).into_response())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(refusal: Refusal, status: u16, retry: Option<&str>) {
        let response = refusal.into_response();
        assert_eq!(response.status().as_u16(), status);
        let after = response.headers().get(header::RETRY_AFTER);
        assert_eq!(after.map(|value| value.to_str().unwrap()), retry);
        assert_eq!(
            response.headers().contains_key(header::WWW_AUTHENTICATE),
            status == 401
        );
    }

    #[test]
    fn a_refusal_says_what_to_do_next() {
        check(Refusal::Wrong, 401, None);
        check(Refusal::NotSignedIn, 401, None);
        check(Refusal::Held(Held::For(900)), 429, Some("900"));
        check(Refusal::Held(Held::UntilUnlocked), 429, None);
        check(Refusal::Throttled(60), 429, Some("60"));
        check(Refusal::Foreign, 403, None);
        check(Refusal::Insecure, 403, None);
        check(Refusal::Malformed("x"), 422, None);
        check(
            Refusal::Unavailable(store::Error::Unavailable("database")),
            503,
            Some("5"),
        );
    }
}

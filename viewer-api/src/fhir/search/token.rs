//! Token parameters: `code`, `system|code`, with the object identifiers and URLs of a system alike.

use model::code::CodeSystem;
use store::CodeQuery;

use crate::fhir::system;

/// A token as given.
pub(crate) struct Token {
    /// Absent: any system. Empty: no system.
    pub(crate) system: Option<String>,
    pub(crate) code: String,
}

/// Reads one token.
pub(crate) fn token(text: &str) -> Token {
    match text.split_once('|') {
        Some((system, code)) => Token {
            system: Some(system.to_owned()),
            code: code.to_owned(),
        },
        None => Token {
            system: None,
            code: text.to_owned(),
        },
    }
}

impl Token {
    /// Whether the token means a code of FHIR's own.
    pub(crate) fn is(&self, system: &str, code: &str) -> bool {
        self.code == code && self.system.as_deref().is_none_or(|named| named == system)
    }
}

/// Reads alternatives of clinical codes. Neither "any code of a system" nor "a code of no system"
/// can be found by blind tokens.
pub(crate) fn codes(value: &str) -> Option<Vec<CodeQuery>> {
    value.split(',').map(|text| code(&token(text))).collect()
}

fn code(token: &Token) -> Option<CodeQuery> {
    if token.code.is_empty() || token.system.as_deref() == Some("") {
        return None;
    }
    let system = token.system.as_deref().map(|uri| {
        let named = system::named(uri);
        match named.facility {
            Some(_) => named.system,
            None if named.system.is_standard() => named.system,
            None => CodeSystem::Other(uri.to_owned()),
        }
    });
    Some(CodeQuery {
        system,
        code: token.code.clone(),
    })
}

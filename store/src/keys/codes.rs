//! Tokens of codes that occurred already: hospitals say few codes many times, and a keyed digest is
//! dear beside a look into a table.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use model::code::CodeSystem;

/// More codes than a hospital uses; then remembering begins anew.
const MOST: usize = 50_000;
/// What is longer is no code of a table.
const LONGEST: usize = 32;
/// A code is a code of few systems.
const SYSTEMS: usize = 8;

/// Tokens by code and system.
#[derive(Default)]
pub(super) struct Codes(RwLock<HashMap<String, Vec<InSystem>>>);

/// A code's token in one system, or in none.
type InSystem = (Option<CodeSystem>, i64);

impl Codes {
    /// The token of a code, made when it is not known.
    pub(super) fn token(
        &self,
        system: Option<&CodeSystem>,
        code: &str,
        make: impl FnOnce() -> i64,
    ) -> i64 {
        // A token is right whatever a thread did that panicked elsewhere.
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let tokens = known.get(code).into_iter().flatten();
        let same = |(known, _): &&InSystem| known.as_ref() == system;
        if let Some((_, token)) = tokens.into_iter().find(same) {
            return *token;
        }
        drop(known);
        let token = make();
        if code.len() <= LONGEST {
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MOST {
                known.clear();
            }
            let tokens = known.entry(code.to_owned()).or_default();
            if tokens.len() < SYSTEMS {
                tokens.push((system.cloned(), token));
            }
        }
        token
    }
}

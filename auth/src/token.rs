//! Read tokens: a person makes one for themselves after a full sign-in. It can do no more than they
//! can, at most twelve hours, and dies with their account.

use std::net::IpAddr;
use std::sync::Arc;

use consent::{Requester, Via};
use model::time::Instant;
use secrecy::SecretString;
use store::{AuditAction, Event, Login, ReadToken};

use crate::refusal::Refusal;
use crate::secret::Secret;
use crate::state::Auth;
use crate::verify::{is_admitted, is_complete};

/// Longest life of a token, in hours.
pub(crate) const LONGEST_HOURS: u8 = 12;

/// In front of every token, so that scanners for leaked secrets can find them.
const PREFIX: &str = "musubi_";

/// A new token; the only time that its text exists here.
pub struct IssuedToken {
    /// What stands after `Authorization: Bearer`.
    pub text: SecretString,
    /// When it ends.
    pub expires_at: Instant,
}

impl Auth {
    /// Makes a token for a person who is signed in; `hours` is cut to 1 to 12.
    pub(crate) async fn issue(
        &self,
        requester: &Requester,
        hours: u8,
    ) -> Result<IssuedToken, Refusal> {
        let (secret, now) = (Secret::random()?, self.now());
        let hours = i64::from(hours.clamp(1, LONGEST_HOURS));
        let token = ReadToken {
            person: requester.person(),
            factors: requester.factors().clone(),
            created_at: now,
            expires_at: now.plus_seconds(hours * 60 * 60),
        };
        match self.accounts.add_token(&secret.digest(), &token).await {
            Ok(()) => {}
            Err(store::Error::NotFound) => return Err(Refusal::NotSignedIn),
            Err(error) => return Err(error.into()),
        }
        let event = Event::new(AuditAction::TokenIssued).by(requester);
        self.note(event.with(format!("until {}", token.expires_at)))
            .await?;
        let text = SecretString::from(format!("{PREFIX}{}", secret.text()));
        Ok(IssuedToken {
            text,
            expires_at: token.expires_at,
        })
    }

    /// Makes a token at a terminal, for whoever types account name, password and code.
    ///
    /// # Errors
    /// The refusals of a sign-in.
    pub async fn issue_at_terminal(
        &self,
        login: &str,
        password: SecretString,
        code: &SecretString,
        hours: u8,
    ) -> Result<IssuedToken, Refusal> {
        let here = IpAddr::from([127, 0, 0, 1]);
        let (account, mut proof) = self.check_password(here, login, password).await?;
        if proof.next.is_some() {
            proof = self
                .check_code(here, &account, &proof.factors, code)
                .await?;
        }
        if proof.next.is_some() {
            return Err(Refusal::Wrong);
        }
        let requester = Self::requester(&account.person, proof.factors, Via::Token);
        self.issue(&requester, hours).await
    }

    /// Ends all tokens of an account; how many there were.
    ///
    /// # Errors
    /// [`store::Error::NotFound`] when there is no such account.
    pub async fn revoke_tokens(&self, login: &Login) -> Result<u64, store::Error> {
        let account = self
            .accounts
            .account(login)
            .await?
            .ok_or(store::Error::NotFound)?;
        let ended = self.accounts.end_tokens(account.person.id).await?;
        let event = Event::new(AuditAction::TokenRevoked).by_person(account.person.id);
        self.note(event.with(format!("{ended} tokens"))).await?;
        Ok(ended)
    }

    /// Whom a presented token speaks for.
    pub(crate) async fn bearer(&self, text: &str) -> Result<Arc<Requester>, Refusal> {
        let secret = text
            .strip_prefix(PREFIX)
            .and_then(Secret::parse)
            .ok_or(Refusal::NotSignedIn)?;
        let found = self.accounts.token(&secret.digest()).await?;
        let (token, person) = found.ok_or(Refusal::NotSignedIn)?;
        let holds = self.now() < token.expires_at
            && is_admitted(&self.network, &person)
            && is_complete(&self.network, &token.factors);
        if !holds {
            return Err(Refusal::NotSignedIn);
        }
        Ok(Self::requester(&person, token.factors, Via::Token))
    }
}

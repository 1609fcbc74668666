//! Passwords: Argon2id with a pepper, over the NFKC form of what was typed, so that a password is
//! the same on every keyboard. One hash at a time per core: each takes 64 MiB.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use store::{Error, Login};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;

/// Most characters of a password; longer ones are refused, never cut.
const LONGEST: usize = 128;
/// Fewest characters beside a second factor.
const SHORTEST: usize = 8;
/// Fewest characters of a password that stands alone.
const SHORTEST_ALONE: usize = 15;

/// Why a text cannot become a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Too few characters.
    #[error("the password needs at least {0} characters")]
    TooShort(usize),
    /// More than 128 characters.
    #[error("the password has more than 128 characters")]
    TooLong,
    /// It holds the account name, or one character only.
    #[error("the password is easy to guess")]
    Guessable,
}

/// Whether a text may become the password of an account.
pub fn fit(password: &SecretString, login: &Login, alone: bool) -> Result<(), Unfit> {
    let normal = normalized(password);
    let length = normal.chars().count();
    let least = if alone { SHORTEST_ALONE } else { SHORTEST };
    let first = normal.chars().next();
    if length < least {
        return Err(Unfit::TooShort(least));
    }
    if length > LONGEST {
        return Err(Unfit::TooLong);
    }
    let named = Zeroizing::new(normal.to_lowercase()).contains(login.as_str());
    let monotone = normal.chars().all(|character| Some(character) == first);
    if named || monotone {
        Err(Unfit::Guessable)
    } else {
        Ok(())
    }
}

fn normalized(password: &SecretString) -> Zeroizing<String> {
    Zeroizing::new(password.expose_secret().nfkc().collect())
}

/// Hashes passwords and checks them.
#[derive(Clone)]
pub struct Passwords {
    pepper: Arc<Zeroizing<[u8; 32]>>,
    turns: Arc<Semaphore>,
}

impl Passwords {
    /// Hashes with a pepper, on as many cores as the machine has.
    pub fn new(pepper: &[u8; 32]) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            pepper: Arc::new(Zeroizing::new(*pepper)),
            turns: Arc::new(Semaphore::new(cores)),
        }
    }

    /// The hash to store: a PHC string with its parameters and a fresh salt.
    pub async fn hash(&self, password: SecretString) -> Result<String, Error> {
        self.run(move |argon2| {
            argon2
                .hash_password(normalized(&password).as_bytes())
                .map(|hash| hash.to_string())
                .map_err(failed)
        })
        .await?
    }

    /// Whether the password is the one of a stored hash. Without a hash the answer is no, after the
    /// same work: time tells nobody which accounts exist.
    pub async fn verify(
        &self,
        password: SecretString,
        stored: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<bool, Error> {
        self.run(move |argon2| {
            let password = normalized(&password);
            let text = stored
                .as_deref()
                .and_then(|hash| std::str::from_utf8(hash).ok());
            let Some(hash) = text.and_then(|text| PasswordHash::new(text).ok()) else {
                let mut spent = [0; 32];
                argon2
                    .hash_password_into(password.as_bytes(), &[0; 16], &mut spent)
                    .map_err(failed)?;
                return Ok(false);
            };
            Ok(argon2.verify_password(password.as_bytes(), &hash).is_ok())
        })
        .await?
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'_>) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| Error::Unavailable("password check"))?;
        let pepper = Arc::clone(&self.pepper);
        let work = move || {
            // The turn lasts as long as the work, even when nobody waits for it any more.
            let _turn = turn;
            let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(failed)?;
            let secret = pepper.as_slice();
            Argon2::new_with_secret(secret, Algorithm::Argon2id, Version::V0x13, params)
                .map(|argon2| work(&argon2))
                .map_err(failed)
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| Error::Unavailable("password check"))?
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Other("password hash", error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    fn check(password: &str, alone: bool, expected: Result<(), Unfit>) {
        let login = "sato".parse().unwrap();
        assert_eq!(
            fit(&secret(password), &login, alone),
            expected,
            "{password}"
        );
    }

    #[test]
    fn eight_characters_suffice_beside_a_second_factor() {
        check("1234567", false, Err(Unfit::TooShort(8)));
        check("12345678", false, Ok(()));
    }

    #[test]
    fn a_password_alone_needs_fifteen_characters() {
        check("12345678901234", true, Err(Unfit::TooShort(15)));
        check("123456789012345", true, Ok(()));
    }

    #[test]
    fn length_is_counted_in_characters_after_normalization() {
        check(&"患者".repeat(64), false, Ok(()));
        check(&"患者".repeat(65), false, Err(Unfit::TooLong));
        // U+337F folds into four characters.
        check("\u{337f}\u{337f}", false, Ok(()));
    }

    #[test]
    fn the_account_name_and_one_repeated_character_are_refused() {
        check("xxSATO99", false, Err(Unfit::Guessable));
        check("ｓａｔｏ2026!", false, Err(Unfit::Guessable));
        check("aaaaaaaaaa", false, Err(Unfit::Guessable));
    }

    #[tokio::test]
    async fn the_same_password_from_another_keyboard_is_the_same() {
        let passwords = Passwords::new(&[7; 32]);
        let hash = passwords.hash(secret("Pass-ガﾞ-２０２６")).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=65536,t=3,p=1$"),
            "{hash}"
        );
        let stored = || Some(Zeroizing::new(hash.clone().into_bytes()));
        let verify = |password| passwords.verify(secret(password), stored());
        assert!(verify("Ｐａｓｓ-ガﾞ-2026").await.unwrap());
        assert!(!verify("pass-ガﾞ-2026").await.unwrap());
        assert!(!passwords.verify(secret("anything"), None).await.unwrap());
        let other = Passwords::new(&[8; 32]);
        assert!(
            !other
                .verify(secret("Pass-ガﾞ-２０２６"), stored())
                .await
                .unwrap()
        );
    }
}

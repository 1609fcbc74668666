//! Passwords: Argon2id with a pepper, over the NFKC form of what was typed, so that a password is
//! the same on every keyboard. One hash at a time per core: each takes 64 MiB.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use store::Error;
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;
use zxcvbn::{Score, zxcvbn};

const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;

/// Most characters of a password; longer ones are refused, never cut.
const LONGEST: usize = 128;
/// Fewest characters beside a second factor.
const SHORTEST: usize = 8;
/// Fewest characters of a password that stands alone.
const SHORTEST_ALONE: usize = 15;

/// Fewer than a million guesses: the estimate knows 30,000 common passwords, the words and names that
/// they are made of, keyboards, dates and usual disguises.
const MOST_GUESSABLE: Score = Score::One;
/// Shortest word that means something, in bytes: three letters, or one kanji.
const SHORTEST_WORD: usize = 3;

/// Why a text cannot become a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Too few characters.
    #[error("the password needs at least {0} characters")]
    TooShort(usize),
    /// More than 128 characters.
    #[error("the password has more than 128 characters")]
    TooLong,
    /// It is on lists of common passwords, a walk over the keyboard, a date, a repetition and the like,
    /// or little more than words that anybody knows of the person.
    #[error("the password is easy to guess")]
    Guessable,
}

/// Whether a text may become a password. `known` is what anybody knows of the person: account, names,
/// facility, network; it counts as nothing.
pub fn fit(password: &SecretString, known: &[&str], alone: bool) -> Result<(), Unfit> {
    let normal = normalized(password);
    let length = normal.chars().count();
    let least = if alone { SHORTEST_ALONE } else { SHORTEST };
    if length < least {
        return Err(Unfit::TooShort(least));
    }
    if length > LONGEST {
        return Err(Unfit::TooLong);
    }
    let known = words(known);
    let plain = Zeroizing::new(normal.to_lowercase());
    let without = |rest: &Zeroizing<String>, word: &String| Zeroizing::new(rest.replace(word, ""));
    let rest = known.iter().fold(plain, |rest, word| without(&rest, word));
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let is_weak = zxcvbn(&normal, &known).score() <= MOST_GUESSABLE;
    if rest.chars().count() < least || is_weak {
        Err(Unfit::Guessable)
    } else {
        Ok(())
    }
}

/// The words of texts, as they are compared; what is too short to mean anything is left out.
fn words(texts: &[&str]) -> Vec<String> {
    let folded = texts.iter().map(|text| text.nfkc().collect::<String>());
    let split = folded.flat_map(|text| {
        let parts = text.split_whitespace().map(str::to_lowercase);
        parts.collect::<Vec<_>>()
    });
    split.filter(|word| word.len() >= SHORTEST_WORD).collect()
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

    const KNOWN: [&str; 5] = [
        "sato",
        "佐藤 一郎",
        "うみべ内科クリニック",
        "1319999902",
        "musubi",
    ];

    fn check(password: &str, alone: bool, expected: Result<(), Unfit>) {
        assert_eq!(
            fit(&secret(password), &KNOWN, alone),
            expected,
            "{password}"
        );
    }

    #[test]
    fn eight_characters_suffice_beside_a_second_factor() {
        check("kx7vq2m", false, Err(Unfit::TooShort(8)));
        check("kx7vq2mz", false, Ok(()));
    }

    #[test]
    fn a_password_alone_needs_fifteen_characters() {
        check("kx7vq2mzkt4wbn", true, Err(Unfit::TooShort(15)));
        check("kx7vq2mzkt4wbn8", true, Ok(()));
    }

    #[test]
    fn length_is_counted_in_characters_after_normalization() {
        let long: String = (0..128)
            .filter_map(|number: u32| char::from_u32(0x4e00 + number * number))
            .collect();
        check(&long, false, Ok(()));
        check(&format!("{long}ん"), false, Err(Unfit::TooLong));
        // Half-width kana with a mark of their own fold into one character each.
        check("ｶﾞｷﾞｸﾞｹﾞ", false, Err(Unfit::TooShort(8)));
    }

    #[test]
    fn common_passwords_are_refused_in_every_disguise() {
        for common in [
            "password",
            "Password1",
            "P@ssw0rd",
            "p455w0rd2026",
            "iloveyou1",
            "letmein123",
            "sakura123",
            "tokyo2020",
            "welcome2026",
            "ｐａｓｓｗｏｒｄ１",
        ] {
            check(common, false, Err(Unfit::Guessable));
        }
    }

    #[test]
    fn walks_repetitions_and_sequences_are_refused() {
        for walk in [
            "12345678",
            "qwertyuiop",
            "1qaz2wsx",
            "zxcvbnm,./",
            "asdfghjkl;",
            "aaaaaaaaaa",
            "abcabcabc",
            "abcdefgh",
            "87654321",
            "株式会社株式会社",
        ] {
            check(walk, false, Err(Unfit::Guessable));
        }
    }

    #[test]
    fn what_anybody_knows_of_the_person_counts_as_nothing() {
        for known in [
            "xxSATO99",
            "ｓａｔｏ2026!",
            "佐藤一郎2026",
            "一郎佐藤kx7vq2",
            "1319999902sato",
            "うみべ内科クリニック7",
            "Musubi-2026",
            "musubi-sato-99",
        ] {
            check(known, false, Err(Unfit::Guessable));
        }
        check("sato kx7vq2mz", false, Ok(()));
        check("correct horse battery", false, Ok(()));
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

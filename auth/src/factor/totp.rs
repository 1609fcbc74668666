//! One-time codes: RFC 6238, SHA-1, six digits, steps of 30 seconds, one step early or late.

use model::time::Instant;
use store::{Error, StoredTotp};
use totp_rs::{Builder, Secret, Totp};
use zeroize::Zeroizing;

use crate::secret::random;

/// RFC 4226 §4 recommends 160 bits.
const SECRET_BYTES: usize = 20;

/// A fresh shared secret.
pub(crate) fn fresh() -> Result<Zeroizing<[u8; SECRET_BYTES]>, Error> {
    random().map(Zeroizing::new)
}

fn totp(secret: &[u8], login: &str, issuer: &str) -> Option<Totp> {
    let issuer = (!issuer.is_empty()).then(|| issuer.replace(':', " "));
    Builder::new()
        .with_secret(secret)
        .with_account_name(login)
        .with_issuer(issuer)
        .build()
        .ok()
}

fn seconds(now: Instant) -> u64 {
    u64::try_from(now.0.div_euclid(1_000_000)).unwrap_or(0)
}

/// The time step whose code was presented, when it is one that may still be used.
///
/// RFC 6238 §5.2: a code is accepted once; with it all earlier ones are spent.
pub fn verify(stored: &StoredTotp, code: &str, now: Instant) -> Option<i64> {
    let digits: String = code
        .chars()
        .filter(|character| !character.is_whitespace())
        .collect();
    let step = totp(&stored.secret, "", "")?.check(&digits, seconds(now))?;
    i64::try_from(step)
        .ok()
        .filter(|step| *step > stored.used_step)
}

/// The secret as base32 text, for typing into an authenticator.
pub fn text(secret: &[u8]) -> String {
    Secret::from(secret).to_base32()
}

/// The secret as `otpauth:` link, for authenticators that read one.
pub fn link(secret: &[u8], login: &str, issuer: &str) -> Option<String> {
    totp(secret, login, issuer)?.to_url().ok()
}

/// The code of a base32 secret at an instant: what an authenticator shows.
pub fn code(secret: &str, now: Instant) -> Option<String> {
    let secret = Secret::try_from_base32(secret).ok()?;
    Some(
        totp(secret.as_bytes(), "", "")?
            .generate(seconds(now))
            .to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238 appendix B.
    const SECRET: &[u8] = b"12345678901234567890";

    fn stored(used_step: i64) -> StoredTotp {
        StoredTotp {
            secret: Zeroizing::new(SECRET.to_vec()),
            used_step,
        }
    }

    fn check(code: &str, second: i64, used_step: i64, expected: Option<i64>) {
        let now = Instant(second * 1_000_000);
        assert_eq!(
            verify(&stored(used_step), code, now),
            expected,
            "{code} at {second}"
        );
    }

    #[test]
    fn codes_are_those_of_rfc_6238_appendix_b() {
        // The appendix prints eight digits; six-digit codes are their last six.
        check("287082", 59, 0, Some(1));
        check("081804", 1_111_111_109, 0, Some(37_037_036));
        check("050471", 1_111_111_111, 0, Some(37_037_037));
        check("005924", 1_234_567_890, 0, Some(41_152_263));
        check("279037", 2_000_000_000, 0, Some(66_666_666));
        check("353130", 20_000_000_000, 0, Some(666_666_666));
    }

    #[test]
    fn a_code_is_good_one_step_early_and_one_step_late() {
        // The code of step 37,037,036: seconds 1,111,111,080 to 1,111,111,109.
        check("081804", 1_111_111_049, 0, None);
        check("081804", 1_111_111_050, 0, Some(37_037_036));
        check("081804", 1_111_111_139, 0, Some(37_037_036));
        check("081804", 1_111_111_140, 0, None);
    }

    #[test]
    fn a_used_code_and_older_ones_are_spent() {
        check("081804", 1_111_111_109, 37_037_036, None);
        check("081804", 1_111_111_109, 37_037_037, None);
        check("081804", 1_111_111_109, 37_037_035, Some(37_037_036));
    }

    #[test]
    fn codes_may_be_typed_with_a_blank_but_not_with_less_than_six_digits() {
        check("081 804", 1_111_111_109, 0, Some(37_037_036));
        for wrong in ["", "81804", "0818040", "abcdef", "０８１８０４"] {
            check(wrong, 1_111_111_109, 0, None);
        }
    }

    #[test]
    fn what_is_typed_into_an_authenticator_makes_the_same_codes() {
        let text = text(SECRET);
        assert_eq!(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(code(&text, Instant(59_000_000)).unwrap(), "287082");
        let link = link(SECRET, "sato", "試験網").unwrap();
        assert!(
            link.starts_with("otpauth://totp/") && link.contains(&text),
            "{link}"
        );
    }
}

//! Random secrets that browsers and programs present, and the digests by which they are found.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest as _, Sha256};
use store::{Digest, Error};
use zeroize::Zeroizing;

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Error::Unavailable("random numbers"))?;
    Ok(bytes)
}

/// 256 random bits.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<[u8; 32]>);

impl Secret {
    /// A fresh one.
    pub(crate) fn random() -> Result<Self, Error> {
        random().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// What [`Secret::text`] wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(
            BASE32_NOPAD
                .decode(text.to_ascii_uppercase().as_bytes())
                .ok()?,
        );
        Some(Self(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
    }

    /// 52 letters and digits.
    pub(crate) fn text(&self) -> String {
        BASE32_NOPAD.encode(self.0.as_slice()).to_ascii_lowercase()
    }

    /// What is stored of it.
    pub(crate) fn digest(&self) -> Digest {
        Sha256::digest(self.0.as_slice()).into()
    }

    /// A second secret that only who holds this one, or whom they show it to, can know: a page
    /// carries it into its forms, the cookie carries this one.
    pub(crate) fn companion(&self) -> Self {
        let hash = Sha256::new()
            .chain_update(b"form ")
            .chain_update(self.0.as_slice())
            .finalize();
        Self(Zeroizing::new(hash.into()))
    }

    /// Whether a text is this secret. Digests are compared, so time tells nothing.
    pub(crate) fn is(&self, text: &str) -> bool {
        Self::parse(text).is_some_and(|other| other.digest() == self.digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_back_from_its_text_and_is_never_its_companion() {
        let secret = Secret::random().unwrap();
        let text = secret.text();
        assert_eq!(text.len(), 52);
        assert!(secret.is(&text) && secret.is(&text.to_uppercase()));
        assert!(!secret.companion().is(&text));
        assert!(!Secret::random().unwrap().is(&text));
        for wrong in ["", "abc", &text[1..], &format!("{text}a")] {
            assert!(Secret::parse(wrong).is_none(), "{wrong}");
        }
    }
}

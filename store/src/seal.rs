//! The cryptographic primitives, each used in one way only: AES-256-GCM with a random nonce,
//! HMAC-SHA-256, HKDF-SHA-256, one AES-128 block, Ed25519.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_128, DecryptingKey, DecryptionContext, EncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::{hkdf, hmac};
use zeroize::Zeroizing;

use crate::error::Error;

/// A 256-bit key; wiped from memory when dropped.
pub(crate) type Secret = Zeroizing<[u8; 32]>;

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::Unavailable("random numbers"))?;
    Ok(bytes)
}

/// A key made from another one for one purpose.
pub(crate) fn derive(from: &[u8; 32], purpose: &str) -> Result<Secret, Error> {
    let failed = |_| Error::Corrupt("key derivation");
    let mut key = Zeroizing::new([0; 32]);
    let info = [b"musubi 1 ".as_slice(), purpose.as_bytes()];
    let prk = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, from);
    prk.expand(&info, hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(key.as_mut()))
        .map_err(failed)?;
    Ok(key)
}

/// Seals and opens with one key. The associated data says what a ciphertext is, so that it cannot
/// be moved to another place or patient.
pub(crate) struct Sealer(LessSafeKey);

impl Sealer {
    pub(crate) fn new(key: &[u8; 32]) -> Result<Self, Error> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| Error::Corrupt("key"))?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Nonce, ciphertext, tag.
    pub(crate) fn seal(&self, plain: &[u8], what: &[u8]) -> Result<Vec<u8>, Error> {
        let nonce: [u8; NONCE_LEN] = random()?;
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let (_, body) = sealed.split_at_mut(NONCE_LEN);
        let tag = self
            .0
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(what), body)
            .map_err(|_| Error::Corrupt("seal"))?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// What [`Sealer::seal`] sealed with the same key and the same associated data.
    pub(crate) fn open(&self, sealed: &[u8], what: &[u8]) -> Result<Vec<u8>, Error> {
        let broken = Error::Corrupt("seal does not fit");
        let Some((nonce, body)) = sealed.split_at_checked(NONCE_LEN) else {
            return Err(broken);
        };
        let Ok(nonce) = Nonce::try_assume_unique_for_key(nonce) else {
            return Err(broken);
        };
        let mut body = body.to_vec();
        let Ok(plain) = self.0.open_in_place(nonce, Aad::from(what), &mut body) else {
            return Err(broken);
        };
        let length = plain.len();
        body.truncate(length);
        Ok(body)
    }
}

/// A keyed digest.
pub(crate) struct Digester(hmac::Key);

impl Digester {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    pub(crate) fn bytes(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            // Lengths keep ("ab", "c") and ("a", "bc") apart.
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            context.update(part);
        }
        let mut digest = [0; 32];
        digest
            .iter_mut()
            .zip(context.sign().as_ref())
            .for_each(|(to, from)| *to = *from);
        digest
    }

    /// The first eight bytes as a number that is never 0.
    pub(crate) fn number(&self, parts: &[&[u8]]) -> i64 {
        let digest = self.bytes(parts);
        let first = digest.first_chunk::<8>().copied().unwrap_or_default();
        match i64::from_le_bytes(first) {
            0 => 1,
            number => number,
        }
    }
}

/// A permutation of 16 bytes under a key.
pub(crate) struct BlockCipher {
    encrypt: EncryptingKey,
    decrypt: DecryptingKey,
}

impl BlockCipher {
    pub(crate) fn new(key: &[u8; 32]) -> Result<Self, Error> {
        let failed = |_| Error::Corrupt("key");
        let half = key.first_chunk::<16>().ok_or(Error::Corrupt("key"))?;
        let key = || UnboundCipherKey::new(&AES_128, half).map_err(failed);
        Ok(Self {
            encrypt: EncryptingKey::ecb(key()?).map_err(failed)?,
            decrypt: DecryptingKey::ecb(key()?).map_err(failed)?,
        })
    }

    pub(crate) fn encrypt(&self, mut block: [u8; 16]) -> Result<[u8; 16], Error> {
        self.encrypt
            .encrypt(&mut block)
            .map_err(|_| Error::Corrupt("block"))?;
        Ok(block)
    }

    pub(crate) fn decrypt(&self, mut block: [u8; 16]) -> Result<[u8; 16], Error> {
        self.decrypt
            .decrypt(&mut block, DecryptionContext::None)
            .map_err(|_| Error::Corrupt("block"))?;
        Ok(block)
    }
}

/// SHA-256.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut digest = [0; 32];
    digest
        .iter_mut()
        .zip(context.finish().as_ref())
        .for_each(|(to, from)| *to = *from);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_with_its_key_and_its_place() {
        let sealer = Sealer::new(&[7; 32]).unwrap();
        let sealed = sealer.seal("宮本".as_bytes(), b"place 1").unwrap();
        assert_eq!(sealer.open(&sealed, b"place 1").unwrap(), "宮本".as_bytes());
        assert!(sealer.open(&sealed, b"place 2").is_err());
        assert!(
            Sealer::new(&[8; 32])
                .unwrap()
                .open(&sealed, b"place 1")
                .is_err()
        );
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert!(sealer.open(&bent, b"place 1").is_err(), "byte {at}");
        }
        assert!(sealer.open(&sealed[..5], b"place 1").is_err());
    }

    #[test]
    fn a_block_comes_back() {
        let cipher = BlockCipher::new(&[3; 32]).unwrap();
        let block = *b"0123456789abcdef";
        let other = cipher.encrypt(block).unwrap();
        assert_ne!(other, block);
        assert_eq!(cipher.decrypt(other).unwrap(), block);
    }

    #[test]
    fn digests_keep_parts_apart() {
        let digester = Digester::new(&[1; 32]);
        assert_ne!(
            digester.bytes(&[b"ab", b"c"]),
            digester.bytes(&[b"a", b"bc"])
        );
    }
}

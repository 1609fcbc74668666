//! Factors: what a person can present, one file each.

pub mod password;
pub mod totp;

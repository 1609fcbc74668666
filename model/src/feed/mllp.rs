//! A feed whose senders connect and push: HL7 v2.5 over MLLP (minimal lower layer protocol).

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::address::Block;

/// Where senders connect, and which of them are let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mllp {
    /// The address to listen at.
    pub listen: SocketAddr,
    /// Addresses that may connect; empty when the senders say it.
    pub allow: Vec<Block>,
    /// A connection on which nothing came for so long is closed.
    pub idle: Duration,
    /// So many connections at once.
    pub connections: usize,
    /// TLS; without it the network between must be trusted.
    pub tls: Option<Tls>,
    /// The senders by name; empty when anybody from an allowed address is one.
    pub senders: Vec<Sender>,
    /// What a sender is told while the store does not answer.
    pub on_failure: OnFailure,
}

/// Files of a TLS listener, PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The server's certificate and those above it.
    pub certificate: PathBuf,
    /// The server's private key.
    pub key: PathBuf,
    /// The authorities that sign certificates of senders. A sender without one is not let in.
    pub authorities: PathBuf,
}

/// A sender with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// Name for people: letters, digits, dots and hyphens.
    pub name: String,
    /// Where it connects from; empty when the certificate says enough.
    pub addresses: Vec<Block>,
    /// SHA-256 of the certificate that it must show (DER).
    pub certificate: Option<[u8; 32]>,
}

/// What a sender is told while the store does not answer (`[ack] on_failure`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// Nothing until the store answers: the sender waits, or connects anew and sends again.
    #[default]
    Wait,
    /// AE 207. Many Japanese systems stop their queue then and call an operator.
    Error,
}

impl Mllp {
    /// Whether somebody may connect from an address at all.
    pub fn may_connect(&self, address: IpAddr) -> bool {
        let within =
            |blocks: &[Block]| blocks.is_empty() || blocks.iter().any(|block| block.holds(address));
        let mut senders = self.senders.iter();
        within(&self.allow)
            && (self.senders.is_empty() || senders.any(|sender| within(&sender.addresses)))
    }

    /// Which sender this is: its name, an empty one when senders have no names, nothing when it is
    /// not let in.
    pub fn sender(&self, address: IpAddr, certificate: Option<&[u8; 32]>) -> Option<&str> {
        let within =
            |blocks: &[Block]| blocks.is_empty() || blocks.iter().any(|block| block.holds(address));
        if !within(&self.allow) {
            return None;
        }
        let is = |sender: &&Sender| {
            let shows = sender.certificate.as_ref();
            within(&sender.addresses) && shows.is_none_or(|shown| Some(shown) == certificate)
        };
        match self.senders.iter().find(is) {
            Some(sender) => Some(&sender.name),
            None => self.senders.is_empty().then_some(""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mllp(allow: &[&str], senders: Vec<Sender>) -> Mllp {
        Mllp {
            listen: "127.0.0.1:2575".parse().unwrap(),
            allow: allow.iter().map(|block| block.parse().unwrap()).collect(),
            idle: Duration::ZERO,
            connections: 1,
            tls: None,
            senders,
            on_failure: OnFailure::Wait,
        }
    }

    fn sender(name: &str, addresses: &[&str], certificate: Option<[u8; 32]>) -> Sender {
        Sender {
            name: name.to_owned(),
            addresses: addresses.iter().map(|at| at.parse().unwrap()).collect(),
            certificate,
        }
    }

    #[track_caller]
    fn check(mllp: &Mllp, address: &str, certificate: Option<[u8; 32]>, expected: Option<&str>) {
        let address = address.parse().unwrap();
        assert_eq!(mllp.sender(address, certificate.as_ref()), expected);
    }

    #[test]
    fn an_allowed_address_is_enough_where_senders_have_no_names() {
        let mllp = mllp(&["10.1.0.0/16"], Vec::new());
        check(&mllp, "10.1.2.3", None, Some(""));
        check(&mllp, "10.2.2.3", None, None);
    }

    #[test]
    fn a_sender_connects_from_its_own_address_with_its_own_certificate() {
        let senders = vec![
            sender("his", &["10.1.0.1"], Some([1; 32])),
            sender("lab", &[], Some([2; 32])),
        ];
        let mllp = mllp(&[], senders);
        check(&mllp, "10.1.0.1", Some([1; 32]), Some("his"));
        check(&mllp, "10.1.0.2", Some([1; 32]), None);
        check(&mllp, "10.9.9.9", Some([2; 32]), Some("lab"));
        check(&mllp, "10.1.0.1", Some([3; 32]), None);
        check(&mllp, "10.1.0.1", None, None);
    }
}

//! Who is let in by certificates.

use model::feed::{Sender as Known, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::*;

/// An authority.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, PEM.
struct Card {
    certificate: String,
    key: String,
    fingerprint: [u8; 32],
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn issue(&self) -> Card {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["hub.example.jp".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Card {
            fingerprint: Sha256::digest(certificate.der()).into(),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

/// A hub behind TLS that knows one sender, and the authority of both.
async fn secured(ours: &Authority, his: &Card) -> (Hub, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let server = ours.issue();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let mllp = Mllp {
        allow: Vec::new(),
        tls: Some(Tls {
            certificate: file("server.crt", &server.certificate),
            key: file("server.key", &server.key),
            authorities: file("ca.crt", &ours.0.pem()),
        }),
        senders: vec![Known {
            name: "his".to_owned(),
            addresses: Vec::new(),
            certificate: Some(his.fingerprint),
        }],
        ..mllp()
    };
    (Hub::with(mllp).await, folder)
}

/// Connects with a certificate, or without.
async fn connect(
    hub: &Hub,
    ours: &Authority,
    card: Option<&Card>,
) -> io::Result<Sender<TlsStream<TcpStream>>> {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(ours.0.pem().as_bytes()).unwrap();
    roots.add(root).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match card {
        None => config.with_no_client_auth(),
        Some(card) => {
            let chain = CertificateDer::from_pem_slice(card.certificate.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(card.key.as_bytes()).unwrap();
            config.with_client_auth_cert(vec![chain], key).unwrap()
        }
    };
    let stream = TcpStream::connect(hub.address).await?;
    let name = ServerName::try_from("hub.example.jp").unwrap();
    let secured = TlsConnector::from(Arc::new(config)).connect(name, stream);
    secured.await.map(Sender::new)
}

/// Whether a message that came with the certificate is acknowledged.
async fn is_let_in(hub: &Hub, ours: &Authority, card: Option<&Card>) -> bool {
    // A client learns that its certificate does not fit when it reads for the first time.
    let Ok(mut sender) = connect(hub, ours, card).await else {
        return false;
    };
    let _ = sender
        .stream
        .write_all(&framed(message("1", PATIENT).as_bytes()))
        .await;
    sender.answer().await == Some(accepted("1"))
}

#[tokio::test]
async fn only_the_sender_with_its_own_certificate_is_let_in() {
    let (ours, others) = (Authority::new(), Authority::new());
    let his = ours.issue();
    let (hub, _files) = secured(&ours, &his).await;
    assert!(is_let_in(&hub, &ours, Some(&his)).await);
    assert!(!is_let_in(&hub, &ours, None).await);
    assert!(!is_let_in(&hub, &ours, Some(&ours.issue())).await);
    assert!(!is_let_in(&hub, &ours, Some(&others.issue())).await);
    assert_eq!(hub.reception().await.waiting, 1);
    hub.stop().await;
}

#[tokio::test]
async fn a_sender_without_tls_is_not_let_in() {
    let ours = Authority::new();
    let (hub, _files) = secured(&ours, &ours.issue()).await;
    let mut sender = hub.connect().await;
    sender.send(&framed(message("1", PATIENT).as_bytes())).await;
    // It may be told in TLS that this is none.
    let mut rest = Vec::new();
    let _ = sender.stream.read_to_end(&mut rest).await;
    assert!(!rest.contains(&0x0b));
    assert_eq!(hub.reception().await.waiting, 0);
    hub.stop().await;
}

#[tokio::test]
async fn a_certificate_that_was_renewed_is_taken_up_with_the_next_connection() {
    let ours = Authority::new();
    let his = ours.issue();
    let (hub, files) = secured(&ours, &his).await;
    std::fs::write(files.path().join("server.key"), "nothing").unwrap();
    assert!(!is_let_in(&hub, &ours, Some(&his)).await);
    let server = ours.issue();
    std::fs::write(files.path().join("server.key"), server.key).unwrap();
    std::fs::write(files.path().join("server.crt"), server.certificate).unwrap();
    assert!(is_let_in(&hub, &ours, Some(&his)).await);
    hub.stop().await;
}

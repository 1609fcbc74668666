//! TLS with certificates on both sides: the sender knows the server, and is known by its own.

use std::io;
use std::path::Path;
use std::sync::Arc;

use model::feed::Tls;
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, ServerConnection};

/// What accepts connections, from the files as they are now: a certificate that was renewed is taken
/// up with the next connection.
///
/// # Errors
/// When a file cannot be read, or does not hold what it should.
pub(super) async fn acceptor(tls: &Tls) -> io::Result<TlsAcceptor> {
    let chain = certificates(&tls.certificate).await?;
    let key = tokio::fs::read(&tls.key).await.map_err(of(&tls.key))?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| unfit(&tls.key))?;
    let mut roots = RootCertStore::empty();
    for authority in certificates(&tls.authorities).await? {
        roots.add(authority).map_err(|_| unfit(&tls.authorities))?;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|_| unfit(&tls.authorities))?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(|_| unfit(&tls.certificate))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let pem = tokio::fs::read(path).await.map_err(of(path))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    certificates
        .ok()
        .filter(|certificates| !certificates.is_empty())
        .ok_or_else(|| unfit(path))
}

fn of(path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn unfit(path: &Path) -> io::Error {
    let what = format!("{}: not what TLS needs here", path.display());
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// SHA-256 of the certificate that the sender showed.
pub(super) fn fingerprint(connection: &ServerConnection) -> Option<[u8; 32]> {
    let own = connection.peer_certificates()?.first()?;
    Some(Sha256::digest(own).into())
}

//! Who vouches for the mail server.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use umbel_net::load_certificates;

use crate::config::Mail;

/// Encrypts a connection, to whom the name in the configuration belongs and to nobody else (SEC-115).
pub(super) async fn encrypted(mail: &Mail, socket: TcpStream) -> Result<TlsStream<TcpStream>, String> {
    let host = &mail.smtp.host;
    let name = ServerName::try_from(host.clone()).map_err(|_| format!("{host} is no name for TLS"))?;
    let connector = TlsConnector::from(Arc::new(client_config(mail)?));
    connector.connect(name, socket).await.map_err(|error| format!("TLS with {host}: {error}"))
}

fn client_config(mail: &Mail) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match &mail.authorities {
        Some(file) => {
            for certificate in load_certificates(file).map_err(|error| error.to_string())? {
                roots.add(certificate).map_err(|error| format!("{}: {error}", file.display()))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(
                    "the operating system knows no authorities; name some by [mail] authorities".to_owned()
                );
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

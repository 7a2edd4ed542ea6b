//! Certificates for peers: by our own command, and by a stranger's authority.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::umbel::Umbel;

/// A certificate with its key, and who vouches for the server.
#[derive(Clone, Debug)]
pub struct Papers {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// The authority of the server to call, PEM.
    pub authority: PathBuf,
}

/// A certificate for `name` from the server's own authority.
pub fn issued(umbel: &Umbel, name: &str) -> Papers {
    let folder = umbel.folder().join(format!("papers-{name}"));
    let folder_text = folder.to_string_lossy().into_owned();
    umbel.run(&["certificate", "issue", name, &folder_text]);
    Papers {
        certificate: folder.join(format!("{name}.pem")),
        key: folder.join(format!("{name}-key.pem")),
        authority: folder.join("authority.pem"),
    }
}

/// A certificate for `name` that somebody made for himself with openssl; it names `umbel`'s authority as
/// the one to believe.
pub fn strange(umbel: &Umbel, name: &str) -> Papers {
    let folder = umbel.folder().join(format!("strange-{name}"));
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let own = |file: &str| folder.join(file);
    let subject = format!("/CN={name}");
    let alternative = format!("subjectAltName=DNS:{name}");
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"];
    openssl(
        &[&["req", "-x509"], &curve[..], &["-subj", "/CN=A stranger's authority"]].concat(),
        &[("-keyout", &own("authority-key.pem")), ("-out", &own("authority.pem"))],
    );
    let extensions =
        format!("{alternative}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n");
    std::fs::write(own("extensions"), extensions).expect("a file can be written");
    openssl(
        &[&["req"], &curve[..5], &["-subj", &subject]].concat(),
        &[("-keyout", &own("key.pem")), ("-out", &own("request.pem"))],
    );
    openssl(
        &["x509", "-req", "-days", "30", "-CAcreateserial"],
        &[
            ("-in", &own("request.pem")),
            ("-CA", &own("authority.pem")),
            ("-CAkey", &own("authority-key.pem")),
            ("-extfile", &own("extensions")),
            ("-out", &own("certificate.pem")),
        ],
    );
    Papers { certificate: own("certificate.pem"), key: own("key.pem"), authority: umbel.authority() }
}

fn openssl(words: &[&str], files: &[(&str, &Path)]) {
    let mut command = Command::new("openssl");
    command.args(words);
    for (option, file) in files {
        command.arg(option).arg(file);
    }
    let output = command.output().expect("openssl is here");
    assert!(output.status.success(), "openssl {words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

//! PINs and passwords for commands: from files or standard input, never from arguments.

use std::io::Read;
use std::path::Path;

use umbel_store::{Password, Pin};
use zeroize::Zeroizing;

use crate::cli::SecretsFromFiles;
use crate::exit::{Failure, at_path};

/// Longer files are no secret that anybody types.
const SECRET_BYTES_MAX: u64 = 4_096;

/// Reads what the options name.
pub(crate) fn password_and_pin(
    options: &SecretsFromFiles,
) -> Result<(Option<Password>, Option<Pin>), Failure> {
    if options.pin.is_some() || options.password.is_some() {
        return Err(Failure::usage(
            "a secret given as an argument is seen by everybody on this machine; \
             write it into a file and use --pin-file or --password-file (`-` reads standard input)",
        ));
    }
    let stdin = Some(Path::new("-"));
    if options.pin_file.as_deref() == stdin && options.password_file.as_deref() == stdin {
        return Err(Failure::usage("only one secret can be read from standard input"));
    }
    let pin = options.pin_file.as_deref().map(read_pin).transpose()?;
    let password = options.password_file.as_deref().map(read_password).transpose()?;
    Ok((password, pin))
}

fn read_pin(path: &Path) -> Result<Pin, Failure> {
    let text = first_line(path)?;
    Pin::new(&text).map_err(|wrong| Failure::usage(format!("{}: {wrong}", path.display())))
}

fn read_password(path: &Path) -> Result<Password, Failure> {
    let text = first_line(path)?;
    Password::new(&text)
        .ok_or_else(|| Failure::usage(format!("{}: the password is empty or too long", path.display())))
}

pub(crate) fn first_line(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(SECRET_BYTES_MAX).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(SECRET_BYTES_MAX).read_to_string(&mut text))
    };
    read.map_err(|error| at_path("read the secret in", path, &error))?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_as_an_argument_is_refused_without_repeating_it() {
        let options = SecretsFromFiles { pin: Some("864209".to_owned()), ..SecretsFromFiles::default() };
        let failure = password_and_pin(&options).expect_err("refused");
        assert_eq!(failure.exit, crate::exit::Exit::Usage);
        assert!(!failure.message.contains("864209"));
        assert!(failure.message.contains("--pin-file"));
    }

    #[test]
    fn the_first_line_of_a_file_is_the_secret() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("pin");
        std::fs::write(&path, "864209\nsomething else\n").expect("written");
        let options = SecretsFromFiles { pin_file: Some(path), ..SecretsFromFiles::default() };
        let (password, pin) = password_and_pin(&options).expect("read");
        assert_eq!(pin.expect("a PIN").reveal(), "864209");
        assert!(password.is_none());
    }

    #[test]
    fn what_is_no_pin_is_refused_without_repeating_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("pin");
        std::fs::write(&path, "letters\n").expect("written");
        let failure =
            password_and_pin(&SecretsFromFiles { pin_file: Some(path), ..SecretsFromFiles::default() })
                .expect_err("no digits");
        assert!(!failure.message.contains("letters"), "{failure}");
    }
}

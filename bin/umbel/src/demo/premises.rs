//! Where the tour lives: a folder that goes away, the data, the configuration, and the secrets of two users.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use umbel_store::{Store, UserChange, UserEntry};

use crate::admin::all_messages;
use crate::config::{Config, DEFAULT_DATA};
use crate::exit::{Exit, Failure, at_path};
use crate::runtime::now;
use crate::serve::{Made, put_first_users};
use crate::store::author;
use crate::{refused, runtime};

/// How long telephones ring here: long enough to be seen.
const RING_TIME: Duration = Duration::from_secs(2);
/// More connections and calls than a tour needs, and few enough for any system's bound on open files.
const CONNECTIONS: usize = 200;
const CALLS: u32 = 50;
/// What a data directory holds that the tour made. Others it does not touch: it gives users new secrets.
const MARK: &str = "made-by-umbel-demo";

/// The folder and the data.
pub(super) struct Premises {
    /// Passwords and other things that go away with the tour.
    folder: TempDir,
    /// By its full path.
    data: PathBuf,
    /// Whether the data stay.
    pub(super) is_kept: bool,
}

impl Premises {
    /// Makes the folder, and the data directory that was asked for where it is not there yet.
    pub(super) fn prepare(data: Option<&Path>) -> Result<Self, Failure> {
        let wrong = |error| at_path("make a folder in", &std::env::temp_dir(), &error);
        let folder = tempfile::Builder::new().prefix("umbel-demo-").tempdir().map_err(wrong)?;
        let is_kept = data.is_some();
        let data = match data {
            Some(data) => data.to_owned(),
            None => folder.path().join(DEFAULT_DATA),
        };
        claim(&data)?;
        let data = data.canonicalize().map_err(|error| at_path("find", &data, &error))?;
        Ok(Premises { folder, data, is_kept })
    }

    /// The embedded defaults on ports that are free.
    pub(super) fn config(&self) -> Config {
        let mut config = Config::embedded(&self.data);
        if let Some(server) = &mut config.server {
            server.ring_time = RING_TIME;
            server.listen.iter_mut().for_each(|listener| listener.address.set_port(0));
        }
        if let Some(um) = &mut config.um {
            um.max_calls = CALLS;
            um.listen.iter_mut().for_each(|listener| listener.address.set_port(0));
        }
        config.admin_listen.set_port(0);
        config.http.listen.set_port(0);
        config.limits.connections = CONNECTIONS;
        config
    }

    /// What passwords and certificates of strangers are put into.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// The file with a user's password, there as long as the tour is.
    pub(super) fn password_file(&self, user: &str) -> PathBuf {
        self.folder().join(format!("{user}.password"))
    }

    /// The authority of the servers' certificate.
    pub(super) fn authority(&self) -> PathBuf {
        self.data.join("authority.pem")
    }

    /// Alice and bob as a tour begins: with secrets that are known, in files of their own, without rules and without
    /// messages. `made` are those that this start made; where an earlier one did, they get new secrets.
    pub(super) fn move_in(
        &self,
        config: &Config,
        store: &mut dyn Store,
        made: Vec<Made>,
    ) -> Result<Vec<Made>, Failure> {
        let made = match made.is_empty() {
            true => put_first_users(config, store, runtime::generator()?, now())?,
            false => made,
        };
        for Made { address, password, .. } in &made {
            let mut entry = UserEntry::new(address.clone());
            entry.changes.push(UserChange::Routing { key: "forward-immediate".to_owned(), value: None });
            let about = address.as_str();
            store.put_users(&[entry], &author(), now()).map_err(|error| refused::store(error, about))?;
            for message in all_messages(store, address)? {
                let deleted = store.delete_message(address, message.id, &author(), now());
                deleted.map_err(|error| refused::store(error, about))?;
            }
            let file = self.password_file(address.user());
            write_secret(&file, password.reveal()).map_err(|error| at_path("write", &file, &error))?;
        }
        Ok(made)
    }
}

/// Makes the directory, or makes sure that a tour has made it.
fn claim(data: &Path) -> Result<(), Failure> {
    let mark = data.join(MARK);
    let wrong = |error: &std::io::Error| at_path("make", data, error);
    let is_empty = match fs::read_dir(data) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(wrong(&error)),
    };
    if !is_empty && !mark.exists() {
        return Err(Failure::new(
            Exit::CannotCreate,
            "not-a-demo",
            format!(
                "{} holds what no demo made, and its users would get new passwords; name another directory, or none",
                data.display()
            ),
        ));
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(|error| wrong(&error))?;
    fs::write(&mark, "").map_err(|error| at_path("write", &mark, &error))
}

fn write_secret(file: &Path, secret: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    writeln!(file, "{secret}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_no_demo_made_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let theirs = folder.path().join("umbel-data");
        fs::create_dir(&theirs).expect("a folder");
        fs::write(theirs.join("umbel.db"), "theirs").expect("a file");
        let refused = claim(&theirs).expect_err("it is theirs");
        assert_eq!((refused.exit, refused.code), (Exit::CannotCreate, "not-a-demo"));
        assert_eq!(fs::read_dir(&theirs).expect("a folder").count(), 1, "nothing was put into it");
        // One of ours, made now, and found again.
        let ours = folder.path().join("a/b");
        claim(&ours).expect("it is new");
        fs::write(ours.join("umbel.db"), "ours").expect("a file");
        claim(&ours).expect("it has our mark");
    }

    #[test]
    fn without_a_directory_everything_is_gone_in_the_end() {
        let premises = Premises::prepare(None).expect("a folder");
        let folder = premises.folder().to_owned();
        write_secret(&premises.password_file("alice"), "a secret").expect("a file");
        assert!(folder.is_dir() && premises.data().is_dir());
        drop(premises);
        assert!(!folder.exists());
    }
}

//! A telephone of the program that runs beside the test, and what it has told so far.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::site::{Ran, Site, program, signal};
use crate::wait::until;

/// Sound that is compared wants a machine that is not busy with our own other calls.
pub(crate) fn quiet() -> MutexGuard<'static, ()> {
    static QUIET: Mutex<()> = Mutex::new(());
    QUIET.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A telephone under way; taken away when dropped.
pub(crate) struct Telephone {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Telephone {
    /// `umbel phone COMMAND` as this user, over TLS to the site's protocol server, with the user's password.
    pub(crate) fn start(site: &Site, user: &str, arguments: &[&str]) -> Self {
        let common = common(site, user);
        let common: Vec<&str> = common.iter().map(String::as_str).collect();
        Telephone::start_with(site, &[arguments, &common].concat())
    }

    /// `umbel phone` with these arguments and no others but `--json`.
    pub(crate) fn start_with(site: &Site, arguments: &[&str]) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let file = |kind: &str| site.path(&format!("telephone-{number}.{kind}"));
        let (out, err) = (file("out"), file("err"));
        let mut command = program();
        command.arg("phone").args(arguments).arg("--json").current_dir(site.folder());
        command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        Telephone { child: command.spawn().unwrap(), out, err }
    }

    /// What it has told.
    pub(crate) fn events(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.out).unwrap_or_default();
        // The last line may be half written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits until it tells of this.
    #[track_caller]
    pub(crate) fn tells(&mut self, event: &str) -> Value {
        until(event, || {
            let found = self.events().into_iter().find(|told| told["event"] == event);
            if found.is_none() && self.child.try_wait().unwrap().is_some() {
                panic!("it ended without telling of {event}: {:?}, {}", self.events(), text(&self.err));
            }
            found
        })
    }

    /// Interrupts it, as Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        signal(&self.child, "INT");
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn finished(mut self) -> Ran {
        let status = until("the telephone to end", || self.child.try_wait().unwrap());
        Ran { status: status.code(), out: text(&self.out), err: text(&self.err) }
    }
}

impl Drop for Telephone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The arguments that every telephone of this site has.
pub(crate) fn common(site: &Site, user: &str) -> Vec<String> {
    let file = |name: &str| site.path(name).into_os_string().into_string().unwrap();
    [
        "--as".to_owned(),
        format!("{user}@example.test"),
        "--server".to_owned(),
        format!("tls:127.0.0.1:{}", site.server_tls),
        "--authority".to_owned(),
        file("data/authority.pem"),
        "--password-file".to_owned(),
        file(&format!("{user}.password")),
    ]
    .to_vec()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

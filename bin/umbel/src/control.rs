//! The control socket: how commands reach a running server.
//!
//! A Unix socket in the data directory, open to its owner only. One JSON line asks, one answers.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use umbel_web::PhoneCallDocument;

use crate::cli::Place;
use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::output;

/// The longest request or answer, in bytes; longer ones are cut off and refused.
pub(crate) const LINE_BYTES_MAX: u64 = 64 * 1024;
/// The name of a socket has room for so many bytes on every system (`sun_path`), the final zero included.
const SOCKET_NAME_BYTES_MAX: usize = 104;
/// How long a command waits for the server's answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// What a command asks of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub(crate) enum Request {
    /// Read the configuration again.
    Reload,
    /// Play a message on its owner's telephone, or on a number that the owner may call.
    PlayOnPhone {
        /// The message's id.
        message: String,
        /// What to dial; the owner's own telephone where it is absent.
        number: Option<String>,
    },
    /// How does this call stand?
    PhoneCall {
        /// Whose.
        mailbox: String,
        /// Its id.
        id: String,
    },
    /// End this call.
    HangUp {
        /// Whose.
        mailbox: String,
        /// Its id.
        id: String,
    },
    /// Try the mails that wait now.
    SendMails,
    /// Users were changed in the store: look, before the next call.
    UsersChanged,
}

/// What the server answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// It is done.
    Done {
        /// What needs a restart to take effect.
        after_restart: Vec<String>,
    },
    /// How a call stands.
    PhoneCall(PhoneCall),
    /// It is refused; everything stays as it was.
    Refused {
        /// Why.
        message: String,
    },
}

/// A call that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PhoneCall {
    /// Whose.
    pub(crate) mailbox: String,
    /// How it stands, as the API says it.
    #[serde(flatten)]
    pub(crate) call: PhoneCallDocument,
    /// No more comes of it.
    pub(crate) is_over: bool,
}

/// Where the socket is.
pub(crate) fn socket_path(data: &Path) -> PathBuf {
    data.join("control.sock")
}

/// Names the socket to `use_it`: by its path, or where that is longer than the name of a socket may be, by way of
/// the open directory.
pub(crate) fn at_socket<T>(data: &Path, use_it: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let path = socket_path(data);
    if path.as_os_str().len() < SOCKET_NAME_BYTES_MAX {
        return use_it(&path);
    }
    let folder = File::open(data)?;
    use_it(&socket_path(Path::new(&format!("/proc/self/fd/{}", folder.as_raw_fd()))))
}

/// Whether a server answers there; a socket alone may have been left by one that was killed.
pub(crate) fn is_answered(data: &Path) -> bool {
    at_socket(data, |path| UnixStream::connect(path)).is_ok()
}

/// Asks the server that runs on `data`.
pub(crate) fn ask(data: &Path, request: Request) -> Result<Answer, Failure> {
    let path = socket_path(data);
    let unreachable = |error: &dyn std::fmt::Display| {
        Failure::new(
            Exit::Unavailable,
            "server-not-running",
            format!("no server answers on {}: {error}; start it with `umbel serve`", path.display()),
        )
    };
    let mut stream =
        at_socket(data, |path| UnixStream::connect(path)).map_err(|error| unreachable(&error))?;
    let line = serde_json::to_string(&request).map_err(|error| unreachable(&error))?;
    stream
        .set_read_timeout(Some(ANSWERED_WITHIN))
        .and_then(|()| stream.write_all(format!("{line}\n").as_bytes()))
        .map_err(|error| unreachable(&error))?;
    let mut answer = String::new();
    BufReader::new(stream.take(LINE_BYTES_MAX))
        .read_line(&mut answer)
        .map_err(|error| unreachable(&error))?;
    serde_json::from_str(&answer).map_err(|error| unreachable(&error))
}

/// `umbel reload`.
pub(crate) fn reload(place: &Place, json: bool) -> Result<(), Failure> {
    let config = Config::at(place)?;
    match ask(&config.data, Request::Reload)? {
        Answer::Done { after_restart } if json => {
            output::json(&serde_json::json!({ "done": "reloaded", "after_restart": after_restart }))
        }
        Answer::Done { after_restart } if after_restart.is_empty() => output::line("reloaded"),
        Answer::Done { after_restart } => {
            output::line(format!("reloaded; after a restart: {}", after_restart.join("; ")))
        }
        Answer::PhoneCall(_) => {
            Err(Failure::new(Exit::Failed, "internal", "the server answered something else"))
        }
        Answer::Refused { message } => {
            Err(Failure::config(format!("{message}; the old configuration stays")))
        }
    }
}

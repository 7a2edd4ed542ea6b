//! The server's side of the control socket.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::control::{Answer, LINE_BYTES_MAX, Request, at_socket, socket_path};

/// Commands that wait to be answered; one more waits to be read.
pub(super) const ASKED_MAX: usize = 16;

/// Commands that are read and answered at the same time; one more waits to be accepted.
const COMMANDS_MAX: usize = 64;
/// A connection that has not asked and been answered by then is given up.
const SERVED_WITHIN: Duration = Duration::from_secs(30);

/// A request, and where its answer goes.
pub(super) type Asked = (Request, oneshot::Sender<Answer>);

/// The bound socket; removed when the server ends.
pub(super) struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Control {
    /// Binds the socket in the data directory. The store's lock says that no other server uses it, so a
    /// socket that is there was left by one that did not end in order.
    pub(super) fn bind(data: &Path) -> io::Result<Self> {
        let path = socket_path(data);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = at_socket(data, |path| UnixListener::bind(path))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Control { listener, path })
    }

    /// Hands requests to `asked`. A command that waits for its answer keeps no other one waiting, up to
    /// [`COMMANDS_MAX`].
    pub(super) async fn serve(self, asked: mpsc::Sender<Asked>) {
        let mut commands = JoinSet::new();
        loop {
            while commands.len() >= COMMANDS_MAX {
                commands.join_next().await;
            }
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    // Those that are done make room.
                    while commands.try_join_next().is_some() {}
                    let asked = asked.clone();
                    commands.spawn_local(async move {
                        if let Ok(Err(error)) =
                            tokio::time::timeout(SERVED_WITHIN, answer(stream, &asked)).await
                        {
                            tracing::debug!(%error, "a command left before its answer");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, path = %self.path.display(), "the control socket does not accept commands");
                    return;
                }
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn answer(mut stream: UnixStream, asked: &mpsc::Sender<Asked>) -> io::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut line = String::new();
    BufReader::new(reader.take(LINE_BYTES_MAX)).read_line(&mut line).await?;
    let answer = match serde_json::from_str(&line) {
        Ok(request) => {
            let (reply, answer) = oneshot::channel();
            asked.send((request, reply)).await.map_err(|_| io::ErrorKind::BrokenPipe)?;
            answer.await.map_err(|_| io::ErrorKind::BrokenPipe)?
        }
        Err(error) => Answer::Refused { message: format!("this server does not know the request: {error}") },
    };
    let text = serde_json::to_string(&answer)?;
    writer.write_all(format!("{text}\n").as_bytes()).await
}

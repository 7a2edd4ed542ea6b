//! The beginning of a connection to a mail server, up to where it is as encrypted as it has to be. STARTTLS
//! (RFC 3207) is ours, so that nothing is kept that came before TLS began (SEC-115, CVE-2011-0411).

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::stream::{REPLY_BYTES_MAX, Stream};
use super::trust;
use crate::config::{Mail, MailTls};

/// How long the server may take to accept a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(30);

/// Connects as the configuration says; why not, for people.
pub(super) async fn connect(mail: &Mail, hello: &str) -> Result<Stream, String> {
    let server = &mail.smtp;
    let connecting = TcpStream::connect((server.host.as_str(), server.port));
    let socket = match timeout(CONNECT_WITHIN, connecting).await {
        Ok(connected) => connected.map_err(|error| format!("{server} cannot be reached: {error}"))?,
        Err(_) => return Err(format!("{server} does not accept connections within {CONNECT_WITHIN:?}")),
    };
    if server.implicit_tls {
        return Ok(Stream::tls(trust::encrypted(mail, socket).await?));
    }
    if mail.tls == MailTls::Off {
        return Ok(Stream::plain(socket));
    }
    let mut plain = Plain { socket, unread: Vec::new() };
    plain.reply().await?.must_be(b"220", "greets us with")?;
    plain.say(&format!("EHLO {hello}\r\n")).await?;
    let reply = plain.reply().await?;
    reply.must_be(b"250", "answers EHLO with")?;
    if reply.names(b"STARTTLS") {
        plain.say("STARTTLS\r\n").await?;
        plain.reply().await?.must_be(b"220", "answers STARTTLS with")?;
        return Ok(Stream::tls(trust::encrypted(mail, plain.into_socket()?).await?).greeted());
    }
    if mail.tls == MailTls::Required {
        return Err(format!(
            "{server} offers no STARTTLS, and mails travel encrypted; see [mail] tls for what can be done"
        ));
    }
    Ok(Stream::plain(plain.into_socket()?).greeted())
}

/// A connection of which what was read and not used is known.
struct Plain {
    socket: TcpStream,
    unread: Vec<u8>,
}

/// One reply (RFC 5321 4.2), in lines.
struct Reply(Vec<Vec<u8>>);

impl Plain {
    async fn say(&mut self, line: &str) -> Result<(), String> {
        if !self.unread.is_empty() {
            return Err("the mail server talks out of turn".to_owned());
        }
        self.socket.write_all(line.as_bytes()).await.map_err(|error| broke(&error))
    }

    async fn reply(&mut self) -> Result<Reply, String> {
        let mut lines = Vec::new();
        let mut octets = 0;
        loop {
            let line = self.line().await?;
            octets += line.len();
            if octets > REPLY_BYTES_MAX {
                return Err("the mail server's reply is too long".to_owned());
            }
            let last = line.get(3) != Some(&b'-');
            let code = line.get(..3).is_some_and(|code| code.iter().all(u8::is_ascii_digit));
            if !code || !matches!(line.get(3), None | Some(b' ' | b'-')) {
                return Err("the mail server does not speak SMTP".to_owned());
            }
            lines.push(line);
            if last {
                return Ok(Reply(lines));
            }
        }
    }

    /// A line without its end.
    async fn line(&mut self) -> Result<Vec<u8>, String> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.unread.drain(..=end).collect();
                line.truncate(line.len() - 1 - usize::from(line.ends_with(b"\r\n")));
                return Ok(line);
            }
            if self.unread.len() > REPLY_BYTES_MAX {
                return Err("the mail server's reply is too long".to_owned());
            }
            match self.socket.read_buf(&mut self.unread).await {
                Ok(0) => return Err("the mail server hung up".to_owned()),
                Ok(_) => {}
                Err(error) => return Err(broke(&error)),
            }
        }
    }

    /// The socket, of which nothing was read that nobody has looked at.
    fn into_socket(self) -> Result<TcpStream, String> {
        if self.unread.is_empty() {
            Ok(self.socket)
        } else {
            Err("the mail server, or somebody between, said more before TLS began".to_owned())
        }
    }
}

impl Reply {
    fn must_be(&self, code: &[u8; 3], what: &str) -> Result<(), String> {
        let last = self.0.last().map(Vec::as_slice).unwrap_or_default();
        if last.starts_with(code) {
            return Ok(());
        }
        Err(format!("the mail server {what} \"{}\"", String::from_utf8_lossy(last)))
    }

    /// Whether one of the lines but the first begins with this word.
    fn names(&self, word: &[u8]) -> bool {
        self.0.iter().skip(1).any(|line| {
            let told = line.get(4..).unwrap_or_default();
            let first = told.split(|byte| *byte == b' ').next().unwrap_or_default();
            first.eq_ignore_ascii_case(word)
        })
    }
}

fn broke(error: &std::io::Error) -> String {
    format!("the connection to the mail server broke: {error}")
}

//! A client of the web service, as any script would be one: HTTP/1.1 with Basic, JSON there and back.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use umbel_store::Password;

use crate::exit::{Exit, Failure};

/// A longer answer is none of those that are asked for here.
const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// How long an answer may take.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// Who asks, and where.
pub(super) struct Client<'a> {
    /// `http://HOST:PORT`.
    pub(super) url: &'a str,
    pub(super) user: &'a str,
    pub(super) password: &'a Password,
}

/// What was answered.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) document: Value,
}

impl Client<'_> {
    pub(super) async fn post(&self, path: &str, document: &Value) -> Result<Answer, Failure> {
        self.ask("POST", path, &document.to_string()).await
    }

    pub(super) async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.ask("GET", path, "").await
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> Result<Answer, Failure> {
        let host = self.url.strip_prefix("http://").unwrap_or(self.url);
        let credentials = STANDARD.encode(format!("{}:{}", self.user, self.password.reveal()));
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {credentials}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let exchange = async {
            let mut stream = TcpStream::connect(host).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = Vec::new();
            stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        let what = |why: &str| {
            Failure::new(Exit::Failed, "web-service", format!("{method} {}{path}: {why}", self.url))
        };
        match tokio::time::timeout(ANSWERED_WITHIN, exchange).await {
            Ok(Ok(answer)) => read(&answer).ok_or_else(|| what("the answer is not HTTP with JSON")),
            Ok(Err(error)) => Err(what(&error.to_string())),
            Err(_) => Err(what("no answer in time")),
        }
    }
}

fn read(answer: &[u8]) -> Option<Answer> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.split_whitespace().next()?.parse().ok()?;
    Some(Answer { status, document: serde_json::from_str(body).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_document() {
        let answer = read(b"HTTP/1.1 201 Created\r\nContent-Length: 11\r\n\r\n{\"id\":\"07\"}").expect("one");
        assert_eq!((answer.status, answer.document["id"].as_str()), (201, Some("07")));
        for wrong in [
            "",
            "HTTP/1.1 200 OK\r\n\r\n<html>",
            "HTTP/1.1 200 OK\r\n\r\n{\"id\":",
            "SIP/2.0 200 OK\r\n\r\n{}",
        ] {
            assert!(read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}

//! Message summaries: RFC 3842 5.2, `application/simple-message-summary`.

use std::fmt;

use bytes::Bytes;
use umbel_sip_message::Uri;

/// Octets of a summary; longer ones are not read.
pub const BYTES_MAX: usize = 4_096;
/// Lines of a summary that are looked at; the rest is left alone.
pub const LINES_MAX: usize = 64;

/// What waits in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageSummary {
    /// `Messages-Waiting`: whether the lamp is on.
    pub waiting: bool,
    /// `Message-Account`: whom the message key of a telephone calls (MWI-5).
    pub account: Option<Uri>,
    /// `Voice-Message`; none where the other side tells no numbers.
    pub voice: Option<Counts>,
}

/// How many messages there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Not heard yet, the urgent ones included.
    pub new: u32,
    /// Heard, the urgent ones included.
    pub old: u32,
    /// Of the new ones.
    pub urgent_new: u32,
    /// Of the old ones.
    pub urgent_old: u32,
}

/// Why a body is no summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// More than [`BYTES_MAX`].
    #[error("message summary too long")]
    TooLong,
    /// No line says whether messages wait, and none counts them.
    #[error("message summary without Messages-Waiting")]
    NoStatus,
}

impl MessageSummary {
    /// The summary of a mailbox with so many messages: new ones light the lamp.
    pub fn of(voice: Counts, account: Option<Uri>) -> Self {
        MessageSummary { waiting: voice.new > 0, account, voice: Some(voice) }
    }

    /// Reads a body: names and words without case, blanks where people put them, lines ended by CRLF or
    /// LF. Of a line that is there twice the first counts. Lines that we do not know, message headers
    /// after the empty line, and what cannot be read are passed over, for other people's voice mail
    /// writes a lot; only without a status there is nothing to show.
    pub fn parse(body: &[u8]) -> Result<Self, Unreadable> {
        if body.len() > BYTES_MAX {
            return Err(Unreadable::TooLong);
        }
        let text = String::from_utf8_lossy(body);
        let (mut waiting, mut account, mut voice) = (None, None, None);
        let lines = text.lines().take(LINES_MAX).map(str::trim).skip_while(|line| line.is_empty());
        // After an empty line: headers of single messages (RFC 3842 5.2 `opt-msg-headers`).
        for line in lines.take_while(|line| !line.is_empty()) {
            let Some((name, value)) = line.split_once(':') else { continue };
            let (name, value) = (name.trim(), value.trim());
            if name.eq_ignore_ascii_case("Messages-Waiting") {
                waiting = waiting.or(yes_or_no(value));
            } else if name.eq_ignore_ascii_case("Message-Account") {
                account = account.or_else(|| value.trim_matches(['<', '>']).parse().ok());
            } else if name.eq_ignore_ascii_case("Voice-Message") {
                voice = voice.or_else(|| Counts::parse(value));
            }
        }
        let counted = voice.map(|voice: Counts| voice.new > 0);
        let waiting = waiting.or(counted).ok_or(Unreadable::NoStatus)?;
        Ok(MessageSummary { waiting, account, voice })
    }

    /// The body of a NOTIFY.
    pub fn to_body(&self) -> Bytes {
        Bytes::from(self.to_string())
    }
}

fn yes_or_no(value: &str) -> Option<bool> {
    match value {
        _ if value.eq_ignore_ascii_case("yes") => Some(true),
        _ if value.eq_ignore_ascii_case("no") => Some(false),
        _ => None,
    }
}

impl Counts {
    /// `newmsgs SLASH oldmsgs [ LPAREN new-urgentmsgs SLASH old-urgentmsgs RPAREN ]`
    fn parse(value: &str) -> Option<Self> {
        let (all, urgent) = match value.split_once('(') {
            Some((all, urgent)) => (all, Some(urgent.trim_end().strip_suffix(')')?)),
            None => (value, None),
        };
        let (new, old) = pair(all)?;
        let (urgent_new, urgent_old) = urgent.map_or(Some((0, 0)), pair)?;
        Some(Counts { new, old, urgent_new, urgent_old })
    }
}

/// `1*DIGIT SLASH 1*DIGIT`
fn pair(text: &str) -> Option<(u32, u32)> {
    let number = |text: &str| {
        let digits = text.trim();
        digits.bytes().all(|c| c.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    };
    let (one, other) = text.split_once('/')?;
    Some((number(one)?, number(other)?))
}

/// As on the wire, CRLF after each line.
impl fmt::Display for MessageSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Messages-Waiting: {}\r\n", if self.waiting { "yes" } else { "no" })?;
        if let Some(account) = &self.account {
            write!(f, "Message-Account: {account}\r\n")?;
        }
        if let Some(voice) = self.voice {
            write!(f, "Voice-Message: {voice}\r\n")?;
        }
        Ok(())
    }
}

/// `2/8 (1/0)`
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} ({}/{})", self.new, self.old, self.urgent_new, self.urgent_old)
    }
}

#[cfg(test)]
#[path = "message_summary_tests.rs"]
mod tests;

//! What SIPp wrote down of the messages that it sent and received.

use std::path::Path;
use std::time::Duration;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    /// The time of day at which SIPp sent or received it, by SIPp's clock.
    pub at: Duration,
    /// Whether SIPp received it.
    pub is_received: bool,
    /// The message.
    pub text: String,
}

impl Traced {
    /// The request's method and Request-URI, or the status line.
    pub fn first_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// The status code of a response.
    pub fn status(&self) -> Option<u16> {
        self.first_line().strip_prefix("SIP/2.0 ")?.split(' ').next()?.parse().ok()
    }

    /// The values of all header lines of this name.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default();
        let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields
            .filter(|(known, _)| known.trim().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }
}

/// Reads the file that `-trace_msg` writes.
///
/// ```text
/// ----------------------------------------------- 2026-11-21 11:30:00.123456
/// TCP message received [12] bytes :
///
/// SIP/2.0 200 OK
/// ```
pub fn read(file: &Path) -> Vec<Traced> {
    const RULE: &str = "-----------------------------------------------";
    let text = String::from_utf8_lossy(&std::fs::read(file).unwrap_or_default()).into_owned();
    let entries = text.split(RULE).skip(1);
    entries
        .filter_map(|entry| {
            let (heading, message) = entry.split_once(":\n\n")?;
            let at = time_of_day(heading.lines().next()?)?;
            let is_received = heading.contains("message received");
            (is_received || heading.contains("message sent")).then(|| Traced {
                at,
                is_received,
                text: message.trim_end_matches('\n').to_owned(),
            })
        })
        .collect()
}

/// `2026-11-21 11:30:00.123456`, with a blank or a tab.
fn time_of_day(line: &str) -> Option<Duration> {
    let (hours, rest) = line.split_whitespace().nth(1)?.split_once(':')?;
    let (minutes, seconds) = rest.split_once(':')?;
    let whole: u64 = hours.parse::<u64>().ok()? * 3_600 + minutes.parse::<u64>().ok()? * 60;
    Some(Duration::from_secs(whole) + Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn messages_are_read_with_their_times_and_directions() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("messages");
        let text = "----------------------------------------------- 2026-11-21\t01:02:03.500000\n\
                    TCP message sent (20 bytes):\n\nOPTIONS sip:x SIP/2.0\r\nVia: a\r\nvia : b\r\n\r\n\n\
                    ----------------------------------------------- 2026-11-21\t01:02:03.750000\n\
                    TCP message received [20] bytes :\n\nSIP/2.0 200 OK\r\n\r\n\n";
        std::fs::write(&file, text).unwrap();
        let messages = read(&file);
        assert_eq!(messages.len(), 2);
        assert_eq!(messages[0].headers("Via"), ["a", "b"]);
        assert_eq!((messages[0].is_received, messages[0].status()), (false, None));
        assert_eq!((messages[1].is_received, messages[1].status()), (true, Some(200)));
        assert_eq!(messages[1].at - messages[0].at, Duration::from_millis(250));
        assert_eq!(read(Path::new("/nowhere")), []);
    }
}

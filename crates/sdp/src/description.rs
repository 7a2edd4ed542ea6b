//! A session description as we read and write it (RFC 8866).

use std::borrow::Cow;

use bytes::Bytes;

use crate::Refusal;

/// The most media lines that a description may have.
pub const MEDIA_LINES_MAX: usize = 8;

/// A session description that could be read, within the limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    session: sdp_types::Session,
}

impl Description {
    /// Reads a description.
    ///
    /// Only the lines that decide something here are judged: `v=`, `c=`, `m=` and `a=`. An odd `o=`,
    /// `b=` or `t=` costs nobody a call. Line ends may be LF alone.
    pub fn parse(octets: &[u8]) -> Result<Description, Refusal> {
        let text = String::from_utf8_lossy(octets);
        if !text.starts_with("v=") {
            return Err(Refusal::NotSdp);
        }
        let judged = judged_lines(&text);
        if judged.lines().filter(|line| line.starts_with("m=")).count() > MEDIA_LINES_MAX {
            return Err(Refusal::TooManyMediaLines);
        }
        let session = sdp_types::Session::parse(judged.as_bytes()).map_err(|_| Refusal::Unreadable)?;
        Ok(Description { session })
    }

    pub(crate) fn new(session: sdp_types::Session) -> Description {
        Description { session }
    }

    /// The description as it is sent.
    pub fn print(&self) -> Bytes {
        Bytes::from(self.session.to_string())
    }

    pub(crate) fn session(&self) -> &sdp_types::Session {
        &self.session
    }

    pub(crate) fn media(&self) -> &[sdp_types::Media] {
        &self.session.medias
    }
}

/// The lines that we judge; the rest of what RFC 8866 knows is left out unread.
fn judged_lines(text: &str) -> String {
    let mut judged = String::with_capacity(text.len());
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let line = match line.as_bytes() {
            [] => continue,
            [b's' | b'i' | b'u' | b'e' | b'p' | b'b' | b't' | b'r' | b'z' | b'k', b'=', ..] => continue,
            [b'o', b'=', ..] => match readable_origin(line) {
                Some(origin) => origin,
                None => continue,
            },
            _ => Cow::Borrowed(line),
        };
        judged.push_str(&line);
        judged.push_str("\r\n");
    }
    judged
}

/// An `o=` line with numbers that fit; others, which may be of any length (RFC 8866 9), are left out.
fn readable_origin(line: &str) -> Option<Cow<'_, str>> {
    let fields: Vec<&str> = line.split(' ').filter(|field| !field.is_empty()).collect();
    let fits = fields.len() == 6 && fields.get(2).is_some_and(|version| version.parse::<u64>().is_ok());
    fits.then_some(Cow::Borrowed(line))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    const PLAIN: &str =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

    fn with(line: &str) -> String {
        format!("{PLAIN}{line}\r\n")
    }

    #[test]
    fn line_ends_may_be_lf_alone() {
        let lf = Description::parse(PLAIN.replace("\r\n", "\n").as_bytes()).unwrap();
        assert_eq!(lf, Description::parse(PLAIN.as_bytes()).unwrap());
    }

    /// The IN table for SDP: "attributes we do not know, empty attributes, fmtp for another type, odd
    /// ptime, LF line ends, huge origin numbers: ignored, served".
    #[test]
    fn what_decides_nothing_is_not_judged() {
        for odd in [
            "a=",
            "a=:",
            "a=:x",
            "a=unheard-of:1 2 3",
            "a=fmtp:31 nonsense",
            "a=ptime:-7",
            "b=TIAS",
            "b=AS:99999999999999999999999",
            "t=99999999999999999999999 x",
            "k=clear:x",
            "a=x:\u{fffd}",
        ] {
            assert!(Description::parse(with(odd).as_bytes()).is_ok(), "{odd}");
        }
        for origin in [
            "o=- 123456789012345678901234567890 99999999999999999999999999 IN IP4 192.0.2.9",
            "o=x",
            "o=",
            "o=a b c d e f g",
        ] {
            let text = PLAIN.replace("o=- 1 1 IN IP4 192.0.2.9", origin);
            assert!(Description::parse(text.as_bytes()).is_ok(), "{origin}");
        }
        let no_utf8 = [PLAIN.as_bytes(), b"a=x:\xff\xfe\r\n"].concat();
        assert!(Description::parse(&no_utf8).is_ok());
    }

    #[test]
    fn what_is_no_description_is_told_from_one_that_cannot_be_read() {
        for text in ["", "hello", "<xml/>", "\r\nv=0\r\n", "o=- 1 1 IN IP4 x\r\n"] {
            assert_eq!(Description::parse(text.as_bytes()).unwrap_err(), Refusal::NotSdp, "{text:?}");
        }
        for text in [
            "v=1\r\n",
            "v=\r\n",
            "v=0\r\ngarbage\r\n",
            "v=0\r\nm=audio\r\n",
            "v=0\r\nm=audio 4000 RTP/AVP\r\n",
            "v=0\r\nm=audio 70000 RTP/AVP 0\r\n",
            "v=0\r\nm=audio -1 RTP/AVP 0\r\n",
            "v=0\r\nm=audio x RTP/AVP 0\r\n",
            "v=0\r\nc=IN\r\n",
            "v=0\r\na=x\0y\r\n",
        ] {
            assert_eq!(Description::parse(text.as_bytes()).unwrap_err(), Refusal::Unreadable, "{text:?}");
        }
    }

    /// Eight media lines are served, nine are not.
    #[test]
    fn media_lines_are_bounded() {
        let lines = |count: usize| format!("v=0\r\n{}", "m=audio 4000 RTP/AVP 0\r\n".repeat(count));
        assert!(Description::parse(lines(MEDIA_LINES_MAX).as_bytes()).is_ok());
        let refused = Description::parse(lines(MEDIA_LINES_MAX + 1).as_bytes()).unwrap_err();
        assert_eq!(refused, Refusal::TooManyMediaLines);
    }

    proptest! {
        /// REL-50: no octets make the reader panic.
        #[test]
        fn any_octets_are_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Description::parse(&octets);
        }

        #[test]
        fn any_lines_are_read_or_refused(lines in proptest::collection::vec("[vocmast]=[ -~]{0,60}", 0..20)) {
            let _ = Description::parse(format!("v=0\r\n{}", lines.join("\r\n")).as_bytes());
        }
    }
}

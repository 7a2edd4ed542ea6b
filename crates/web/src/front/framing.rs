//! Where each request ends, and which octets nobody may disagree about (RFC 9112 6, 7.1; SEC-107).
//!
//! The HTTP library reads requests; it is handed only those whose end every proxy before us sees at the same
//! place. So what is ambiguous is refused here, before it: two lengths, a length beside a coding, line ends
//! that some take for line ends and others do not.

/// Longest request line and header fields together.
pub(super) const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Longest line between two chunks; extensions are allowed and mean nothing to us.
const CHUNK_LINE_MAX: usize = 256;
/// Longest trailer of a chunked body.
const TRAILER_BYTES_MAX: usize = 4 * 1024;

/// Why a request is refused before anybody reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// 400
    Malformed,
    /// 431
    HeadTooLarge,
}

/// What is expected next.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// A request line and header fields; what has come of them.
    Head(Vec<u8>),
    /// So many more octets of a body.
    Length(u64),
    /// The line before a chunk.
    ChunkLine(Vec<u8>),
    /// So many more octets of a chunk.
    Chunk(u64),
    /// The line end after a chunk.
    ChunkEnd(u8),
    /// What comes after the last chunk; how much has come, and of its last line.
    Trailer { octets: usize, line: usize, returned: bool },
}

/// Follows one connection's requests.
#[derive(Debug)]
pub(super) struct Framing(Stage);

impl Framing {
    pub(super) fn new() -> Self {
        Framing(Stage::Head(Vec::new()))
    }

    /// Whether a request line has begun and its header has not ended.
    pub(super) fn is_within_head(&self) -> bool {
        matches!(&self.0, Stage::Head(head) if !head.is_empty())
    }

    /// Takes in what came, and appends to `ready` what may be read. Octets of a head are held until its end.
    pub(super) fn take(&mut self, mut came: &[u8], ready: &mut Vec<u8>) -> Result<(), Refused> {
        while !came.is_empty() {
            let taken = match &mut self.0 {
                Stage::Head(head) => {
                    let (taken, ended) = until_empty_line(head, came)?;
                    if ended {
                        let next = body(head)?;
                        ready.append(head);
                        self.0 = next;
                    }
                    // They are in `ready`, or will be.
                    came = came.get(taken..).unwrap_or_default();
                    continue;
                }
                Stage::Length(left) | Stage::Chunk(left) => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(came.len());
                    *left = left.saturating_sub(taken as u64);
                    taken
                }
                Stage::ChunkLine(line) => chunk_line(line, came)?,
                Stage::ChunkEnd(seen) => {
                    let expected = if *seen == 0 { b'\r' } else { b'\n' };
                    if came.first() != Some(&expected) {
                        return Err(Refused::Malformed);
                    }
                    *seen += 1;
                    1
                }
                Stage::Trailer { octets, line, returned } => trailer(octets, line, returned, came)?,
            };
            ready.extend_from_slice(came.get(..taken).unwrap_or_default());
            came = came.get(taken..).unwrap_or_default();
            self.go_on()?;
        }
        Ok(())
    }

    /// Goes to the next stage, where this one has ended.
    fn go_on(&mut self) -> Result<(), Refused> {
        let next = match &self.0 {
            Stage::Length(0) => Stage::Head(Vec::new()),
            Stage::Chunk(0) => Stage::ChunkEnd(0),
            Stage::ChunkEnd(2) => Stage::ChunkLine(Vec::new()),
            Stage::ChunkLine(line) if line.ends_with(b"\r\n") => match chunk_size(line)? {
                0 => Stage::Trailer { octets: 0, line: 0, returned: false },
                size => Stage::Chunk(size),
            },
            Stage::Trailer { line: usize::MAX, .. } => Stage::Head(Vec::new()),
            _ => return Ok(()),
        };
        self.0 = next;
        Ok(())
    }
}

/// How many octets belong to the head, and whether it ends with them.
fn until_empty_line(head: &mut Vec<u8>, came: &[u8]) -> Result<(usize, bool), Refused> {
    for (at, octet) in came.iter().enumerate() {
        // RFC 9112 2.2: an empty line before a request is no part of it.
        if head.is_empty() && matches!(octet, b'\r' | b'\n') {
            continue;
        }
        if head.len() >= HEAD_BYTES_MAX {
            return Err(Refused::HeadTooLarge);
        }
        head.push(*octet);
        if *octet == b'\n' && !head.ends_with(b"\r\n") {
            return Err(Refused::Malformed);
        }
        if head.ends_with(b"\r\n\r\n") {
            return Ok((at + 1, true));
        }
    }
    Ok((came.len(), false))
}

/// What follows a head.
fn body(head: &[u8]) -> Result<Stage, Refused> {
    let lines = head.strip_suffix(b"\r\n\r\n").ok_or(Refused::Malformed)?;
    let mut lines = lines.split(|octet| *octet == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let request_line = lines.next().unwrap_or_default();
    let (mut length, mut is_chunked) = (None, false);
    for line in lines {
        // A line end that is not one to everybody, a folded line (RFC 9112 5.2), a name with a gap (5.1).
        let colon = line.iter().position(|octet| *octet == b':').ok_or(Refused::Malformed)?;
        let (name, value) = line.split_at(colon);
        let is_token = |octet: &u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(octet);
        if name.is_empty() || !name.iter().all(is_token) || value.iter().any(|octet| b"\r\0".contains(octet))
        {
            return Err(Refused::Malformed);
        }
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            if length.replace(decimal(value).ok_or(Refused::Malformed)?).is_some() {
                return Err(Refused::Malformed);
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if is_chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Refused::Malformed);
            }
            is_chunked = true;
        }
    }
    match (is_chunked, length) {
        (true, Some(_)) => Err(Refused::Malformed),
        // RFC 9112 6.1: a coding was no part of HTTP/1.0.
        (true, None) if !request_line.ends_with(b" HTTP/1.1") => Err(Refused::Malformed),
        (true, None) => Ok(Stage::ChunkLine(Vec::new())),
        (false, None | Some(0)) => Ok(Stage::Head(Vec::new())),
        (false, Some(length)) => Ok(Stage::Length(length)),
    }
}

/// A length of at most eighteen digits: nobody sends more, and no reader of it overflows.
fn decimal(digits: &[u8]) -> Option<u64> {
    let is_number = (1..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

/// How many octets belong to the line before a chunk.
fn chunk_line(line: &mut Vec<u8>, came: &[u8]) -> Result<usize, Refused> {
    for (at, octet) in came.iter().enumerate() {
        if line.len() >= CHUNK_LINE_MAX {
            return Err(Refused::Malformed);
        }
        line.push(*octet);
        if *octet == b'\n' {
            return if line.ends_with(b"\r\n") { Ok(at + 1) } else { Err(Refused::Malformed) };
        }
    }
    Ok(came.len())
}

fn chunk_size(line: &[u8]) -> Result<u64, Refused> {
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    let digits = line.split(|octet| *octet == b';').next().unwrap_or_default().trim_ascii_end();
    let is_number = (1..=16).contains(&digits.len()) && digits.iter().all(u8::is_ascii_hexdigit);
    // A carriage return within it is one that somebody else may take for its end.
    if !is_number || line.contains(&b'\r') {
        return Err(Refused::Malformed);
    }
    let digits = std::str::from_utf8(digits).map_err(|_| Refused::Malformed)?;
    u64::from_str_radix(digits, 16).map_err(|_| Refused::Malformed)
}

/// How many octets belong to the trailer; its end is told by a line of `usize::MAX`. `returned`: the octet before was a
/// carriage return. One of the two ends of a line without the other is an end to some readers, and to others not.
fn trailer(octets: &mut usize, line: &mut usize, returned: &mut bool, came: &[u8]) -> Result<usize, Refused> {
    for (at, octet) in came.iter().enumerate() {
        *octets += 1;
        let after_return = std::mem::replace(returned, *octet == b'\r');
        match octet {
            _ if *octets > TRAILER_BYTES_MAX => return Err(Refused::HeadTooLarge),
            _ if after_return != (*octet == b'\n') => return Err(Refused::Malformed),
            b'\n' if *line == 0 => {
                *line = usize::MAX;
                return Ok(at + 1);
            }
            b'\n' => *line = 0,
            b'\r' => {}
            _ => *line += 1,
        }
    }
    Ok(came.len())
}

#[cfg(test)]
#[path = "framing_tests.rs"]
mod tests;

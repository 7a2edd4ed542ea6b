//! The lines of a head: RFC 3261 7.3, with M1 to M4 and the limits.

use super::single;
use crate::grammar::{self, TOKEN};
use crate::header_name::Known;
use crate::headers::{Entry, Span, Table};
use crate::limits;
use crate::malformed::Defect;

/// Cuts the frame into its first line, which it gives without its line end, its fields, which go into
/// the table, and its body, of which it says where it begins.
pub(super) fn read<'a>(frame: &'a [u8], table: &mut Table) -> Result<(&'a [u8], usize), Defect> {
    let head = frame.get(..limits::HEAD_MAX).unwrap_or(frame);
    let LineEnd { at: start_end, nul } = line_end(head, 0)?;
    if nul {
        return Err(Defect::of_stream("bare CR, bare LF or NUL", 0));
    }
    let mut seen = 0u8;
    let mut at = start_end + 2;
    loop {
        let end = line_end(head, at)?;
        if end.at == at {
            return Ok((head.get(..start_end).unwrap_or_default(), at + 2));
        }
        let (entry, next) = field(head, at, end)?;
        if let Some(known) = entry.known {
            let bit = single(known);
            if seen & bit != 0 {
                return Err(Defect::of_message("header field twice", at));
            }
            seen |= bit;
        }
        if table.len() == limits::FIELDS_MAX {
            return Err(Defect::of_stream("too many header fields", at));
        }
        table.push(entry);
        at = next;
    }
}

/// Where a line ends, and whether there is a NUL in it.
struct LineEnd {
    at: usize,
    nul: bool,
}

/// Where the line that contains `at` ends: the place of its CR LF (M1). A NUL passes only behind a
/// backslash; whether it is the second half of a quoted-pair is for [`field`] to say.
fn line_end(head: &[u8], at: usize) -> Result<LineEnd, Defect> {
    let mut from = at;
    loop {
        let rest = head.get(from..).unwrap_or_default();
        let Some(length) = memchr::memchr3(b'\r', b'\n', 0, rest) else {
            return Err(Defect::of_stream("head without an end", head.len()));
        };
        let found = from + length;
        match rest.get(length..length + 2) {
            Some(b"\r\n") => return Ok(LineEnd { at: found, nul: from > at }),
            Some([0, _]) if found > at && head.get(found - 1) == Some(&b'\\') => from = found + 1,
            // Cut by the limit on the head, or by the end of the frame.
            None if rest.get(length) == Some(&b'\r') => {
                return Err(Defect::of_stream("head without an end", found));
            }
            _ => return Err(Defect::of_stream("bare CR, bare LF or NUL", found)),
        }
    }
}

/// Whether every NUL is the second half of a quoted-pair in a quoted string, where RFC 3261 25.1 allows
/// it and RFC 4475 3.1.1.2 has one.
fn nuls_are_quoted(line: &[u8]) -> bool {
    let mut quoted = false;
    let mut octets = line.iter();
    while let Some(octet) = octets.next() {
        match octet {
            0 => return false,
            b'"' => quoted = !quoted,
            b'\\' if quoted => {
                octets.next();
            }
            _ => {}
        }
    }
    true
}

/// Reads the field that begins at `at` and whose first line ends at `end`; also gives where the next
/// line begins.
fn field(head: &[u8], at: usize, first: LineEnd) -> Result<(Entry, usize), Defect> {
    let LineEnd { at: mut end, mut nul } = first;
    let line = head.get(at..end).unwrap_or_default();
    // HCOLON = *( SP / HTAB ) ":" SWS (M2)
    let colon = memchr::memchr(b':', line).ok_or(Defect::of_stream("header field without a colon", at))?;
    let mut name = line.get(..colon).unwrap_or_default();
    while let [shorter @ .., b' ' | b'\t'] = name {
        name = shorter;
    }
    let known = Known::from_octets(name);
    // A known name is a token. A continuation directly under the start line is none (M3).
    if known.is_none() && !grammar::all(name, TOKEN) {
        return Err(Defect::of_stream("header name is no token", at));
    }
    let colon = at + colon;
    let mut folded = false;
    while matches!(head.get(end + 2), Some(b' ' | b'\t')) {
        folded = true;
        let continued = line_end(head, end + 2)?;
        (end, nul) = (continued.at, nul || continued.nul);
    }
    let line = head.get(at..end).unwrap_or_default();
    if nul && !nuls_are_quoted(line) {
        return Err(Defect::of_stream("bare CR, bare LF or NUL", at));
    }
    if line.len() > limits::FIELD_MAX {
        let length = if folded { grammar::unfold(line).len() } else { line.len() };
        if length > limits::FIELD_MAX {
            return Err(Defect::of_stream("header field too long", at));
        }
    }
    let value = grammar::trim(head.get(colon + 1..end).unwrap_or_default());
    let value = if value.is_empty() { Span::new(end, end) } else { Span::within(head, value) };
    let name_length = u16::try_from(name.len()).unwrap_or(u16::MAX);
    Ok((Entry { known, line: Span::new(at, end + 2), name_length, value }, end + 2))
}

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
    let start = line(head, 0)?;
    if start.nul {
        return Err(Defect::of_stream("bare CR, bare LF or NUL", 0));
    }
    let body = read_from(head, start.text.len() + 2, table)?;
    Ok((start.text, body))
}

/// Reads the fields that begin at `at` into the table; says where the body begins.
pub(super) fn read_from(head: &[u8], mut at: usize, table: &mut Table) -> Result<usize, Defect> {
    let mut seen = 0u8;
    loop {
        let first = line(head, at)?;
        if first.text.is_empty() {
            return Ok(at + 2);
        }
        let (entry, next) = field(head, at, first)?;
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

/// A line without its line end, and whether there is a NUL in it.
struct Line<'a> {
    text: &'a [u8],
    nul: bool,
}

/// The line that begins at `at`, up to its CR LF (M1). A NUL passes only behind a backslash; whether it is
/// the second half of a quoted-pair is for [`field`] to say.
fn line(head: &[u8], at: usize) -> Result<Line<'_>, Defect> {
    let rest = head.get(at..).unwrap_or_default();
    let mut from = 0;
    loop {
        let Some(found) = memchr::memchr3(b'\r', b'\n', 0, rest.get(from..).unwrap_or_default()) else {
            return Err(Defect::of_stream("head without an end", head.len()));
        };
        let length = from + found;
        match rest.get(length..) {
            Some([b'\r', b'\n', ..]) => {
                return Ok(Line { text: rest.get(..length).unwrap_or_default(), nul: from > 0 });
            }
            Some([0, _, ..]) if length > 0 && rest.get(length - 1) == Some(&b'\\') => from = length + 1,
            // Cut by the limit on the head, or by the end of the frame.
            Some([b'\r']) => return Err(Defect::of_stream("head without an end", at + length)),
            _ => return Err(Defect::of_stream("bare CR, bare LF or NUL", at + length)),
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

/// Reads the field that begins at `at` with the line `first`; also gives where the next line begins.
fn field(head: &[u8], at: usize, first: Line<'_>) -> Result<(Entry, usize), Defect> {
    let Name { known, length, colon } = name(first.text, at)?;
    let folded = matches!(head.get(at + first.text.len() + 2), Some(b' ' | b'\t'));
    let Line { text: line, nul } = if folded { folded_lines(head, at, first)? } else { first };
    let end = at + line.len();
    if nul && !nuls_are_quoted(line) {
        return Err(Defect::of_stream("bare CR, bare LF or NUL", at));
    }
    if line.len() > limits::FIELD_MAX {
        let length = if folded { grammar::unfold(line).len() } else { line.len() };
        if length > limits::FIELD_MAX {
            return Err(Defect::of_stream("header field too long", at));
        }
    }
    let value = grammar::trim_start(line.get(colon + 1..).unwrap_or_default());
    let value_start = end - value.len();
    let value_end = value_start + grammar::trim_end(value).len();
    let name_length = u16::try_from(length).unwrap_or(u16::MAX);
    let (line, value) = (Span::new(at, end + 2), Span::new(value_start, value_end));
    Ok((Entry { known, line, name_length, value }, end + 2))
}

struct Name {
    known: Option<Known>,
    length: usize,
    colon: usize,
}

/// Reads the name in the line that begins at `at`.
fn name(line: &[u8], at: usize) -> Result<Name, Defect> {
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
    Ok(Name { known, length: name.len(), colon })
}

/// All lines of the folded field that begins at `at` with the line `first`.
fn folded_lines<'a>(head: &'a [u8], at: usize, first: Line<'a>) -> Result<Line<'a>, Defect> {
    let (mut end, mut nul) = (at + first.text.len(), first.nul);
    while matches!(head.get(end + 2), Some(b' ' | b'\t')) {
        let continued = line(head, end + 2)?;
        (end, nul) = (end + 2 + continued.text.len(), nul || continued.nul);
    }
    Ok(Line { text: head.get(at..end).unwrap_or_default(), nul })
}

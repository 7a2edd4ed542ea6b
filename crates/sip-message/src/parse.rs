//! Reading one message, once: RFC 3261 7 and 25, with the rules M1 to M8.
//!
//! The frame is given: what follows the empty line is the body, and Content-Length is not looked at.

mod fields;
mod start_line;

use bytes::Bytes;

use crate::cseq::CSeq;
use crate::grammar::{self, Cursor, WORD};
use crate::header_name::Known;
use crate::headers::{Entry, Essentials, Headers, Span, Table, read_addresses};
use crate::malformed::{Defect, Malformed};
use crate::message::{Message, Request, Response};
use crate::name_addr::{NameAddr, NameAddrLayout};
use crate::via::{Via, ViaLayout};
pub(crate) use start_line::StartLine;

/// Reads a message from a frame, as [`crate::Framer`] cut it.
pub fn parse(frame: Bytes) -> Result<Message, Malformed> {
    read(&frame).map_err(|defect| defect.of(&frame))
}

fn read(frame: &Bytes) -> Result<Message, Defect> {
    let mut table = Table::new();
    let (start_line, body) = fields::read(frame, &mut table)?;
    let start = StartLine::read(start_line)?;
    let essentials = essentials(frame, &table)?;
    let body = if body < frame.len() { frame.slice(body..) } else { Bytes::new() };
    match start {
        StartLine::Request { method, .. } if method != essentials.cseq.method => {
            Err(Defect::of_message("CSeq has another method than the request", 0))
        }
        StartLine::Request { method, uri, uri_layout } => {
            let headers = Headers { message: frame.clone(), table, essentials };
            Ok(Message::Request(Request { method, uri, uri_layout, headers, body }))
        }
        StartLine::Response { status, reason } => {
            let headers = Headers { message: frame.clone(), table, essentials };
            Ok(Message::Response(Response { status, reason, headers, body }))
        }
    }
}

/// RFC 3420 2: reads a start line, which may be missing, and fields, as many as there are; says where the body
/// begins. The octets end with an empty line, or have one before the body.
pub(crate) fn read_fragment(octets: &[u8], table: &mut Table) -> Result<(Option<StartLine>, usize), Defect> {
    // A header field has a colon behind its first token, a start line has something else.
    let token = grammar::span(octets, grammar::TOKEN);
    let after = octets.get(token..).unwrap_or_default();
    let is_field = grammar::trim_start(after).first() == Some(&b':');
    if is_field || octets.starts_with(b"\r\n") {
        return Ok((None, fields::read_from(octets, 0, table)?));
    }
    let (line, body) = fields::read(octets, table)?;
    Ok((Some(StartLine::read(line)?), body))
}

/// Reads the fields that every message needs, and those whose defects must not travel on.
fn essentials(frame: &[u8], table: &[Entry]) -> Result<Essentials, Defect> {
    let (mut via, mut from, mut to, mut call_id, mut cseq, mut max_forwards) =
        (None, None, None, None, None, None);
    let (mut contacts, mut contact) = (0, None);
    for entry in table {
        let Some(known) = entry.known else { continue };
        let value = entry.value.of(frame);
        let party = |value| NameAddr::parse_party(value).map(|address| NameAddrLayout::of(frame, address));
        let defect = |error: grammar::ParseError| {
            let base = Span::within(frame, value);
            Defect::of_message(error.what, base.start() + error.at)
        };
        match known {
            Known::Via => {
                let top = read_vias(value).map_err(defect)?;
                via.get_or_insert(ViaLayout::of(frame, top));
            }
            Known::From => from = Some(party(value).map_err(defect)?),
            Known::To => to = Some(party(value).map_err(defect)?),
            Known::CallId => call_id = Some(read_call_id(frame, value).map_err(defect)?),
            Known::CSeq => cseq = Some(CSeq::parse(value).map_err(defect)?),
            Known::MaxForwards => max_forwards = Some(read_max_forwards(value).map_err(defect)?),
            // `*`, or addresses; whether both is for the reader of the whole.
            Known::Contact if value == b"*" => contacts += 2,
            Known::Contact => {
                let note = |address| {
                    contacts += 1;
                    contact = Some(address);
                };
                read_addresses(value, note).map_err(defect)?;
            }
            _ => {}
        }
    }
    let missing = |what| Defect::of_message(what, 0);
    let sole_contact = contact.filter(|_| contacts == 1).map(|contact| NameAddrLayout::of(frame, contact));
    Ok(Essentials {
        via: via.ok_or(missing("no Via"))?,
        from: from.ok_or(missing("no From"))?,
        to: to.ok_or(missing("no To"))?,
        call_id: call_id.ok_or(missing("no Call-ID"))?,
        cseq: cseq.ok_or(missing("no CSeq"))?,
        max_forwards,
        sole_contact,
    })
}

/// Reads all Vias of a value; gives the first.
fn read_vias(value: &[u8]) -> Result<Via<'_>, grammar::ParseError> {
    let mut cursor = Cursor::new(value);
    let first = Via::read(&mut cursor)?;
    loop {
        cursor.skip_lws();
        if cursor.is_end() {
            return Ok(first);
        }
        if !cursor.eat(b',') {
            return Err(cursor.error("something after the Via"));
        }
        Via::read(&mut cursor)?;
    }
}

/// `callid = word [ "@" word ]`
fn read_call_id(frame: &[u8], value: &[u8]) -> Result<Span, grammar::ParseError> {
    let at = memchr::memchr(b'@', value);
    let (first, second) = value.split_at(at.unwrap_or(value.len()));
    let second = second.get(1..);
    if grammar::all(first, WORD) && second.is_none_or(|word| grammar::all(word, WORD)) {
        Ok(Span::within(frame, value))
    } else {
        Err(grammar::ParseError::new("bad Call-ID", 0))
    }
}

/// RFC 3261 20.22: 0 to 255.
fn read_max_forwards(value: &[u8]) -> Result<u8, grammar::ParseError> {
    let hops = grammar::number_u32(value).and_then(|hops| u8::try_from(hops).ok());
    hops.ok_or(grammar::ParseError::new("bad Max-Forwards", 0))
}

/// The fields that occur at most once (M4), one bit each; 0 for all others.
const fn single(known: Known) -> u8 {
    match known {
        Known::From => 1,
        Known::To => 1 << 1,
        Known::CallId => 1 << 2,
        Known::CSeq => 1 << 3,
        Known::MaxForwards => 1 << 4,
        Known::ContentLength => 1 << 5,
        Known::ContentType => 1 << 6,
        _ => 0,
    }
}

//! The header fields of a message: a table over its bytes, in wire order.

mod fields;
mod typed;

use bytes::Bytes;
use smallvec::SmallVec;

pub use fields::Field;
pub(crate) use fields::fields;
pub(crate) use typed::read_addresses;
pub use typed::{Allowed, Contacts};

use crate::Method;
use crate::cseq::CSeq;
use crate::header_name::Known;
use crate::name_addr::{NameAddr, NameAddrLayout};
use crate::via::{Via, ViaLayout};

/// Fields whose places are held without allocating; ordinary messages have fewer.
const FIELDS_INLINE: usize = 32;

/// A place in the head of a message; 16 bits are enough for [`crate::limits::HEAD_MAX`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    start: u16,
    end: u16,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        let narrow = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        Span { start: narrow(start), end: narrow(end) }
    }

    /// The place of `part`, which must be a part of `message`; anything else is an empty place.
    pub(crate) fn within(message: &[u8], part: &[u8]) -> Self {
        let start = (part.as_ptr().addr()).wrapping_sub(message.as_ptr().addr());
        match start.checked_add(part.len()) {
            Some(end) if end <= message.len() => Span::new(start, end),
            _ => Span::default(),
        }
    }

    pub(crate) fn start(&self) -> usize {
        usize::from(self.start)
    }

    pub(crate) fn end(&self) -> usize {
        usize::from(self.end)
    }

    pub(crate) fn of<'a>(&self, message: &'a [u8]) -> &'a [u8] {
        message.get(usize::from(self.start)..usize::from(self.end)).unwrap_or_default()
    }
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) known: Option<Known>,
    /// From the first octet of the name to the last of the line end.
    pub(crate) line: Span,
    /// How long the name is.
    pub(crate) name_length: u16,
    /// The value without white space around it; folds inside are kept.
    pub(crate) value: Span,
}

/// What was checked and found when the message was parsed, and is looked at most.
#[derive(Clone, Debug)]
pub(crate) struct Essentials {
    pub(crate) via: ViaLayout,
    pub(crate) from: NameAddrLayout,
    pub(crate) to: NameAddrLayout,
    pub(crate) call_id: Span,
    pub(crate) cseq: CSeq,
    pub(crate) max_forwards: Option<u8>,
    /// The one address of the one Contact, as it mostly is.
    pub(crate) sole_contact: Option<NameAddrLayout>,
}

/// The fields of a message, in wire order.
pub(crate) type Table = SmallVec<[Entry; FIELDS_INLINE]>;

/// The header fields of one message.
#[derive(Clone)]
pub struct Headers {
    pub(crate) message: Bytes,
    pub(crate) table: Table,
    pub(crate) essentials: Essentials,
}

impl Headers {
    /// The topmost Via.
    pub fn via(&self) -> Via<'_> {
        self.essentials.via.view(&self.message)
    }

    /// From.
    pub fn from(&self) -> NameAddr<'_> {
        self.essentials.from.view(&self.message)
    }

    /// To.
    pub fn to(&self) -> NameAddr<'_> {
        self.essentials.to.view(&self.message)
    }

    /// Call-ID. Compared octet by octet (RFC 3261 20.8).
    pub fn call_id(&self) -> &str {
        crate::grammar::text(self.essentials.call_id.of(&self.message))
    }

    /// CSeq.
    pub fn cseq(&self) -> &CSeq {
        &self.essentials.cseq
    }

    /// The method of CSeq, which in a response is all that tells what was asked.
    pub fn method(&self) -> &Method {
        &self.essentials.cseq.method
    }

    /// Max-Forwards, if there is one.
    pub fn max_forwards(&self) -> Option<u8> {
        self.essentials.max_forwards
    }
}

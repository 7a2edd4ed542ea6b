//! Mending the header of a recording whose writer did not live to finish it.

use crate::Format;

/// What a repair found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// The header to write over the old one; of the same length.
    pub header: Vec<u8>,
    /// Format of the samples after it.
    pub format: Format,
    /// Bytes of whole samples after it; the file is to be cut, or padded, to `header.len() + data_len + padding`.
    pub data_len: u32,
}

/// The file does not begin with a header that [`crate::header`] wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the file does not begin with the header of a recording")]
pub struct NotOurs;

/// The header that a recording should have, from its first bytes and its length.
///
/// `head` is the first 64 bytes of the file, or all of a shorter one.
pub fn repaired(head: &[u8], file_len: u64) -> Result<Repaired, NotOurs> {
    let _ = (head, file_len);
    todo!()
}

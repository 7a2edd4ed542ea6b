//! The bounds of what is read; beyond each, the stated refusal. Each is tested at, below and above.

/// Octets of a Request-URI; beyond: 414.
pub const REQUEST_URI_MAX: usize = 4_096;
/// Octets of one header field, unfolded, without its line end; beyond: 400 and close.
pub const FIELD_MAX: usize = 8_192;
/// Header fields of one message; beyond: 400 and close.
pub const FIELDS_MAX: usize = 256;
/// Octets of start line, headers and the empty line after them; beyond: 400 and close.
pub const HEAD_MAX: usize = 65_536;
/// Octets of a body; beyond: 413 and close.
pub const BODY_MAX: usize = 262_144;
/// Octets of any URI, wherever it stands: no longer than the field that may hold it; beyond: 400.
pub const URI_MAX: usize = FIELD_MAX;
/// Parameters of one URI or one header field element; beyond: 400.
pub const PARAMETERS_MAX: usize = 64;
/// Digits of a Content-Length; beyond: 400 and close, before anything is computed with it.
pub const CONTENT_LENGTH_DIGITS_MAX: usize = 9;
/// Elements that a typed list reader gives, such as Diversion or History-Info entries; beyond: an error.
pub const ELEMENTS_MAX: usize = 256;

/// The largest CSeq number (RFC 3261 8.1.1.5); beyond: 400.
pub const CSEQ_MAX: u32 = 0x7FFF_FFFF;

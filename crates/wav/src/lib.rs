//! RIFF/WAVE files: bounded reading of what people upload, and headers for what is recorded.
//!
//! [`read`] takes a whole file and gives mono samples, or says why not. [`header`] begins a file whose
//! length is not yet known; [`repaired`] mends the header of one whose writer did not live to finish it.

mod format;
mod header;
mod read;
mod repair;

pub use format::{Encoding, Format};
pub use header::{UNFINISHED, header, padding};
pub use read::{Fault, Limits, Refused, Sound, read};
pub use repair::{NotOurs, Repaired, repaired};

//! Looking after the store.

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Deleted messages whose days were over.
    pub messages: u64,
    /// Calls, decisions, audit records and notices whose days were over.
    pub records: u64,
    /// Files without a row, older than a day (REL-16).
    pub orphans: u64,
}

/// What a scrub looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// Audio that was read and compared with its checksum.
    pub checked: u64,
    /// Audio that was found damaged or missing, and marked so.
    pub damaged: u64,
    /// The scrub reached the last message; the next one starts anew.
    pub finished: bool,
}

/// Whether the store can do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// It can be written.
    pub writable: bool,
    /// New recordings are refused for want of space (REL-11).
    pub disk_full: bool,
    /// It is damaged (REL-18).
    pub damaged: bool,
    /// Recordings that are running.
    pub recordings: u32,
}

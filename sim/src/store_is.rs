//! How a server's store behaves.

use std::time::Duration;

use umbel_store::{Op, Reply, StoreError};

/// How a store behaves.
#[derive(Clone, Copy, Debug)]
pub struct StoreIs {
    /// How long an answer takes.
    pub slow: Duration,
    /// What every operation fails with.
    pub failing: Option<StoreError>,
    /// Whether its disk is full: nothing new is begun, and all else goes on.
    pub full: bool,
    /// Whether it answers at all.
    pub silent: bool,
}

impl Default for StoreIs {
    fn default() -> Self {
        StoreIs { slow: Duration::from_millis(1), failing: None, full: false, silent: false }
    }
}

impl StoreIs {
    /// What a store answers whose disk is like this.
    pub(crate) fn answers(self, op: Op, execute: impl FnOnce(Op) -> Reply) -> Reply {
        let is_new = matches!(op, Op::Begin(_));
        match self.failing {
            Some(error) => Reply::Failed(error),
            None if self.full && is_new => Reply::Failed(StoreError::DiskFull),
            None => match execute(op) {
                Reply::Mailbox(mut summary) => {
                    summary.disk_full = self.full;
                    Reply::Mailbox(summary)
                }
                reply => reply,
            },
        }
    }
}

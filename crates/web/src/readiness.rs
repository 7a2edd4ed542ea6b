//! Whether calls can be taken: what is ready, what is missing, and why.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

/// How one part of the program stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It works.
    Ready,
    /// It works, and somebody should look after it: a certificate that expires soon (REL-31).
    Degraded(String),
    /// It does not work, so no call should be sent here.
    Missing(String),
}

/// How the parts of the program stand. Copies share it, also between threads.
///
/// Reasons are shown to whoever asks; they name files and addresses of our own, never callers,
/// mailboxes or tokens (SEC-124).
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    parts: Arc<Mutex<BTreeMap<&'static str, Standing>>>,
}

/// The answer to "are you ready?".
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    pub(crate) status: &'static str,
    /// What is not as it should be.
    pub(crate) reasons: Vec<Reason>,
}

/// One part that is not as it should be.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Reason {
    pub(crate) part: &'static str,
    pub(crate) status: &'static str,
    pub(crate) reason: String,
}

impl Readiness {
    /// A program with these parts, none of which has started.
    pub fn new(parts: impl IntoIterator<Item = &'static str>) -> Self {
        let readiness = Readiness::default();
        for part in parts {
            readiness.set(part, Standing::Missing("not started yet".to_owned()));
        }
        readiness
    }

    /// Notes how a part stands from now on.
    pub fn set(&self, part: &'static str, standing: Standing) {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).insert(part, standing);
    }

    /// Whether no part is missing.
    pub fn is_ready(&self) -> bool {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        !parts.values().any(|standing| matches!(standing, Standing::Missing(_)))
    }

    pub(crate) fn report(&self) -> Report {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let reasons: Vec<Reason> = parts
            .iter()
            .filter_map(|(part, standing)| {
                let (status, reason) = match standing {
                    Standing::Ready => return None,
                    Standing::Degraded(reason) => ("degraded", reason.clone()),
                    Standing::Missing(reason) => ("missing", reason.clone()),
                };
                Some(Reason { part, status, reason })
            })
            .collect();
        let status = if reasons.iter().any(|reason| reason.status == "missing") {
            "not ready"
        } else if reasons.is_empty() {
            "ready"
        } else {
            "degraded"
        };
        Report { status, reasons }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_ready_when_its_last_part_is() {
        let readiness = Readiness::new(["prompts", "store"]);
        assert!(!readiness.is_ready());
        readiness.set("store", Standing::Ready);
        assert!(!readiness.is_ready());
        readiness.set("prompts", Standing::Ready);
        assert!(readiness.is_ready());
        assert_eq!(readiness.report(), Report { status: "ready", reasons: Vec::new() });
    }

    #[test]
    fn a_part_that_goes_missing_is_named_with_the_reason() {
        let readiness = Readiness::new(["prompts", "store"]);
        readiness.set("prompts", Standing::Ready);
        readiness.set("store", Standing::Missing("read-only".to_owned()));
        let reason = Reason { part: "store", status: "missing", reason: "read-only".to_owned() };
        assert_eq!(readiness.report(), Report { status: "not ready", reasons: vec![reason] });
    }

    // REL-31
    #[test]
    fn a_degraded_part_is_told_and_still_ready() {
        let readiness = Readiness::new(["certificate"]);
        readiness.set("certificate", Standing::Degraded("expires in 3 days".to_owned()));
        assert!(readiness.is_ready());
        assert_eq!(readiness.report().status, "degraded");
    }
}

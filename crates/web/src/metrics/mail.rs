//! Mails in figures: how many wait and since when, what became of the others, whether the server is there.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::{add, add_with_unit};

/// The figures of mails. Copies share them.
#[derive(Clone)]
pub struct MailFigures {
    sent: Counter,
    failed: Counter,
    put_off: Counter,
    waiting: Gauge,
    failed_kept: Gauge,
    oldest: Gauge,
    server_up: Gauge,
}

impl MailFigures {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let age = "How long the oldest mail has been waiting";
        MailFigures {
            sent: add(registry, "mails_sent", "Mails that the mail server has taken"),
            failed: add(registry, "mails_failed", "Mails that the mail server refused for good"),
            put_off: add(registry, "mails_put_off", "Tries that the mail server put off"),
            waiting: add(registry, "mails_waiting", "Mails that wait to be sent"),
            failed_kept: add(registry, "mails_failed_kept", "Mails that failed and can be tried again"),
            oldest: add_with_unit(registry, "mail_oldest", age, Unit::Seconds),
            server_up: add(
                registry,
                "mail_server_up",
                "Whether the mail server could be reached last (1) or not (0)",
            ),
        }
    }

    /// The server has taken a mail.
    pub fn sent(&self) {
        self.sent.inc();
    }

    /// A mail failed for good.
    pub fn failed(&self) {
        self.failed.inc();
    }

    /// A mail is tried again later.
    pub fn put_off(&self) {
        self.put_off.inc();
    }

    /// Whether the server could be reached.
    pub fn server_up(&self, up: bool) {
        self.server_up.set(i64::from(up));
    }

    /// How the queue stands: mails that wait, mails that failed, the age of the oldest that waits.
    pub fn queue(&self, waiting: u64, failed: u64, oldest: Duration) {
        let signed = |count| i64::try_from(count).unwrap_or(i64::MAX);
        self.waiting.set(signed(waiting));
        self.failed_kept.set(signed(failed));
        self.oldest.set(signed(oldest.as_secs()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metrics;

    /// REL-41
    #[test]
    fn operators_see_how_many_mails_wait_and_since_when() {
        let metrics = Metrics::new("0.1.0");
        let mail = metrics.mail();
        mail.queue(3, 1, Duration::from_secs(90));
        mail.sent();
        mail.failed();
        mail.put_off();
        mail.server_up(true);
        let text = metrics.text(false).expect("figures print");
        for line in [
            "umbel_mails_waiting 3",
            "umbel_mails_failed_kept 1",
            "umbel_mail_oldest_seconds 90",
            "umbel_mails_sent_total 1",
            "umbel_mails_failed_total 1",
            "umbel_mails_put_off_total 1",
            "umbel_mail_server_up 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\nis not in\n{text}");
        }
    }
}

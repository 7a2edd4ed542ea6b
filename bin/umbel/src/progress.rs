//! A line on the terminal for what takes longer than a second.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What is done sooner needs no line.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the line is written anew.
const EVERY: Duration = Duration::from_millis(200);

/// Something that takes a while. Its line is gone when this is dropped.
pub(crate) struct Progress {
    done: Arc<AtomicUsize>,
    line: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Begins `what`, in `total` steps; none where they cannot be counted. Only a person at a terminal is shown
    /// anything.
    pub(crate) fn begin(what: &'static str, total: Option<usize>, json: bool) -> Self {
        let done = Arc::new(AtomicUsize::new(0));
        let line = (!json && std::io::stderr().is_terminal()).then(|| show(what, total, Arc::clone(&done)));
        Progress { done, line: line.flatten() }
    }

    /// One more step is done.
    pub(crate) fn step(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.line.take() {
            drop(end);
            let _ = thread.join();
        }
    }
}

/// Writes the line until the sender that is returned is dropped. Without a thread there is no line.
fn show(
    what: &'static str,
    total: Option<usize>,
    done: Arc<AtomicUsize>,
) -> Option<(Sender<()>, JoinHandle<()>)> {
    let (end, ended) = channel();
    let begun = Instant::now();
    let write = move || {
        let mut wait = PATIENCE;
        while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            wait = EVERY;
            let text = text(what, done.load(Ordering::Relaxed), total, begun.elapsed());
            let _ = write!(std::io::stderr(), "\r\x1b[2K{text}");
        }
        if begun.elapsed() > PATIENCE {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    };
    let thread = std::thread::Builder::new().name("progress".to_owned()).spawn(write).ok()?;
    Some((end, thread))
}

/// What the line says.
fn text(what: &str, done: usize, total: Option<usize>, elapsed: Duration) -> String {
    const WIDTH: usize = 30;
    let Some(total) = total.filter(|total| *total > 0) else {
        return format!("{what}, {} s", elapsed.as_secs());
    };
    let full = (done.min(total) * WIDTH) / total;
    format!("{what} [{}{}] {done} of {total}", "#".repeat(full), " ".repeat(WIDTH - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_a_bar_and_what_has_none_shows_the_time() {
        let elapsed = Duration::from_millis(2_500);
        assert_eq!(text("writing", 0, Some(4), elapsed), format!("writing [{}] 0 of 4", " ".repeat(30)));
        assert_eq!(
            text("writing", 2, Some(4), elapsed),
            format!("writing [{}{}] 2 of 4", "#".repeat(15), " ".repeat(15))
        );
        assert_eq!(text("writing", 9, Some(4), elapsed), format!("writing [{}] 9 of 4", "#".repeat(30)));
        assert_eq!(text("saving", 0, None, elapsed), "saving, 2 s");
        assert_eq!(text("saving", 0, Some(0), elapsed), "saving, 2 s");
    }
}

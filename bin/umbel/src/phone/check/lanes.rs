//! The calls of the table, several at once, told in the table's order.
//!
//! Three rounds: what others are compared with; what wants that no telephone of the user is registered; everything
//! else, among it the one call that waits for a ring time.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError, mpsc};

use super::table::Row;
use super::{Saw, Verdict};
use crate::exit::{Exit, Failure};

/// So many calls at once. A server has more lines, and what is heard in them needs a machine that keeps up.
const AT_ONCE: usize = 5;

/// What one row came to.
type Judged = (Saw, Verdict);

/// Judges all rows, given what the baseline came to, and tells of each when all above it were told. The first
/// failure ends it; calls that are under way are seen to their end.
pub(super) fn run(
    rows: &[Row],
    judge: impl Fn(&Row, Option<&Saw>) -> Result<Judged, Failure> + Sync,
    mut tell: impl FnMut(&Row, &Judged) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut told = Told { rows, judged: rows.iter().map(|_| None).collect(), next: 0 };
    let mut baseline = None;
    for round in [Round::Baseline, Round::NobodyRegistered, Round::Others] {
        let wanted: VecDeque<usize> =
            (0..rows.len()).filter(|at| rows.get(*at).map(Round::of) == Some(round)).collect();
        let lanes = AT_ONCE.min(wanted.len());
        let queue = Mutex::new(wanted);
        let (done, results) = mpsc::channel();
        let compared = baseline.as_ref();
        std::thread::scope(|scope| {
            for _ in 0..lanes {
                let (done, queue, judge) = (done.clone(), &queue, &judge);
                std::thread::Builder::new()
                    .name("check".to_owned())
                    .spawn_scoped(scope, move || {
                        while let Some(at) = next(queue)
                            && let Some(row) = rows.get(at)
                            && done.send((at, judge(row, compared))).is_ok()
                        {}
                    })
                    .map_err(|error| {
                        Failure::new(
                            Exit::TemporaryFailure,
                            "no-threads",
                            format!("a call's thread: {error}"),
                        )
                    })?;
            }
            drop(done);
            let mut failed = None;
            for (at, judged) in &results {
                match judged.and_then(|judged| told.take(at, judged, &mut tell)) {
                    Ok(()) => {}
                    Err(failure) => {
                        queue.lock().unwrap_or_else(PoisonError::into_inner).clear();
                        failed.get_or_insert(failure);
                    }
                }
            }
            failed.map_or(Ok(()), Err)
        })?;
        if round == Round::Baseline {
            let found = rows.iter().position(|row| row.is_baseline);
            baseline = found.and_then(|at| told.judged.get_mut(at)?.take()).map(|(saw, _)| saw);
        }
    }
    Ok(())
}

fn next(queue: &Mutex<VecDeque<usize>>) -> Option<usize> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

/// Which calls may be made at the same time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    Baseline,
    NobodyRegistered,
    Others,
}

impl Round {
    fn of(row: &Row) -> Self {
        match row {
            Row { is_baseline: true, .. } => Round::Baseline,
            Row { call, .. } if !call.voice_mail && !call.registered => Round::NobodyRegistered,
            Row { .. } => Round::Others,
        }
    }
}

/// What the rows came to, and how far that was told.
struct Told<'a> {
    rows: &'a [Row],
    judged: Vec<Option<Judged>>,
    next: usize,
}

impl Told<'_> {
    fn take(
        &mut self,
        at: usize,
        judged: Judged,
        tell: &mut impl FnMut(&Row, &Judged) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if let Some(place) = self.judged.get_mut(at) {
            *place = Some(judged);
        }
        while let (Some(row), Some(Some(judged))) = (self.rows.get(self.next), self.judged.get(self.next)) {
            self.next += 1;
            tell(row, judged)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::table;
    use super::*;

    fn rows() -> Vec<Row> {
        table::rows(&["tcp:127.0.0.1:5065".to_owned()], &[])
    }

    #[test]
    fn rows_are_told_in_their_order_and_the_baseline_is_known_to_all_after_it() {
        let rows = rows();
        let (mut told, now, most) = (Vec::new(), AtomicUsize::new(0), AtomicUsize::new(0));
        let judge = |row: &Row, baseline: Option<&Saw>| {
            assert_eq!(row.is_baseline, baseline.is_none(), "{}", row.did);
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            now.fetch_sub(1, Ordering::SeqCst);
            Ok((Saw::NoAnswer, Verdict::Kept))
        };
        run(&rows, judge, |row, _| {
            told.push(row.did.clone());
            Ok(())
        })
        .unwrap();
        assert_eq!(told, rows.iter().map(|row| row.did.clone()).collect::<Vec<_>>());
        assert!(most.load(Ordering::SeqCst) <= AT_ONCE);
    }

    #[test]
    fn the_first_failure_ends_it() {
        let rows = rows();
        let made = AtomicUsize::new(0);
        let judge = |row: &Row, _: Option<&Saw>| {
            made.fetch_add(1, Ordering::SeqCst);
            if row.is_baseline {
                Ok((Saw::NoAnswer, Verdict::Kept))
            } else {
                Err(Failure::new(Exit::Failed, "gone", "the server is gone"))
            }
        };
        assert!(run(&rows, judge, |_, _| Ok(())).is_err());
        assert!(made.load(Ordering::SeqCst) < rows.len());
    }
}

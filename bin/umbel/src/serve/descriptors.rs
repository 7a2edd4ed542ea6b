//! Descriptors of the process: as many as the system allows, and not all of them for connections.
//!
//! A call needs sockets for its sound and a file for its recording. Where connections could take the last
//! descriptor, whoever opens enough of them would silence everybody (SEC-59, REL-44).

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use umbel_net::Limits;

/// Two sockets for sound and the file of a recording.
const PER_CALL: u64 = 3;
/// Listeners, the store with its journals, and whoever asks for health and metrics.
const APART_FROM_CALLS: u64 = 128;

/// The limits on connections and handshakes of each of so many roles, lowered where the system allows too few
/// for `calls` beside them.
pub(super) fn within(wished: Limits, calls: u32, roles: usize) -> Limits {
    let fitting = usize::try_from(share(raise(), u64::from(calls))).unwrap_or(usize::MAX) / roles.max(1);
    let handshakes = wished.handshakes.min(fitting / 4);
    let connections = wished.connections.min(fitting - handshakes);
    if connections < wished.connections {
        tracing::warn!(
            wished = wished.connections,
            connections,
            "the system allows too few open files (ulimit -n) for all connections and calls of the configuration"
        );
    }
    Limits { connections, handshakes, ..wished }
}

/// Raises the limit of open files as far as it may be; gives what it is then.
fn raise() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // `None` stands for no limit.
    let Some(before) = current else { return u64::MAX };
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum.unwrap_or(u64::MAX),
        // What was allowed before is allowed still.
        Err(_) => before,
    }
}

/// What connections may have of so many descriptors: all that calls do not need, and half of them at least,
/// for without connections there are no calls.
fn share(descriptors: u64, calls: u64) -> u64 {
    let usable = descriptors.saturating_sub(APART_FROM_CALLS);
    usable.saturating_sub(calls.saturating_mul(PER_CALL)).max(usable / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_calls_what_they_need() {
        assert_eq!(share(20_000, 1_000), 20_000 - 128 - 3_000);
        assert_eq!(share(u64::MAX, 1_000), u64::MAX - 128 - 3_000);
        // Too few for a thousand calls: they are shared.
        assert_eq!(share(1_024, 1_000), 448);
        assert_eq!(share(64, 1_000), 0);
    }

    #[test]
    fn what_is_wished_for_is_the_bound_where_the_system_allows_it() {
        let wished = Limits { connections: 10, handshakes: 2, ..Limits::default() };
        assert_eq!(within(wished.clone(), 1, 2), wished);
    }
}

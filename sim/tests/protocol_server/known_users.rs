//! DEC-5: the protocol server remembers users; what another process changes counts within a second, by the clock
//! of the world.

use std::time::Duration;

use umbel_sim::callee::Manner;
use umbel_sim::company::{Company, invite};
use umbel_sim::office::By;
use umbel_sim::telephone::Do;
use umbel_store::UserChange;

/// Between two calls.
const PAUSE: Duration = Duration::from_millis(70);
/// The bound, in calls: the first one that begins a second after the change or later.
const FIRST_THAT_MUST: u32 = 15;

/// Alice forwards from some moment on, and is called all the time: by every moment of the change.
#[test]
fn a_rule_that_another_process_sets_counts_within_a_second_whenever_that_is() {
    for shift in 0..10 {
        let mut company = Company::new(11);
        for name in ["alice", "carol"] {
            company.telephone(name, Manner::rings());
        }
        let bob = company.user("bob", By::Tls);
        company.open();
        let call = |company: &mut Company| {
            company.call(bob, invite("bob", "alice"));
            company.world.run_for(PAUSE);
            company.world.order(bob, Do::Cancel);
            !company.invites("server", "carol").is_empty()
        };
        for _ in 0..5 + shift {
            assert!(!call(&mut company));
        }
        // Some time between two questions for the count.
        company.world.run_for(Duration::from_millis(7 * shift));
        let value = Some("carol@example.test".to_owned());
        let change = UserChange::Routing { key: "forward-immediate".to_owned(), value };
        let server = company.server;
        company.world[server].change_user_elsewhere("alice@example.test", &[change]);
        let calls = (0..=FIRST_THAT_MUST).take_while(|_| !call(&mut company)).count();
        assert!(calls <= FIRST_THAT_MUST as usize, "{calls} calls went the old way");
    }
}

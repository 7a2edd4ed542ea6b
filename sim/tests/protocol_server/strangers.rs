//! People whom nobody knows, many at once: what they may take from those who are known.

use umbel_sim::callee::Manner;
use umbel_sim::company::{Company, invite};
use umbel_sim::office::By;
use umbel_sim::telephone::{Do, Invite};

/// So many calls of strangers ring at one user's telephones: `proxy::strangers`.
const RINGING: usize = 8;

/// A stranger rings one telephone many times. The telephone rings for eight of these calls, the next ones hear 486, and
/// whoever is known rings as ever; nobody's voice mail is asked.
#[test]
fn a_stranger_rings_a_telephone_a_few_times_at_once_and_colleagues_ring_it_still() {
    let mut company = Company::new(3);
    company.telephone("alice", Manner::rings());
    company.telephone("carol", Manner::rings());
    company.set_rule("alice", "no-voicemail", "yes");
    let (erin, bob) = (company.somebody("erin", By::Tls), company.user("bob", By::Tls));
    company.open();
    let stranger = |to: &str| Invite::new(&format!("sip:{to}@example.test"), "erin@third.test");
    for call in 1..=RINGING + 4 {
        company.call(erin, stranger("alice"));
        company.wait(1);
        let answers = std::mem::take(&mut company.world[erin].answers);
        let expected: &[u16] = if call <= RINGING { &[] } else { &[486] };
        assert_eq!(answers, expected, "call {call}");
    }
    assert_eq!(company.invites("server", "alice").len(), RINGING);
    // Somebody else's telephone, and somebody who is known.
    company.call(erin, stranger("carol"));
    company.call(bob, invite("bob", "alice"));
    company.wait(1);
    assert_eq!(company.invites("server", "carol").len(), 1);
    assert_eq!(company.invites("server", "alice").len(), RINGING + 1);
    assert_eq!(company.world[bob].progress.last(), Some(&180));
}

/// A place is free again when a call is over, however it ends: given up, or not answered.
#[test]
fn a_call_that_is_over_makes_room_for_another() {
    let mut company = Company::new(4);
    company.telephone("alice", Manner::rings());
    company.set_rule("alice", "no-voicemail", "yes");
    let erin = company.somebody("erin", By::Tls);
    company.open();
    let call = || Invite::new("sip:alice@example.test", "erin@third.test");
    for _ in 0..RINGING {
        company.call(erin, call());
    }
    company.wait(1);
    // The last one is given up; one may take its place, and no second one.
    company.world.order(erin, Do::Cancel);
    company.wait(1);
    for expected in [&[][..], &[486]] {
        company.world[erin].answers.clear();
        company.call(erin, call());
        company.wait(1);
        assert_eq!(company.world[erin].answers, expected);
    }
    // All have rung in vain.
    company.wait(60);
    company.world[erin].answers.clear();
    company.call(erin, call());
    company.wait(1);
    assert_eq!(company.world[erin].answers, [0_u16; 0]);
    assert_eq!(company.invites("server", "alice").len(), RINGING + 2);
}

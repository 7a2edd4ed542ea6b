//! 2.2.2: `Ms-Sensitivity` "instructs the protocol server not to send the call back to the voice mail server
//! and not to apply call forwarding". It is an instruction about one INVITE, and nothing else is read from it.

use umbel_sim::callee::Manner;
use umbel_sim::company::{Company, UM, invite};
use umbel_sim::office::By;
use umbel_sim::telephone::{Do, Invite};
use umbel_sip_message::HeaderName;

/// Bob calls alice, who does not answer: whom the server has invited.
fn invited(calls: &[Invite]) -> Vec<String> {
    let mut company = Company::new(1);
    company.in_place_of_unified_messaging("um", UM, Manner::answers());
    company.telephone("alice", Manner::rings());
    let bob = company.user("bob", By::Tls);
    company.open();
    for call in calls {
        company.call(bob, call.clone());
        company.wait(25);
        company.world.order(bob, Do::HangUp);
        company.wait(5);
    }
    company.invited().into_iter().map(str::to_owned).collect()
}

fn sensitive() -> Invite {
    invite("bob", "alice").line("Ms-Sensitivity: private-no-diversion")
}

/// OCEXUM-2.2.2-1, OCEXUM-2.2.2-2: the instruction is followed, and not given it is not.
#[test]
fn the_header_decides_about_voice_mail() {
    assert_eq!(invited(&[sensitive()]), ["alice"]);
    assert_eq!(invited(&[invite("bob", "alice")]), ["alice", "um"]);
}

/// 5.5 of the digest: it belongs to its INVITE, and the next one is asked anew.
#[test]
fn the_header_of_one_call_says_nothing_of_the_next() {
    assert_eq!(
        invited(&[sensitive(), invite("bob", "alice"), sensitive()]),
        ["alice", "alice", "um", "alice"]
    );
}

/// 5.5 of the digest: `private` in its name asks for no privacy, and `Privacy` for no direct call.
#[test]
fn privacy_is_something_else() {
    let mut company = Company::new(1);
    company.telephone("alice", Manner::answers_after(1));
    let bob = company.user("bob", By::Tls);
    company.open();
    company.call(bob, sensitive());
    company.wait(3);
    let call = &company.invites("server", "alice")[0];
    assert!(!call.headers().has(&HeaderName::Privacy));
    assert!(call.headers().has(&HeaderName::PAssertedIdentity));
    assert_eq!(invited(&[invite("bob", "alice").line("Privacy: id")]), ["alice", "um"]);
}

/// The header in a body, or under a name that is only like it, is none.
#[test]
fn what_is_like_the_header_is_not_the_header() {
    let like = invite("bob", "alice").line("X-Ms-Sensitivity: private-no-diversion");
    assert_eq!(invited(&[like]), ["alice", "um"]);
    let folded = invite("bob", "alice").line("Subject: x\r\n Ms-Sensitivity: private-no-diversion");
    assert_eq!(invited(&[folded]), ["alice", "um"]);
}

//! Tables of calls and the first rule that does not hold for them.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::{Basis, Identity};

fn user(name: &str) -> AddressOfRecord {
    let uri: umbel_sip_message::Uri = format!("sip:{name}@example.test").parse().unwrap();
    uri.address_of_record().unwrap()
}

fn party(name: &str) -> Party {
    Party::User(user(name))
}

fn trusted(basis: Basis) -> Trust {
    Trust { transport: Ok(basis), identity: Identity::Listed, peer: Some("proxy.example.test".to_owned()) }
}

/// What a test changes of the call for which everything holds.
struct Call {
    direct_access: bool,
    trust: Trust,
    command: Option<ExchangeCommand>,
    caller: Caller,
    journey: Journey,
    allowance: Allowance,
}

fn entitled() -> Call {
    Call {
        direct_access: true,
        trust: trusted(Basis::ListedPeer),
        command: Some(ExchangeCommand::SkipPin),
        caller: Caller { asserted: vec![party("alice")], from: party("alice") },
        journey: Journey::default(),
        allowance: Allowance { skip_pin: true, enabled: true },
    }
}

fn decide(call: &Call) -> Result<(), Failed> {
    let claim = Claim {
        direct_access: call.direct_access,
        trust: &call.trust,
        command: call.command,
        owner: &user("alice"),
        caller: &call.caller,
        journey: &call.journey,
        allowance: call.allowance,
    };
    pin_waiver(&claim).map(|_waiver| ())
}

/// OCEXUM-3.1-1, OCEXUM-3.1.2-1.
#[test]
fn with_all_rules_met_the_pin_is_skipped_on_every_trusted_transport() {
    for basis in [Basis::ListedPeer, Basis::TrustedNetwork, Basis::AnyTls] {
        assert_eq!(decide(&Call { trust: trusted(basis), ..entitled() }), Ok(()), "{basis:?}");
    }
}

/// P1, SEC-26.
#[test]
fn a_call_that_is_not_direct_access_is_no_reason_to_skip() {
    assert_eq!(decide(&Call { direct_access: false, ..entitled() }), Err(Failed::DirectAccess));
}

/// P2, OCEXUM-3.1-2, SEC-01, SEC-02, SEC-03, SEC-05.
#[test]
fn without_a_trusted_transport_the_pin_is_asked_and_the_reason_named() {
    for (missing, text) in [
        (Missing::Tls, "P2 transport-not-trusted: the call came in clear, over TCP (T1)"),
        (
            Missing::Accepted,
            "P2 transport-not-trusted: the connection was opened by us, not by the peer (T1)",
        ),
        (
            Missing::Certificate,
            "P2 transport-not-trusted: the peer showed no certificate that could be verified (T2)",
        ),
        (
            Missing::Validity,
            "P2 transport-not-trusted: the peer's certificate is not valid at this time (T2)",
        ),
        (Missing::Listing, "P2 transport-not-trusted: the peer is not on the list of trusted peers (T3)"),
    ] {
        let trust = Trust { transport: Err(missing), ..trusted(Basis::ListedPeer) };
        let failed = decide(&Call { trust, ..entitled() });
        assert_eq!(failed, Err(Failed::Transport(missing)));
        assert_eq!(failed.unwrap_err().to_string(), text);
    }
}

/// P3, OCEXUM-3.1.2-2, SEC-15, SEC-16, SEC-30: caller id alone is never proof.
#[test]
fn without_exactly_the_command_the_pin_is_asked() {
    assert_eq!(decide(&Call { command: None, ..entitled() }), Err(Failed::NoCommand));
    let ignored = Some(ExchangeCommand::Ignored);
    assert_eq!(decide(&Call { command: ignored, ..entitled() }), Err(Failed::CommandIgnored));
}

/// P4, DEC-10, CMD-5, SEC-12, SEC-13.
#[test]
fn the_caller_must_be_the_owner() {
    let foreign = || Party::Foreign;
    let cases: Vec<(Vec<Party>, Party, bool)> = vec![
        (vec![], party("alice"), true),
        (vec![], party("bob"), false),
        (vec![], foreign(), false),
        (vec![], Party::Pilot, false),
        (vec![], Party::Unreadable, false),
        (vec![party("alice")], party("alice"), true),
        (vec![party("alice")], foreign(), true),
        (vec![party("alice")], Party::Unreadable, true),
        (vec![party("alice")], party("bob"), false),
        (vec![party("bob")], party("alice"), false),
        (vec![foreign()], party("alice"), false),
        (vec![Party::Unreadable], party("alice"), false),
        (vec![Party::Pilot], party("alice"), false),
        (vec![party("alice"), party("alice")], party("alice"), true),
        (vec![party("alice"), foreign()], party("alice"), false),
        (vec![party("alice"), party("bob")], party("alice"), false),
        (vec![party("bob"), party("alice")], party("alice"), false),
        (vec![party("alice"), Party::Unreadable], party("alice"), false),
    ];
    for (asserted, from, passes) in cases {
        let caller = Caller { asserted, from };
        let expected = if passes { Ok(()) } else { Err(Failed::Caller) };
        assert_eq!(decide(&Call { caller: caller.clone(), ..entitled() }), expected, "{caller:?}");
    }
}

/// P5, DEC-11, SEC-23, CMD-6, EUMR-21.
#[test]
fn a_call_that_was_moved_does_not_skip() {
    let still = Journey::default;
    let cases = [
        (Journey { referred: true, ..still() }, false),
        (Journey { replaces: true, ..still() }, false),
        (Journey { diverted: true, ..still() }, false),
        (Journey { history: vec![party("alice")], ..still() }, true),
        (Journey { history: vec![party("alice"), Party::Pilot], ..still() }, true),
        (Journey { history: vec![party("bob")], ..still() }, false),
        (Journey { history: vec![party("alice"), party("bob")], ..still() }, false),
        (Journey { history: vec![Party::Foreign], ..still() }, false),
        (Journey { history: vec![Party::Unreadable], ..still() }, false),
    ];
    for (journey, passes) in cases {
        let expected = if passes { Ok(()) } else { Err(Failed::Journey) };
        assert_eq!(decide(&Call { journey: journey.clone(), ..entitled() }), expected, "{journey:?}");
    }
}

/// P6, CMD-9, SEC-27.
#[test]
fn the_owners_policy_and_the_mailbox_must_allow_it() {
    let allowance = Allowance { skip_pin: false, enabled: true };
    assert_eq!(decide(&Call { allowance, ..entitled() }), Err(Failed::Policy));
    let allowance = Allowance { skip_pin: true, enabled: false };
    assert_eq!(decide(&Call { allowance, ..entitled() }), Err(Failed::Disabled));
}

#[test]
fn the_first_failing_rule_is_named_when_several_fail() {
    let nothing_holds = Call {
        direct_access: true,
        trust: Trust { transport: Err(Missing::Tls), identity: Identity::Unlisted, peer: None },
        command: None,
        caller: Caller { asserted: vec![], from: Party::Foreign },
        journey: Journey { diverted: true, ..Journey::default() },
        allowance: Allowance { skip_pin: false, enabled: false },
    };
    assert_eq!(decide(&nothing_holds), Err(Failed::Transport(Missing::Tls)));
}

fn any_party() -> impl Strategy<Value = Party> {
    prop_oneof![
        Just(party("alice")),
        Just(party("bob")),
        Just(Party::Pilot),
        Just(Party::Foreign),
        Just(Party::Unreadable)
    ]
}

proptest! {
    /// I3: nobody skips a PIN who is not, by every identity that counts, the owner.
    #[test]
    fn no_waiver_for_anybody_but_the_owner(
        asserted in proptest::collection::vec(any_party(), 0..4),
        from in any_party(),
        history in proptest::collection::vec(any_party(), 0..3),
        flags in any::<[bool; 6]>(),
    ) {
        let [direct_access, trust_holds, has_command, diverted, skip_pin, enabled] = flags;
        let call = Call {
            direct_access,
            trust: Trust {
                transport: if trust_holds { Ok(Basis::ListedPeer) } else { Err(Missing::Listing) },
                ..trusted(Basis::ListedPeer)
            },
            command: has_command.then_some(ExchangeCommand::SkipPin),
            caller: Caller { asserted: asserted.clone(), from: from.clone() },
            journey: Journey { diverted, history: history.clone(), ..Journey::default() },
            allowance: Allowance { skip_pin, enabled },
        };
        if decide(&call).is_ok() {
            prop_assert!(direct_access && trust_holds && has_command && !diverted && skip_pin && enabled);
            prop_assert!(from != party("bob") && !asserted.contains(&party("bob")) && !history.contains(&party("bob")));
            prop_assert!(from == party("alice") || asserted.contains(&party("alice")));
        }
    }
}

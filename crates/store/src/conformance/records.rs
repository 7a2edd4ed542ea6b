//! Decisions, calls and the audit trail.

use super::{MINUTE, NOON, With, add};
use crate::{
    AuditRecord, Author, CallKind, CallOutcome, CallRecord, Config, Decision, Door, Event, PinOutcome,
    Routing, Ruling, Topic, Transport,
};

fn decision(call_id: &str, ruling: Ruling, rule: &str) -> Decision {
    Decision {
        call_id: call_id.into(),
        at: NOON,
        mailbox: Some(super::address("alice")),
        transport: Transport::Tls,
        peer: Some("proxy.example.test".into()),
        command_seen: true,
        ruling,
        rule: rule.into(),
    }
}

/// SEC-32, CMD-10, DEC-16: the latest decision on the PIN is the answer.
pub fn decisions_are_found_by_call_in_order(with: With) {
    with(Config::default(), &|store| {
        let first = decision("call-1", Ruling::Pin(PinOutcome::None), "call answering");
        let others = [
            decision("call-1", Ruling::Who(CallKind::CallAnswering), "Diversion"),
            decision("call-1", Ruling::Trust(true), "T3"),
            decision("call-1", Ruling::Diversion(Some("sip:alice@example.test".into())), "DEC-18"),
            decision("call-1", Ruling::Recording(crate::RecordingEnd::HungUp), "BYE"),
            decision("call-1", Ruling::Routing(Routing::Ring { may_be_diverted: false }), "SENS-6"),
            decision(
                "call-1",
                Ruling::Routing(Routing::Rang { whom: "alice@example.test".into(), telephones: 2 }),
                "registered",
            ),
            decision("call-1", Ruling::Routing(Routing::Sent("vm1.test".into())), "EUMR-7"),
            decision("call-1", Ruling::Routing(Routing::Diverted("voice mail".into())), "no-answer"),
            decision("call-1", Ruling::Routing(Routing::NotDeflected), "SENS-15"),
            decision("call-1", Ruling::Routing(Routing::Answered(200)), "vm1.test"),
            Decision { mailbox: None, peer: None, ..decision("call-2", Ruling::Refusal(404), "8.3") },
        ];
        let (of_first, of_second) = others.split_at(others.len() - 1);
        let last = decision("call-1", Ruling::Pin(PinOutcome::Prompted), "* leads to the log-in");
        store.decide(std::slice::from_ref(&first)).unwrap();
        store.decide(&others).unwrap();
        store.decide(std::slice::from_ref(&last)).unwrap();

        let of_call = store.decisions("call-1").unwrap();
        assert_eq!(of_call.len(), of_first.len() + 2);
        assert_eq!((of_call.first(), of_call.last()), (Some(&first), Some(&last)));
        assert_eq!(of_call[1..=of_first.len()], *of_first);
        let pin = of_call.iter().rfind(|decision| decision.ruling.topic() == Topic::Pin).unwrap();
        assert_eq!(pin.ruling, Ruling::Pin(PinOutcome::Prompted));
        assert_eq!(store.decisions("call-2").unwrap(), *of_second);
        assert_eq!(store.decisions("call-3").unwrap(), []);
    });
}

fn call(call_id: &str) -> CallRecord {
    CallRecord {
        call_id: call_id.into(),
        kind: CallKind::CallAnswering,
        from: "sip:bob@example.test".into(),
        to: "sip:alice@example.test".into(),
        started: NOON,
        ended: None,
        transport: Transport::Tcp,
        peer: Some("192.0.2.7".into()),
        pin: PinOutcome::None,
        outcome: CallOutcome::Running,
    }
}

/// Begun and ended: one record.
pub fn a_call_is_recorded_once_and_updated(with: With) {
    with(Config::default(), &|store| {
        store.record_call(&call("call-1")).unwrap();
        assert_eq!(store.calls(10).unwrap(), [call("call-1")]);
        let ended = CallRecord {
            ended: Some(NOON + MINUTE),
            outcome: CallOutcome::MessageLeft,
            kind: CallKind::MissedCall,
            ..call("call-1")
        };
        store.record_call(&ended).unwrap();
        assert_eq!(store.calls(10).unwrap(), std::slice::from_ref(&ended));
        let later = CallRecord { started: NOON + MINUTE, ..call("call-2") };
        store.record_call(&later).unwrap();
        assert_eq!(store.calls(10).unwrap(), [later.clone(), ended]);
        assert_eq!(store.calls(1).unwrap(), [later]);
    });
}

/// A peer chooses Call-IDs, so it must not be able to rewrite history with one.
pub fn a_call_id_used_again_overwrites_nothing(with: With) {
    with(Config::default(), &|store| {
        store.record_call(&call("call-1")).unwrap();
        let again = CallRecord { started: NOON + MINUTE, ..call("call-1") };
        store.record_call(&again).unwrap();
        assert_eq!(store.calls(10).unwrap(), [again, call("call-1")]);
    });
}

/// CMD-10: a skipped sign-in is the UM server's to report.
pub fn events_of_others_can_be_audited(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        let record = AuditRecord {
            at: NOON,
            mailbox: alice.clone(),
            call_id: Some("call-1".into()),
            door: Some(Door::Telephone),
            author: Some(Author::OwnerBySkip { call_id: "call-1".into() }),
            event: Event::SignInSkipped,
        };
        store.audit(&record).unwrap();
        assert_eq!(store.audit_records(&alice).unwrap().last(), Some(&record));
    });
}

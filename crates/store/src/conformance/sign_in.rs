//! PINs and passwords: right, wrong, locked.

use std::time::Duration;

use super::{GOOD_PIN, MINUTE, NOON, WRONG_PIN, With, add, address, admin, attempt, pin};
use crate::{
    Attempt, Author, Config, Door, Event, Lock, LockedUser, NewPin, Password, PinPolicy, Refusal, StoreError,
    UserChange, Verdict, WeakPin,
};

const WRONG: Verdict = Verdict::Wrong { locked: None };
const RIGHT: Verdict = Verdict::Right { must_change: false };

/// Both directions.
pub fn the_right_pin_opens_and_a_wrong_one_does_not(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        assert_eq!(store.check_pin(&attempt(&alice, WRONG_PIN, NOON)), Ok(WRONG));
        assert_eq!(store.check_pin(&attempt(&alice, "27495", NOON)), Ok(WRONG), "its beginning");
        assert_eq!(store.check_pin(&attempt(&alice, "2749500", NOON)), Ok(WRONG), "more than all of it");
        assert_eq!(store.check_pin(&attempt(&alice, GOOD_PIN, NOON)), Ok(RIGHT));
    });
}

/// SEC-85
pub fn five_failures_in_a_row_lock_the_door_for_fifteen_minutes(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        for _ in 0..4 {
            assert_eq!(store.check_pin(&attempt(&alice, WRONG_PIN, NOON)), Ok(WRONG));
        }
        let lock = Lock::Until(NOON + 15 * MINUTE);
        let fifth = store.check_pin(&attempt(&alice, WRONG_PIN, NOON));
        assert_eq!(fifth, Ok(Verdict::Wrong { locked: Some(lock) }));
        // Not even the right one is looked at.
        let before_the_end = NOON + 15 * MINUTE - Duration::from_secs(1);
        assert_eq!(store.check_pin(&attempt(&alice, GOOD_PIN, before_the_end)), Ok(Verdict::Locked(lock)));
        assert_eq!(store.mailbox(&alice, before_the_end).unwrap().locked, Some(lock));
        assert_eq!(store.mailbox(&alice, NOON + 15 * MINUTE).unwrap().locked, None);
        assert_eq!(store.check_pin(&attempt(&alice, GOOD_PIN, NOON + 15 * MINUTE)), Ok(RIGHT));
    });
}

/// SEC-85: *in a row*.
pub fn success_sets_the_counter_back(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        for _ in 0..3 {
            for _ in 0..4 {
                assert_eq!(store.check_pin(&attempt(&alice, WRONG_PIN, NOON)), Ok(WRONG));
            }
            assert_eq!(store.check_pin(&attempt(&alice, GOOD_PIN, NOON)), Ok(RIGHT));
        }
    });
}

/// SEC-85
pub fn fifteen_failures_lock_until_an_administrator_unlocks(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        let mut now = NOON;
        let mut last = WRONG;
        for n in 0..15 {
            // A day later every lock but the last is over; another caller each time.
            now = now + Duration::from_secs(25 * 3_600);
            let mut guess = attempt(&alice, WRONG_PIN, now);
            guess.caller = format!("+1555010{n}");
            last = store.check_pin(&guess).unwrap();
        }
        assert_eq!(last, Verdict::Wrong { locked: Some(Lock::ForGood) });
        let years = now + Duration::from_secs(10 * 365 * 24 * 3_600);
        assert_eq!(store.check_pin(&attempt(&alice, GOOD_PIN, years)), Ok(Verdict::Locked(Lock::ForGood)));
        store.unlock(&alice, &admin(), years).unwrap();
        assert_eq!(store.check_pin(&attempt(&alice, GOOD_PIN, years)), Ok(RIGHT));
        assert_eq!(
            store.unlock(&address("nobody"), &admin(), years),
            Err(StoreError::Refused(Refusal::NoSuchUser))
        );
    });
}

/// SEC-85: administrators see whom to unlock, and for which door.
pub fn locked_users_are_told_apart_from_the_others(with: With) {
    with(Config::default(), &|store| {
        let users = ["alice", "bob", "carol", "dave"].map(|user| add(store, user));
        let [alice, bob, carol, dave] = &users;
        let locked = |store: &mut dyn crate::Store, at| store.locked_users(alice, dave, at).unwrap();
        assert_eq!(locked(store, NOON), []);
        for user in [bob, dave] {
            for _ in 0..5 {
                store.check_pin(&attempt(user, WRONG_PIN, NOON)).unwrap();
            }
        }
        // One failure locks nobody.
        store.check_pin(&attempt(carol, WRONG_PIN, NOON)).unwrap();
        for _ in 0..5 {
            let wrong = Attempt {
                mailbox: dave.clone(),
                secret: Password::new("wrong").unwrap(),
                caller: "192.0.2.9".into(),
                call_id: None,
                at: NOON + MINUTE,
            };
            store.check_password(&wrong).unwrap();
        }
        let until = |minutes| Some(Lock::Until(NOON + minutes * MINUTE));
        let of_bob = LockedUser { address: bob.clone(), telephone: until(15), web: None };
        let of_dave = LockedUser { address: dave.clone(), telephone: until(15), web: until(16) };
        assert_eq!(of_dave.longest(), until(16));
        assert_eq!(locked(store, NOON + 14 * MINUTE), [of_bob.clone(), of_dave.clone()]);
        assert_eq!(store.locked_users(bob, bob, NOON).unwrap(), [of_bob]);
        assert_eq!(store.locked_users(carol, carol, NOON).unwrap(), []);
        assert_eq!(store.locked_users(dave, alice, NOON).unwrap(), [], "from its end to its beginning");
        let rest = LockedUser { telephone: None, ..of_dave };
        assert_eq!(locked(store, NOON + 15 * MINUTE), [rest]);
        store.unlock(dave, &admin(), NOON + 15 * MINUTE).unwrap();
        assert_eq!(locked(store, NOON + 15 * MINUTE), []);
    });
}

/// SEC-86
pub fn an_unknown_or_disabled_mailbox_answers_like_a_wrong_pin(with: With) {
    with(Config::default(), &|store| {
        for _ in 0..7 {
            assert_eq!(store.check_pin(&attempt(&address("nobody"), GOOD_PIN, NOON)), Ok(WRONG));
        }
        let alice = add(store, "alice");
        store.change_user(&alice, &[UserChange::Enabled(false)], &admin(), NOON).unwrap();
        assert_eq!(store.check_pin(&attempt(&alice, GOOD_PIN, NOON)), Ok(WRONG));
    });
}

/// SEC-85, DEC-6
pub fn thirty_failures_of_one_caller_lock_the_caller_only(with: With) {
    with(Config::default(), &|store| {
        let victim = add(store, "alice");
        for n in 0..30 {
            let guess = attempt(&address(&format!("nobody-{n}")), WRONG_PIN, NOON);
            assert_eq!(store.check_pin(&guess), Ok(WRONG), "guess {n}");
        }
        let until = NOON + Duration::from_secs(3_600);
        let locked = store.check_pin(&attempt(&victim, GOOD_PIN, NOON + MINUTE));
        assert_eq!(locked, Ok(Verdict::CallerLocked { until }));
        let mut other = attempt(&victim, GOOD_PIN, NOON + MINUTE);
        other.caller = "+15550199".into();
        assert_eq!(store.check_pin(&other), Ok(RIGHT), "another caller is heard");
        assert_eq!(store.check_pin(&attempt(&victim, GOOD_PIN, until)), Ok(RIGHT), "an hour later");
    });
}

/// DEC-14, SEC-89
pub fn a_generated_pin_must_be_changed_and_an_own_one_not(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        let set = store.set_pin(&alice, &NewPin::Generate, &admin(), NOON).unwrap();
        let generated = set.generated.unwrap();
        let right = store.check_pin(&attempt(&alice, generated.reveal(), NOON)).unwrap();
        assert_eq!(right, Verdict::Right { must_change: true });
        assert_eq!(store.check_pin(&attempt(&alice, GOOD_PIN, NOON)), Ok(WRONG), "the one before is void");

        let owner = Author::OwnerByPin { call_id: "call-7".into() };
        let set = store.set_pin(&alice, &NewPin::Own(pin("618305")), &owner, NOON).unwrap();
        assert_eq!(set.generated, None);
        assert_eq!(store.check_pin(&attempt(&alice, "618305", NOON)), Ok(RIGHT));
        let last = store.audit_records(&alice).unwrap().into_iter().rfind(|r| r.door.is_none()).unwrap();
        assert_eq!(last.event, Event::PinChanged { generated: false });
        assert_eq!((last.author, last.call_id.as_deref()), (Some(owner), Some("call-7")));
    });
}

/// SEC-83
pub fn the_last_five_pins_are_not_taken_again(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        let mut set = |digits: &str| store.set_pin(&alice, &NewPin::Own(pin(digits)), &admin(), NOON).err();
        let used = Some(StoreError::Refused(Refusal::WeakPin(WeakPin::UsedBefore)));
        assert_eq!(set(GOOD_PIN), used, "the present one");
        for digits in ["618305", "618306", "618307", "618308"] {
            assert_eq!(set(digits), None);
            assert_eq!(set(GOOD_PIN), used, "after {digits}");
        }
        assert_eq!(set("618309"), None);
        assert_eq!(set(GOOD_PIN), None, "the sixth back");
        assert_eq!(set("618306"), used);
    });
}

/// SEC-83
pub fn weak_pins_are_refused(with: With) {
    let pins = PinPolicy { min_length: 4, simple_patterns: true, lock_after: 5 };
    with(Config { pin: pins, ..Config::default() }, &|store| {
        let alice = add(store, "alice");
        assert!(store.set_pin(&alice, &NewPin::Own(pin("1234")), &admin(), NOON).is_ok());
    });
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        store.change_user(&alice, &[UserChange::Extension(Some("4711".into()))], &admin(), NOON).unwrap();
        for (digits, weak) in [
            ("12345", WeakPin::Short { min_length: 6 }),
            ("123456", WeakPin::Sequence),
            ("454545", WeakPin::Repeated),
            ("847119", WeakPin::Extension),
        ] {
            let refused = store.set_pin(&alice, &NewPin::Own(pin(digits)), &admin(), NOON);
            assert_eq!(refused, Err(StoreError::Refused(Refusal::WeakPin(weak))), "{digits}");
        }
        assert_eq!(store.check_pin(&attempt(&alice, GOOD_PIN, NOON)), Ok(RIGHT), "the old one stays");
    });
}

/// A web attacker must not lock the telephone, nor the other way round.
pub fn the_two_doors_have_counters_of_their_own(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        let guess = |text: &str| Attempt {
            mailbox: address("alice"),
            secret: Password::new(text).unwrap(),
            caller: "192.0.2.7".into(),
            call_id: None,
            at: NOON,
        };
        assert_eq!(store.check_password(&guess("correct horse")), Ok(WRONG), "there is none yet");
        store.set_password(&alice, &Password::new("correct horse").unwrap(), &admin(), NOON).unwrap();
        assert_eq!(store.check_password(&guess("correct horse")), Ok(RIGHT));
        for _ in 0..5 {
            store.check_password(&guess("battery staple")).unwrap();
        }
        assert!(matches!(store.check_password(&guess("correct horse")), Ok(Verdict::Locked(_))));
        assert_eq!(store.check_pin(&attempt(&alice, GOOD_PIN, NOON)), Ok(RIGHT));
        // A new password opens the web's door again.
        store.set_password(&alice, &Password::new("tr0ub4dor").unwrap(), &admin(), NOON).unwrap();
        assert_eq!(store.check_password(&guess("tr0ub4dor")), Ok(RIGHT));
        assert!(matches!(store.check_password(&guess("correct horse")), Ok(Verdict::Wrong { .. })));
    });
}

/// CMD-10: who entered, who tried.
pub fn every_sign_in_leaves_a_line_in_the_audit_trail(with: With) {
    let pins = PinPolicy { lock_after: 2, ..PinPolicy::default() };
    with(Config { pin: pins, ..Config::default() }, &|store| {
        let alice = add(store, "alice");
        for digits in [GOOD_PIN, WRONG_PIN, WRONG_PIN, GOOD_PIN] {
            let mut guess = attempt(&alice, digits, NOON);
            guess.call_id = Some("call-9".into());
            store.check_pin(&guess).unwrap();
        }
        let records = store.audit_records(&alice).unwrap();
        let lines: Vec<_> = records.iter().filter(|r| r.door == Some(Door::Telephone)).collect();
        let events: Vec<_> = lines.iter().map(|r| r.event.clone()).collect();
        assert_eq!(
            events,
            [
                Event::SignedIn,
                Event::SignInFailed { failures: 1, locked: false },
                Event::SignInFailed { failures: 2, locked: true },
                Event::SignInRefused,
            ]
        );
        assert!(lines.iter().all(|r| r.call_id.as_deref() == Some("call-9") && r.at == NOON));
        // SEC-88
        assert!(!format!("{records:?}").contains(GOOD_PIN) && !format!("{records:?}").contains(WRONG_PIN));
    });
}

/// DEC-34, SEC-102: whoever remembers a sign-in can see that it counts no more.
pub fn secrets_that_are_set_anew_and_locks_are_seen_in_the_account(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        let password = |text| Password::new(text).unwrap();
        let account = |store: &mut dyn crate::Store, at| store.find_account(&alice, at).unwrap().unwrap();
        let before = account(store, NOON);
        assert_eq!((before.secrets.password, before.locked), (0, None));
        assert_eq!(before.user, store.find_user(&crate::Lookup::Address(alice.clone())).unwrap().unwrap());
        assert_eq!(account(store, NOON).secrets, before.secrets, "nothing was set meanwhile");
        store.set_password(&alice, &password("one"), &admin(), NOON).unwrap();
        let first = account(store, NOON).secrets;
        assert!(first.password != 0 && first.pin == before.secrets.pin);
        // The same words are another secret.
        store.set_password(&alice, &password("one"), &admin(), NOON).unwrap();
        let second = account(store, NOON).secrets;
        assert!(second.password != first.password && second.password != 0);
        store.set_pin(&alice, &NewPin::Own(pin("582913")), &admin(), NOON).unwrap();
        let third = account(store, NOON).secrets;
        assert!(third.pin != second.pin && third.password == second.password);
        for _ in 0..5 {
            let attempt = Attempt {
                mailbox: alice.clone(),
                secret: password("wrong"),
                caller: "192.0.2.1".into(),
                call_id: None,
                at: NOON,
            };
            store.check_password(&attempt).unwrap();
        }
        assert_eq!(account(store, NOON).locked, Some(Lock::Until(NOON + 15 * MINUTE)));
        assert_eq!(account(store, NOON + 15 * MINUTE).locked, None);
        assert_eq!(store.find_account(&address("nobody"), NOON), Ok(None));
    });
}

//! Users: added, found, imported, changed, removed.

use super::{GOOD_PIN, NOON, With, add, address, admin, attempt, begin, deposit, id, pin, speech};
use crate::{
    AuditRecord, Config, DigestHashes, EntryRefusal, Event, Invalid, Lookup, NewPin, Password, PinState,
    Refusal, Role, Store, StoreError, UserChange, UserEntry, Verdict, WeakPin,
};

/// SEC-89
pub fn a_new_user_gets_a_generated_pin_when_none_is_given(with: With) {
    with(Config::default(), &|store| {
        let set = store.add_user(&UserEntry::new(address("alice")), &admin(), NOON).unwrap();
        let generated = set.generated.unwrap();
        assert!(generated.reveal().len() >= 6);
        let user = store.find_user(&Lookup::Address(address("alice"))).unwrap().unwrap();
        assert_eq!(user.pin, PinState::Generated);
        assert!(user.settings.enabled && user.settings.skip_pin && !user.has_password);
        let verdict = store.check_pin(&attempt(&address("alice"), generated.reveal(), NOON)).unwrap();
        assert_eq!(verdict, Verdict::Right { must_change: true });

        let again = store.add_user(&UserEntry::new(address("alice")), &admin(), NOON);
        assert_eq!(again, Err(StoreError::Refused(Refusal::UserExists)));
    });
}

/// Look-up by each kind of name, and by none of them.
pub fn a_user_is_found_by_address_extension_and_alias(with: With) {
    with(Config::default(), &|store| {
        let mut entry = UserEntry::new(address("alice"));
        entry.changes = vec![
            UserChange::Extension(Some("4711".into())),
            UserChange::AddAlias("+15550111".into()),
            UserChange::AddAlias("al".into()),
        ];
        store.add_user(&entry, &admin(), NOON).unwrap();
        let mut found = |lookup: Lookup| {
            store.find_user(&lookup).unwrap().map(|user| user.address().to_string()).unwrap_or_default()
        };
        assert_eq!(found(Lookup::Address(address("alice"))), "alice@example.test");
        assert_eq!(found(Lookup::Extension("4711".into())), "alice@example.test");
        assert_eq!(found(Lookup::Extension("+15550111".into())), "alice@example.test");
        assert_eq!(found(Lookup::Alias("al".into())), "alice@example.test");
        // SEC-118
        assert_eq!(found(Lookup::Alias("' OR '1'='1".into())), "");
        assert_eq!(found(Lookup::Alias("4711".into())), "");
        assert_eq!(found(Lookup::Extension("471".into())), "");
        assert_eq!(found(Lookup::Address(address("ALICE"))), "");
    });
}

/// Extensions and aliases lead to one user.
pub fn no_two_users_share_a_number(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        let bob = add(store, "bob");
        let extension = |digits: &str| [UserChange::Extension(Some(digits.into()))];
        store.change_user(&alice, &extension("4711"), &admin(), NOON).unwrap();
        let taken = Err(StoreError::Refused(Refusal::Invalid(Invalid::Taken)));
        assert_eq!(store.change_user(&bob, &extension("4711"), &admin(), NOON), taken);
        let alias = [UserChange::AddAlias("4711".into())];
        assert_eq!(store.change_user(&bob, &alias, &admin(), NOON), taken);
        store.change_user(&alice, &[UserChange::Extension(None)], &admin(), NOON).unwrap();
        store.change_user(&bob, &alias, &admin(), NOON).unwrap();
        assert_eq!(store.change_user(&alice, &extension("4711"), &admin(), NOON), taken);
        store.change_user(&bob, &[UserChange::RemoveAlias("4711".into())], &admin(), NOON).unwrap();
        store.change_user(&alice, &extension("4711"), &admin(), NOON).unwrap();
    });
}

/// Contract 2: all rows or none.
pub fn an_import_is_all_or_nothing(with: With) {
    with(Config::default(), &|store| {
        let row = |user: &str, digits: &str| {
            let mut entry = UserEntry::new(address(user));
            entry.pin = Some(NewPin::Own(pin(digits)));
            entry
        };
        let weak = store.put_users(&[row("alice", GOOD_PIN), row("bob", "111111")], &admin(), NOON);
        let refusal = EntryRefusal::WeakPin(WeakPin::Repeated);
        assert_eq!(weak, Err(StoreError::Refused(Refusal::Entry { entry: 1, refusal })));
        assert_eq!(store.users(None).unwrap(), []);
        assert_eq!(store.audit_records(&address("alice")).unwrap(), []);

        let mut same_number = [row("alice", GOOD_PIN), row("bob", GOOD_PIN)];
        for entry in &mut same_number {
            entry.changes.push(UserChange::Extension(Some("4711".into())));
        }
        let taken = store.put_users(&same_number, &admin(), NOON);
        let refusal = EntryRefusal::Invalid(Invalid::Taken);
        assert_eq!(taken, Err(StoreError::Refused(Refusal::Entry { entry: 1, refusal })));
        assert_eq!(store.users(None).unwrap(), []);

        let twice = store.put_users(&[row("alice", GOOD_PIN), row("alice", "618305")], &admin(), NOON);
        let refusal = EntryRefusal::Invalid(Invalid::Twice);
        assert_eq!(twice, Err(StoreError::Refused(Refusal::Entry { entry: 1, refusal })));
        assert_eq!(store.users(None).unwrap(), []);

        store.put_users(&[row("alice", GOOD_PIN), row("bob", GOOD_PIN)], &admin(), NOON).unwrap();
        assert_eq!(store.users(None).unwrap().len(), 2);
    });
}

/// Contract 2: an existing address is updated.
pub fn an_import_changes_users_who_are_there(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        deposit(store, id(1), &alice).unwrap();
        let mut entry = UserEntry::new(alice.clone());
        entry.changes = vec![UserChange::Name("Alice".into()), UserChange::Role(Role::Administrator)];
        let mut new = UserEntry::new(address("bob"));
        new.pin = Some(NewPin::Generate);
        let sets = store.put_users(&[entry, new], &admin(), NOON).unwrap();
        let generated: Vec<_> = sets.iter().map(|set| set.generated.is_some()).collect();
        assert_eq!(generated, [false, true], "a known user keeps the PIN");
        let user = store.find_user(&Lookup::Address(alice.clone())).unwrap().unwrap();
        assert_eq!((user.settings.name.as_str(), user.settings.role), ("Alice", Role::Administrator));
        assert_eq!(user.pin, PinState::Own);
        assert_eq!(store.counts(&alice).unwrap().new, 1, "the messages stay");
    });
}

/// [MS-OXWUMS] `GetUMProperties`: what a mail program has set is there again, and can be taken away.
pub fn what_a_mail_program_sets_is_kept(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        let mut kept = |dial_string: Option<&str>, folder: Option<&str>| {
            let changes = [
                UserChange::PlayOnPhoneDialString(dial_string.map(str::to_owned)),
                UserChange::TelephoneAccessFolder(folder.map(str::to_owned)),
            ];
            store.change_user(&alice, &changes, &admin(), NOON).unwrap();
            let settings = store.find_user(&Lookup::Address(alice.clone())).unwrap().unwrap().settings;
            (settings.play_on_phone_dial_string, settings.telephone_access_folder)
        };
        let (dial_string, folder) = ("+1 555 555 0199", "AAAAAG1hcGk=");
        assert_eq!(kept(Some(dial_string), Some(folder)), (Some(dial_string.into()), Some(folder.into())));
        assert_eq!(kept(None, Some(folder)), (None, Some(folder.into())));
        assert_eq!(kept(None, None), (None, None));
    });
}

/// A file that is imported again changes nothing: not even a PIN that it states is refused as used before.
pub fn an_import_may_be_repeated(with: With) {
    with(Config::default(), &|store| {
        let mut entry = UserEntry::new(address("alice"));
        entry.pin = Some(NewPin::Own(pin(GOOD_PIN)));
        for _ in 0..2 {
            assert!(store.put_users(&[entry.clone()], &admin(), NOON).is_ok());
        }
        let changed = |record: &AuditRecord| record.event == Event::PinChanged { generated: false };
        let records = store.audit_records(&address("alice")).expect("the trail");
        assert_eq!(records.iter().filter(|record| changed(record)).count(), 1, "the PIN was set once");

        entry.pin = Some(NewPin::Own(pin("618305")));
        assert!(store.put_users(&[entry.clone()], &admin(), NOON).is_ok());
        entry.pin = Some(NewPin::Own(pin(GOOD_PIN)));
        let used = EntryRefusal::WeakPin(WeakPin::UsedBefore);
        let refused = StoreError::Refused(Refusal::Entry { entry: 0, refusal: used });
        assert_eq!(
            store.put_users(&[entry], &admin(), NOON),
            Err(refused),
            "an earlier one is still refused"
        );
    });
}

/// One bad change spoils them all.
pub fn changes_are_all_or_nothing_and_audited(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        let bad = [UserChange::Name("Alice".into()), UserChange::Extension(Some("x".into()))];
        let refused = store.change_user(&alice, &bad, &admin(), NOON);
        assert_eq!(refused, Err(StoreError::Refused(Refusal::Invalid(Invalid::Extension))));
        assert_eq!(store.find_user(&Lookup::Address(alice.clone())).unwrap().unwrap().settings.name, "");

        let rule = UserChange::Routing { key: "ring-time".into(), value: Some("20s".into()) };
        let zone = UserChange::TimeZone(Some("Europe/Berlin".into()));
        let user = store.change_user(&alice, &[rule, zone], &admin(), NOON).unwrap();
        assert_eq!(user.settings.routing.get("ring-time").map(String::as_str), Some("20s"));
        let found = store.find_user(&Lookup::Address(alice.clone())).unwrap().unwrap();
        assert_eq!(found, user);
        let events: Vec<_> = store.audit_records(&alice).unwrap().into_iter().map(|r| r.event).collect();
        assert_eq!(events.last(), Some(&Event::UserChanged));

        let nobody = store.change_user(&address("nobody"), &[], &admin(), NOON);
        assert_eq!(nobody, Err(StoreError::Refused(Refusal::NoSuchUser)));
    });
}

/// Nothing of a removed user is left but the audit trail.
pub fn a_removed_user_takes_the_mailbox_along(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        deposit(store, id(1), &alice).unwrap();
        store.begin(&begin(id(2), &alice)).unwrap();
        store.remove_user(&alice, &admin(), NOON).unwrap();
        assert_eq!(store.find_message(id(1)).unwrap(), None);
        let gone = StoreError::Refused(Refusal::NoSuchRecording(id(2)));
        assert_eq!(store.append(id(2), &speech(160)), Err(gone));
        assert_eq!(store.mailbox(&alice, NOON), Err(StoreError::Refused(Refusal::NoSuchUser)));
        let events: Vec<_> = store.audit_records(&alice).unwrap().into_iter().map(|r| r.event).collect();
        assert_eq!(events.last(), Some(&Event::UserRemoved));

        add(store, "alice");
        assert_eq!(store.counts(&alice).unwrap().kept(), 0, "a new user of that name begins anew");
        let again = store.remove_user(&address("nobody"), &admin(), NOON);
        assert_eq!(again, Err(StoreError::Refused(Refusal::NoSuchUser)));
    });
}

/// Lists are in order and can be continued.
pub fn users_are_listed_by_address(with: With) {
    with(Config::default(), &|store| {
        for user in ["carol", "alice", "bob"] {
            add(store, user);
        }
        let mut names = |after: Option<&str>| -> Vec<String> {
            let users = store.users(after.map(address).as_ref()).unwrap();
            users.iter().map(|user| user.address().user().to_owned()).collect()
        };
        assert_eq!(names(None), ["alice", "bob", "carol"]);
        assert_eq!(names(Some("alice")), ["bob", "carol"]);
        assert_eq!(names(Some("carol")), [""; 0]);
    });
}

/// DEC-35: the hashes come back as they were made.
pub fn the_password_gives_digest_hashes(with: With) {
    with(Config::default(), &|store| {
        let alice = add(store, "alice");
        assert_eq!(store.digest_hashes(&alice).unwrap(), None);
        assert_eq!(store.digest_hashes(&address("nobody")).unwrap(), None);
        let password = Password::new("correct horse").unwrap();
        store.set_password(&alice, &password, &admin(), NOON).unwrap();
        assert_eq!(store.digest_hashes(&alice).unwrap(), Some(DigestHashes::new(&alice, &password)));
        assert!(store.find_user(&Lookup::Address(alice)).unwrap().unwrap().has_password);
    });
}

/// DEC-5: whoever remembers users learns that they have changed, whoever it was; and is not made to ask anew by
/// what calls do.
pub fn every_change_of_a_user_counts_and_nothing_else(with: With) {
    with(Config::default(), &|store| {
        let mut last = store.user_changes().unwrap();
        let mut has_risen = |store: &mut dyn Store| {
            let before = std::mem::replace(&mut last, store.user_changes().unwrap());
            last > before
        };
        let alice = add(store, "alice");
        assert!(has_risen(store), "a user came");
        let change = |change: UserChange| [change];
        for change in [
            change(UserChange::Routing {
                key: "forward_to".into(),
                value: Some("sip:bob@example.test".into()),
            }),
            change(UserChange::Extension(Some("4711".into()))),
            change(UserChange::AddAlias("al".into())),
            change(UserChange::RemoveAlias("al".into())),
            change(UserChange::Enabled(false)),
            change(UserChange::Enabled(true)),
        ] {
            store.change_user(&alice, &change, &admin(), NOON).unwrap();
            assert!(has_risen(store), "{change:?}");
        }
        for password in ["correct horse", "battery staple"] {
            store.set_password(&alice, &Password::new(password).unwrap(), &admin(), NOON).unwrap();
            assert!(has_risen(store), "a password was set");
        }
        let entry = UserEntry { password: Password::new("third horse"), ..UserEntry::new(alice.clone()) };
        store.put_users(&[entry, UserEntry::new(address("bob"))], &admin(), NOON).unwrap();
        assert!(has_risen(store), "users were imported");

        store.find_user(&Lookup::Address(alice.clone())).unwrap();
        store.digest_hashes(&alice).unwrap();
        store.check_pin(&attempt(&alice, "999999", NOON)).unwrap();
        let message = deposit(store, id(1), &alice).unwrap();
        store.mark_heard(&alice, message.id, true).unwrap();
        assert!(!has_risen(store), "calls change no user");

        let refused = [UserChange::Extension(Some("4711".into()))];
        store.change_user(&address("bob"), &refused, &admin(), NOON).unwrap_err();
        assert!(!has_risen(store), "what was refused changes nothing");
        store.remove_user(&alice, &admin(), NOON).unwrap();
        assert!(has_risen(store), "a user went");
    });
}

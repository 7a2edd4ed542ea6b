//! Mails that wait to be sent.

use std::time::Duration;

use umbel_time::UnixTime;

use super::{
    DAY, GOOD_PIN, MINUTE, NOON, With, add, address, admin, attempt, deposit, finish, id, pin, speech,
};
use crate::{
    Address, AudioFormat, Author, Caller, Config, Door, DueMail, FAILED_MAILS_KEPT, GreetingChange,
    GreetingKind, MailKind, MailNumber, MailOutcome, MessageState, MissedCall, MissedCallId, NewPin,
    OUTBOX_PER_MAILBOX_MAX, OutboxState, PIN_RESET_WINDOW, PIN_RESETS_MAX, Password, Pin, PinState, Refusal,
    SecretChange, Store, StoreError, StoredAudio, Tidings, UserChange, Verdict,
};

const LATER: UnixTime = UnixTime::from_secs(NOON.as_secs() + 3_600);

fn with_mail() -> Config {
    Config { mail: true, ..Config::default() }
}

/// A user who reads mail.
fn add_reader(store: &mut dyn Store, user: &str) -> Address {
    let address = add(store, user);
    let change = UserChange::Email(Some(format!("{user}@mail.example.test")));
    store.change_user(&address, &[change], &admin(), NOON).unwrap();
    address
}

fn missed_call(mailbox: &Address, call_id: &str) -> MissedCall {
    MissedCall {
        id: MissedCallId(0),
        mailbox: mailbox.clone(),
        caller: Caller { id: "+15550100".into(), name: Some("Bob".into()), verified: true },
        subject: "Lunch".into(),
        at: NOON,
        call_id: call_id.into(),
    }
}

fn only(mails: Vec<DueMail>) -> DueMail {
    assert_eq!(mails.len(), 1, "{mails:?}");
    mails.into_iter().next().unwrap()
}

fn numbers(store: &mut dyn Store, at: UnixTime) -> Vec<u64> {
    store.due_mails(at).unwrap().into_iter().map(|mail| mail.number.0).collect()
}

/// REL-41: the mail is there as soon as the message is.
pub fn a_saved_message_is_mailed_to_owners_who_read_mail(with: With) {
    with(with_mail(), &|store| {
        let (alice, bob) = (add_reader(store, "alice"), add(store, "bob"));
        let message = deposit(store, id(1), &alice).unwrap();
        deposit(store, id(2), &bob).unwrap();
        let mail = only(store.due_mails(LATER).unwrap());
        assert_eq!((mail.id, mail.attempts), (id(1), 0));
        assert_eq!(mail.owner.email.as_deref(), Some("alice@mail.example.test"));
        assert_eq!(mail.tidings, Tidings::Message(Box::new(message)));
        assert_eq!(mail.queued, finish(id(1)).at);
        assert_eq!(store.due_mails(mail.queued - MINUTE), Ok(vec![]));
        // Finished twice, mailed once.
        store.finish(&finish(id(1))).unwrap();
        assert_eq!(store.outbox_state().unwrap().waiting, 1);
    });
    with(Config::default(), &|store| {
        let alice = add_reader(store, "alice");
        deposit(store, id(1), &alice).unwrap();
        assert_eq!(store.due_mails(LATER), Ok(vec![]), "no mail server, no mail");
        assert_eq!(store.outbox_state(), Ok(OutboxState::default()));
    });
}

/// MISS-1, SEC-91
pub fn missed_calls_and_changed_greetings_are_mailed(with: With) {
    with(with_mail(), &|store| {
        let alice = add_reader(store, "alice");
        assert!(store.note_missed_call(&missed_call(&alice, "call-1")).unwrap());
        assert!(!store.note_missed_call(&missed_call(&alice, "call-1")).unwrap());
        let audio = StoredAudio { format: AudioFormat::Pcmu, data: speech(800), damaged: false };
        let skipped = Author::OwnerBySkip { call_id: "call-2".into() };
        store.set_greeting(&alice, GreetingKind::Standard, &audio, &skipped, NOON).unwrap();
        store.remove_greeting(&alice, GreetingKind::Standard, &admin(), NOON + MINUTE).unwrap();
        let mails = store.due_mails(LATER).unwrap();
        let notice = store.missed_calls(&alice).unwrap().remove(0);
        let change = |removed, author| {
            Tidings::Greeting(GreetingChange { kind: GreetingKind::Standard, removed, author })
        };
        let told: Vec<_> = mails.iter().map(|mail| mail.tidings.clone()).collect();
        assert_eq!(
            told,
            [Tidings::MissedCall(Box::new(notice)), change(false, skipped), change(true, admin())]
        );
        let item = store.items(&alice, 0).unwrap().items.remove(0);
        assert_eq!(mails[0].id, item.id, "the mail of a notice bears the name of its item");
        assert_ne!(mails[1].id, mails[2].id);
        let kinds: Vec<_> = store.queued_mails(None).unwrap().iter().map(|mail| mail.kind).collect();
        assert_eq!(kinds, [MailKind::MissedCall, MailKind::Greeting, MailKind::Greeting]);

        store.change_user(&alice, &[UserChange::MissedCallNotices(false)], &admin(), NOON).unwrap();
        assert!(!store.note_missed_call(&missed_call(&alice, "call-3")).unwrap());
        assert_eq!(store.outbox_state().unwrap().waiting, 3);
    });
}

/// Whoever changed a secret may not have been its owner.
pub fn a_secret_that_is_changed_is_told_its_owner(with: With) {
    with(with_mail(), &|store| {
        let alice = add_reader(store, "alice");
        assert_eq!(store.due_mails(LATER), Ok(vec![]), "whoever is new knows");
        let by_pin = Author::OwnerByPin { call_id: "call-1".into() };
        store.set_pin(&alice, &NewPin::Own(pin("618305")), &by_pin, NOON).unwrap();
        let password = Password::new("battery staple").unwrap();
        store.set_password(&alice, &password, &Author::OwnerByWeb, NOON + MINUTE).unwrap();
        // What did not happen is not told.
        store.set_pin(&alice, &NewPin::Own(pin("618305")), &by_pin, NOON).unwrap_err();
        let mails = store.due_mails(LATER).unwrap();
        let told: Vec<_> = mails.iter().map(|mail| mail.tidings.clone()).collect();
        let change = |door, author| Tidings::Secret(SecretChange { door, author });
        assert_eq!(told, [change(Door::Telephone, by_pin), change(Door::Web, Author::OwnerByWeb)]);
        assert_ne!(mails[0].id, mails[1].id);
        let kinds: Vec<_> = store.queued_mails(None).unwrap().iter().map(|mail| mail.kind).collect();
        assert_eq!(kinds, [MailKind::Secret, MailKind::Secret]);
        store.remove_user(&alice, &admin(), NOON).unwrap();
        assert_eq!(store.due_mails(LATER), Ok(vec![]));
    });
    with(Config::default(), &|store| {
        let alice = add_reader(store, "alice");
        store.set_pin(&alice, &NewPin::Own(pin("618305")), &admin(), NOON).unwrap();
        assert_eq!(store.outbox_state(), Ok(OutboxState::default()), "no mail server, no mail");
    });
}

/// A greeting by telephone is told too.
pub fn a_recorded_greeting_is_mailed_when_it_is_kept(with: With) {
    with(with_mail(), &|store| {
        let alice = add_reader(store, "alice");
        let author = Author::OwnerBySkip { call_id: "call-5".into() };
        let kind = GreetingKind::OutOfOffice;
        let purpose = crate::Purpose::Greeting { kind, author: author.clone() };
        store.begin(&crate::Begin { purpose, ..super::begin(id(1), &alice) }).unwrap();
        store.append(id(1), &speech(800)).unwrap();
        assert_eq!(store.due_mails(LATER), Ok(vec![]));
        store.finish(&finish(id(1))).unwrap();
        let mail = only(store.due_mails(LATER).unwrap());
        assert_eq!(mail.tidings, Tidings::Greeting(GreetingChange { kind, removed: false, author }));
    });
}

/// In order, until settled; what is put off comes back when it is due.
pub fn mails_are_due_in_order_until_they_are_settled(with: With) {
    with(with_mail(), &|store| {
        let alice = add_reader(store, "alice");
        for call in ["call-1", "call-2", "call-3"] {
            store.note_missed_call(&missed_call(&alice, call)).unwrap();
        }
        let [first, second, third] = numbers(store, NOON)[..] else { panic!("three mails") };
        assert!(first < second && second < third);
        assert_eq!(numbers(store, NOON), [first, second, third], "asking changes nothing");
        store.settle_mail(MailNumber(second), &MailOutcome::Sent, NOON).unwrap();
        let reason = "x".repeat(1_000);
        let later = MailOutcome::Later { due: NOON + MINUTE, reason };
        store.settle_mail(MailNumber(first), &later, NOON).unwrap();
        assert_eq!(numbers(store, NOON), [third]);
        assert_eq!(numbers(store, NOON + MINUTE - Duration::from_millis(1)), [third]);
        assert_eq!(numbers(store, NOON + MINUTE), [third, first]);
        let listed = store.queued_mails(None).unwrap();
        assert_eq!((listed[0].attempts, listed[0].due), (1, Some(NOON + MINUTE)));
        assert_eq!(listed[0].reason.as_ref().map(String::len), Some(crate::MAIL_REASON_CHARS_MAX));
        assert_eq!(store.queued_mails(Some(MailNumber(first))).unwrap().len(), 1);
        let state = OutboxState { waiting: 2, failed: 0, oldest: Some(NOON) };
        assert_eq!(store.outbox_state(), Ok(state));
        store.settle_mail(MailNumber(third), &MailOutcome::Dropped, NOON).unwrap();
        store.settle_mail(MailNumber(third), &MailOutcome::Sent, NOON).unwrap();
        assert_eq!(store.outbox_state().unwrap().waiting, 1);
    });
}

/// What failed for good is kept for people to see, and tried again when they say so.
pub fn a_mail_that_failed_is_kept_and_can_be_tried_again(with: With) {
    with(with_mail(), &|store| {
        let alice = add_reader(store, "alice");
        store.note_missed_call(&missed_call(&alice, "call-1")).unwrap();
        store.note_missed_call(&missed_call(&alice, "call-2")).unwrap();
        let [first, second] = numbers(store, NOON)[..] else { panic!("two mails") };
        let failed = MailOutcome::Failed { reason: "550 no such user".into() };
        store.settle_mail(MailNumber(first), &failed, NOON).unwrap();
        assert_eq!(numbers(store, NOON + DAY), [second]);
        let listed = store.queued_mails(None).unwrap();
        assert_eq!((listed[0].due, listed[0].reason.as_deref()), (None, Some("550 no such user")));
        assert_eq!(store.outbox_state().unwrap().failed, 1);
        assert_eq!(store.retry_mails(Some(MailNumber(first)), NOON + DAY), Ok(1));
        assert_eq!(numbers(store, NOON + DAY), [second, first]);
        assert_eq!(store.retry_mails(Some(MailNumber(99)), NOON), Ok(0));
        store.settle_mail(MailNumber(first), &failed, NOON).unwrap();
        assert_eq!(store.retry_mails(None, NOON), Ok(2));

        store.settle_mail(MailNumber(first), &failed, NOON).unwrap();
        store.sweep(NOON + FAILED_MAILS_KEPT).unwrap();
        assert_eq!(store.outbox_state().unwrap().failed, 1);
        store.sweep(NOON + FAILED_MAILS_KEPT + MINUTE).unwrap();
        assert_eq!(store.outbox_state().unwrap().failed, 0);
        assert_eq!(store.outbox_state().unwrap().waiting, 1, "what waits is not swept");
    });
}

/// A mail goes with what it tells of.
pub fn a_mail_goes_with_its_message_notice_or_owner(with: With) {
    with(with_mail(), &|store| {
        let (alice, bob) = (add_reader(store, "alice"), add_reader(store, "bob"));
        deposit(store, id(1), &alice).unwrap();
        store.note_missed_call(&missed_call(&alice, "call-7")).unwrap();
        deposit(store, id(2), &bob).unwrap();
        assert_eq!(store.due_mails(LATER).unwrap().len(), 3);

        store.delete_message(&alice, id(1), &admin(), NOON).unwrap();
        let mails = store.due_mails(LATER).unwrap();
        let deleted = mails.iter().find(|mail| mail.id == id(1)).unwrap();
        let Tidings::Message(message) = &deleted.tidings else { panic!("a message") };
        assert_eq!(message.state, MessageState::Deleted, "who sends is told, and need not send");
        store.sweep(NOON + DAY * 15).unwrap();
        assert!(store.due_mails(LATER).unwrap().iter().all(|mail| mail.id != id(1)));

        let notice = store.missed_calls(&alice).unwrap()[0].id;
        store.clear_missed_calls(&alice, notice).unwrap();
        assert_eq!(only(store.due_mails(LATER).unwrap()).id, id(2));
        store.remove_user(&bob, &admin(), NOON).unwrap();
        assert_eq!(store.outbox_state(), Ok(OutboxState::default()));
    });
}

/// Of a mailbox, as many mails wait as may; the message is kept as ever.
pub fn a_full_queue_keeps_no_message_from_being_saved(with: With) {
    with(with_mail(), &|store| {
        let (alice, bob) = (add_reader(store, "alice"), add_reader(store, "bob"));
        for call in 0..OUTBOX_PER_MAILBOX_MAX {
            assert!(store.note_missed_call(&missed_call(&alice, &format!("call-{call}"))).unwrap());
        }
        let full = OUTBOX_PER_MAILBOX_MAX as u64;
        assert_eq!(store.outbox_state().unwrap().waiting, full);
        deposit(store, id(1), &alice).unwrap();
        assert_eq!(store.reset_pin_by_mail(&alice, &Author::OwnerByWeb, NOON), refused(Refusal::OutboxFull));
        assert_eq!(store.outbox_state().unwrap().waiting, full);
        deposit(store, id(2), &bob).unwrap();
        assert_eq!(store.outbox_state().unwrap().waiting, full + 1, "others are not kept from theirs");
        let first = numbers(store, NOON)[0];
        store.settle_mail(MailNumber(first), &MailOutcome::Sent, NOON).unwrap();
        deposit(store, id(3), &alice).unwrap();
        assert_eq!(store.outbox_state().unwrap().waiting, full + 1);
    });
}

fn refused<T>(refusal: Refusal) -> Result<T, StoreError> {
    Err(StoreError::Refused(refusal))
}

fn mailed_pin(store: &mut dyn Store, at: UnixTime) -> Pin {
    let mail = only(store.due_mails(at).unwrap());
    let Tidings::NewPin { pin: Some(pin), .. } = mail.tidings else { panic!("a PIN") };
    pin
}

/// DEC-14
pub fn a_pin_that_is_reset_is_mailed_and_must_be_changed(with: With) {
    with(with_mail(), &|store| {
        let alice = add_reader(store, "alice");
        assert_eq!(store.reset_pin_by_mail(&alice, &Author::OwnerByWeb, NOON), Ok(()));
        let told = mailed_pin(store, NOON);
        let old = store.check_pin(&attempt(&alice, GOOD_PIN, NOON)).unwrap();
        assert_eq!(old, Verdict::Wrong { locked: None });
        let new = store.check_pin(&attempt(&alice, told.reveal(), NOON)).unwrap();
        assert_eq!(new, Verdict::Right { must_change: true });
        let user = store.find_user(&crate::Lookup::Address(alice.clone())).unwrap().unwrap();
        assert_eq!(user.pin, PinState::Generated);
        let audit = store.audit_records(&alice).unwrap();
        let line = audit.iter().rfind(|line| matches!(line.event, crate::Event::PinChanged { .. })).unwrap();
        assert_eq!(line.event, crate::Event::PinChanged { generated: true });
        assert_eq!(line.author, Some(Author::OwnerByWeb));

        // The one before is not mailed any more.
        store.reset_pin_by_mail(&alice, &Author::OwnerByWeb, NOON + MINUTE).unwrap();
        assert_ne!(mailed_pin(store, NOON + MINUTE), told);
        let number = numbers(store, NOON + MINUTE)[0];
        store.settle_mail(MailNumber(number), &MailOutcome::Failed { reason: "550".into() }, NOON).unwrap();
        assert_eq!(store.retry_mails(None, NOON), Ok(0), "a PIN that failed is wiped");
        assert_eq!(store.due_mails(LATER), Ok(vec![]));
        assert_eq!(store.queued_mails(None).unwrap()[0].kind, MailKind::NewPin);
    });
}

/// DEC-14: refused clearly, and then nothing changes.
pub fn a_pin_is_not_reset_where_it_cannot_be_told(with: With) {
    with(Config::default(), &|store| {
        let alice = add_reader(store, "alice");
        let reset = store.reset_pin_by_mail(&alice, &Author::OwnerByWeb, NOON);
        assert_eq!(reset, refused(Refusal::MailNotSetUp));
    });
    with(with_mail(), &|store| {
        let (alice, bob) = (add_reader(store, "alice"), add(store, "bob"));
        let reset = |store: &mut dyn Store, whom: &Address, at| {
            store.reset_pin_by_mail(whom, &Author::OwnerByWeb, at)
        };
        assert_eq!(reset(store, &bob, NOON), refused(Refusal::NoMailAddress));
        assert_eq!(reset(store, &address("nobody"), NOON), refused(Refusal::NoSuchUser));
        let right = store.check_pin(&attempt(&bob, GOOD_PIN, NOON)).unwrap();
        assert_eq!(right, Verdict::Right { must_change: false });
        store.change_user(&alice, &[UserChange::Enabled(false)], &admin(), NOON).unwrap();
        assert_eq!(reset(store, &alice, NOON), refused(Refusal::Disabled));
        store.change_user(&alice, &[UserChange::Enabled(true)], &admin(), NOON).unwrap();
        for _ in 0..PIN_RESETS_MAX {
            assert_eq!(reset(store, &alice, NOON), Ok(()));
        }
        assert_eq!(reset(store, &alice, NOON), refused(Refusal::TooManyPinResets));
        let told = mailed_pin(store, NOON);
        let right = store.check_pin(&attempt(&alice, told.reveal(), NOON)).unwrap();
        assert_eq!(right, Verdict::Right { must_change: true }, "what was refused changed nothing");
        let soon = NOON + PIN_RESET_WINDOW - Duration::from_millis(1);
        assert_eq!(reset(store, &alice, soon), refused(Refusal::TooManyPinResets));
        store.sweep(soon).unwrap();
        assert_eq!(reset(store, &alice, soon), refused(Refusal::TooManyPinResets));
        assert_eq!(reset(store, &alice, NOON + PIN_RESET_WINDOW), Ok(()));
    });
}

//! Every phrase has its recordings, and every recording is in a phrase.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::time::Duration;

use umbel_ivr::language::Word;
use umbel_ivr::mailbox::{Folder, GreetingKind};
use umbel_ivr::phrase::{Day, Digits, When};
use umbel_ivr::{KeyProfile, Language, Menu, Phrase};
use umbel_time::Weekday;

const PROFILES: [KeyProfile; 2] = [KeyProfile::Exchange, KeyProfile::Asterisk];

fn names(phrase: &Phrase, profile: KeyProfile) -> Vec<&'static str> {
    Language::English
        .say(phrase, profile)
        .into_iter()
        .filter_map(|word| match word {
            Word::Prompt(prompt) => Some(prompt.0),
            Word::Gap(_) => None,
        })
        .collect()
}

/// A phrase as one hears it.
fn heard(phrase: &Phrase) -> String {
    let names = names(phrase, KeyProfile::Exchange);
    names.into_iter().map(|name| umbel_prompts::text(name).unwrap()).collect::<Vec<_>>().join(" ")
}

/// One phrase of each kind, and as many of those with numbers as have words of their own.
fn every_phrase() -> Vec<Phrase> {
    use Phrase::*;
    let digits = Digits::read("1234567890*#").unwrap();
    let mut phrases = vec![
        Extension(digits),
        IsNotAvailable,
        LeaveMessage,
        AtMost(Duration::from_secs(61)),
        AtMost(Duration::from_secs(122)),
        ThisIsYourVoiceMail,
        CallingBack,
        MayNotBeCalled,
        NotReached,
        MailboxFull,
        MailboxClosed,
        NoSuchMailbox,
        OutOfService,
        TooShort,
        LimitReached,
        RecordAfterTone,
        MarkedUrgent,
        MarkedNormal,
        DepositSaved,
        DepositNotSaved,
        DepositCancelled,
        EnterMailbox,
        EnterPin,
        WrongPin,
        PinLocked,
        EnterCurrentPin,
        MustChangePin,
        EnterNewPin { least: 1 },
        EnterNewPin { least: 6 },
        EnterNewPinAgain,
        PinsDiffer,
        PinTooShort { least: 1 },
        PinTooShort { least: 6 },
        PinTooLong,
        PinTooSimple,
        PinUsedBefore,
        PinChanged,
        Unheard { new: 0, urgent: 0 },
        Unheard { new: 1, urgent: 0 },
        Unheard { new: 1, urgent: 1 },
        Unheard { new: 5, urgent: 1 },
        Unheard { new: 5, urgent: 2 },
        Heard(1),
        Heard(2),
        OutOfOfficeIsOn,
        YourMailboxIsFull,
        NoMessages(Folder::New),
        NoMessages(Folder::Old),
        IsUrgent,
        IsDeleted,
        IsIncomplete,
        From,
        FromExtension(digits),
        FromNumber(digits),
        FromUnverifiedNumber(digits),
        FromUnknown,
        CannotBeRead,
        IsGone,
        Deleted,
        Undeleted,
        KeptAsNew,
        Saved,
        NoMoreMessages,
        NoEarlierMessages,
        NotRecorded,
        GreetingSaved,
        GreetingRemoved,
        GreetingInUse,
        GreetingUnchanged,
        NoSuchChoice,
        NotDone,
        TryLater,
        Goodbye,
        Lasting(Duration::from_secs(75)),
    ];
    phrases.extend(Menu::ALL.map(Choices));
    phrases.extend((0..1_200).map(MessageNumber));
    for kind in GreetingKind::ALL {
        phrases.extend(
            [(true, true), (true, false), (false, false)].map(|(recorded, active)| GreetingStatus {
                kind,
                recorded,
                active,
            }),
        );
    }
    let at = |day| Received(When { day, hour: 15, minute: 5 });
    phrases.extend([at(Day::Today), at(Day::Yesterday)]);
    phrases.extend(Weekday::ALL.map(|weekday| at(Day::ThisWeek(weekday))));
    phrases.extend((1..=12).map(|month| at(Day::ThisYear { month, day: 1 })));
    phrases.extend((1..=31).map(|day| at(Day::Date { year: 2025, month: 12, day })));
    phrases.extend(
        (0..24).flat_map(|hour| [0, 5, 30].map(|minute| Received(When { day: Day::Today, hour, minute }))),
    );
    phrases
}

/// Fails to compile when a phrase is added, so that it is added above too.
const fn is_in_every_phrase(phrase: &Phrase) -> bool {
    use Phrase::*;
    match phrase {
        Extension(_) | IsNotAvailable | LeaveMessage | AtMost(_) | MailboxFull | MailboxClosed => true,
        NoSuchMailbox | OutOfService | TooShort | LimitReached | RecordAfterTone => true,
        MarkedUrgent | MarkedNormal | DepositSaved | DepositNotSaved | DepositCancelled => true,
        EnterMailbox | EnterPin | WrongPin | PinLocked | EnterCurrentPin | MustChangePin => true,
        EnterNewPin { .. } | EnterNewPinAgain | PinsDiffer | PinTooShort { .. } | PinTooLong => true,
        PinTooSimple | PinUsedBefore | PinChanged | Unheard { .. } | Heard(_) | OutOfOfficeIsOn => true,
        YourMailboxIsFull | NoMessages(_) | MessageNumber(_) | IsUrgent | IsDeleted | IsIncomplete => true,
        From | FromExtension(_) | FromNumber(_) | FromUnverifiedNumber(_) | FromUnknown | Received(_) => true,
        Lasting(_) | CannotBeRead | IsGone | Deleted | Undeleted | KeptAsNew | Saved => true,
        NoMoreMessages | NoEarlierMessages | GreetingStatus { .. } | NotRecorded | GreetingSaved => true,
        GreetingRemoved | GreetingInUse | GreetingUnchanged | Choices(_) | NoSuchChoice | NotDone => true,
        TryLater | Goodbye | ThisIsYourVoiceMail => true,
        CallingBack | MayNotBeCalled | NotReached => true,
    }
}

#[test]
fn every_phrase_has_its_recordings_and_every_recording_its_phrase() {
    let used: BTreeSet<&str> = every_phrase()
        .iter()
        .inspect(|phrase| assert!(is_in_every_phrase(phrase)))
        .flat_map(|phrase| PROFILES.map(|profile| names(phrase, profile)))
        .flatten()
        .collect();
    let recorded: BTreeSet<&str> = umbel_prompts::names().collect();
    let missing: Vec<_> = used.difference(&recorded).collect();
    let unused: Vec<_> = recorded.difference(&used).collect();
    assert!(missing.is_empty(), "said, but not recorded: {missing:?}");
    assert!(unused.is_empty(), "recorded, but never said: {unused:?}");
}

#[test]
fn no_phrase_is_silent() {
    for phrase in every_phrase() {
        for profile in PROFILES {
            assert!(!names(&phrase, profile).is_empty(), "{phrase:?}");
        }
    }
}

#[track_caller]
fn check(phrase: Phrase, expected: &str) {
    assert_eq!(heard(&phrase), expected);
}

#[test]
fn counts_have_their_plurals() {
    let unheard = |new, urgent| Phrase::Unheard { new, urgent };
    check(unheard(0, 0), "You have no new messages.");
    check(unheard(1, 0), "You have one new message");
    check(unheard(2, 0), "You have two new messages");
    check(unheard(1, 1), "You have one new message which is urgent.");
    check(unheard(3, 1), "You have three new messages one of them is urgent.");
    check(unheard(3, 2), "You have three new messages two of them are urgent.");
    check(Phrase::Heard(1), "You have one old message.");
    check(Phrase::Heard(21), "You have twenty one old messages.");
}

#[test]
fn numbers_are_said_as_in_america() {
    for (number, expected) in [
        (0, "zero"),
        (7, "seven"),
        (13, "thirteen"),
        (20, "twenty"),
        (45, "forty five"),
        (90, "ninety"),
        (100, "one hundred"),
        (105, "one hundred five"),
        (219, "two hundred nineteen"),
        (500, "five hundred"),
        (999, "nine hundred ninety nine"),
        (1_000, "one thousand"),
        (1_001, "one thousand one"),
        (12_300, "twelve thousand three hundred"),
        (999_999, "nine hundred ninety nine thousand nine hundred ninety nine"),
    ] {
        check(Phrase::MessageNumber(number), &format!("Message {expected}"));
    }
}

#[test]
fn a_number_beyond_all_counting_is_said_as_the_greatest_one() {
    for number in [1_000_000, u32::MAX] {
        assert_eq!(heard(&Phrase::MessageNumber(number)), heard(&Phrase::MessageNumber(999_999)));
    }
}

#[test]
fn durations_are_said_in_minutes_and_seconds() {
    for (millis, expected) in [
        (0, "one second"),
        (499, "one second"),
        (1_499, "one second"),
        (1_500, "two seconds"),
        (59_499, "fifty nine seconds"),
        (59_500, "one minute"),
        (61_000, "one minute one second"),
        (120_000, "two minutes"),
        (135_000, "two minutes fifteen seconds"),
        (3_600_000, "sixty minutes"),
    ] {
        check(Phrase::Lasting(Duration::from_millis(millis)), &format!("It lasts {expected}"));
    }
}

#[test]
fn times_are_said_by_the_twelve_hour_clock() {
    for (hour, minute, expected) in [
        (0, 0, "twelve o'clock A.M."),
        (0, 30, "twelve thirty A.M."),
        (9, 5, "nine oh five A.M."),
        (11, 59, "eleven fifty nine A.M."),
        (12, 0, "twelve o'clock P.M."),
        (15, 10, "three ten P.M."),
        (23, 1, "eleven oh one P.M."),
    ] {
        let when = When { day: Day::Today, hour, minute };
        check(Phrase::Received(when), &format!("Received today at {expected}"));
    }
}

#[test]
fn days_are_said_as_people_say_them() {
    for (day, expected) in [
        (Day::Today, "today"),
        (Day::Yesterday, "yesterday"),
        (Day::ThisWeek(Weekday::Wednesday), "on Wednesday"),
        (Day::ThisYear { month: 3, day: 1 }, "on March first"),
        (Day::ThisYear { month: 2, day: 20 }, "on February twentieth"),
        (Day::ThisYear { month: 5, day: 22 }, "on May twenty second"),
        (Day::ThisYear { month: 6, day: 30 }, "on June thirtieth"),
        (Day::Date { year: 2025, month: 12, day: 31 }, "on December thirty first twenty twenty five"),
        (Day::Date { year: 2009, month: 1, day: 12 }, "on January twelfth two thousand nine"),
        (Day::Date { year: 2000, month: 1, day: 3 }, "on January third two thousand"),
        (Day::Date { year: 1905, month: 1, day: 3 }, "on January third nineteen oh five"),
        (Day::Date { year: 1900, month: 1, day: 3 }, "on January third nineteen hundred"),
    ] {
        let when = When { day, hour: 8, minute: 15 };
        check(Phrase::Received(when), &format!("Received {expected} at eight fifteen A.M."));
    }
}

#[test]
fn nonsense_in_a_date_is_said_somehow() {
    let when = When { day: Day::Date { year: i16::MIN, month: 99, day: 0 }, hour: 250, minute: 250 };
    assert!(!heard(&Phrase::Received(when)).is_empty());
}

#[test]
fn telephone_numbers_are_said_digit_by_digit_with_breaths() {
    let digits = |text| Phrase::FromNumber(Digits::read(text).unwrap());
    check(digits("1002"), "From telephone number one zero zero two");
    check(digits("*72#"), "From telephone number star seven two pound");

    let groups = |text| {
        let words = Language::English.say(&digits(text), KeyProfile::Exchange);
        let spoken = words.iter().skip(1).map(|word| match word {
            Word::Prompt(prompt) => prompt.0.trim_start_matches("digits/"),
            Word::Gap(_) => " ",
        });
        spoken.collect::<String>().trim().to_owned()
    };
    assert_eq!(groups("12345"), "12345");
    assert_eq!(groups("5550100"), "555 0100");
    assert_eq!(groups("14255550100"), "1 425 555 0100");
}

#[test]
fn a_menu_names_every_key_once_in_the_order_of_its_table() {
    for profile in PROFILES {
        for menu in Menu::ALL {
            let names = names(&Phrase::Choices(menu), profile);
            assert_eq!(names.len(), 3 * menu.rows(profile).len(), "{menu:?}: choice, press, key");
            let keys = names.iter().skip(2).step_by(3);
            for (name, row) in keys.zip(menu.rows(profile)) {
                let key = match row.key.as_char() {
                    '*' => "digits/star".to_owned(),
                    '#' => "digits/pound".to_owned(),
                    digit => format!("digits/{digit}"),
                };
                assert_eq!(*name, key, "{menu:?} {profile:?}");
            }
        }
    }
}

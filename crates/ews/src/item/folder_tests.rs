//! Which item is found in which folder.

use umbel_store::MessageState;
use umbel_time::UnixTime;

use super::super::testing::{message_item, missed_item};
use super::*;

fn found_in(item: &Item) -> Vec<Folder> {
    Folder::ALL.into_iter().filter(|folder| folder.holds(item)).collect()
}

#[test]
fn messages_are_in_the_inbox_and_in_the_search_folder_until_they_are_deleted() {
    let mut item = message_item(1);
    assert_eq!(found_in(&item), [Folder::Inbox, Folder::Voicemail]);
    item.seen = true;
    assert_eq!(found_in(&item), [Folder::Inbox, Folder::Voicemail]);
    if let ItemContent::Message(message) = &mut item.content {
        (message.state, message.deleted) = (MessageState::Deleted, Some(UnixTime::from_secs(1)));
    }
    assert_eq!(found_in(&item), [Folder::DeletedItems]);
}

#[test]
fn notices_of_missed_calls_are_in_the_inbox_alone() {
    assert_eq!(found_in(&missed_item(1)), [Folder::Inbox]);
}

#[test]
fn every_folder_lies_below_the_root() {
    for folder in Folder::ALL.into_iter().filter(|folder| *folder != Folder::Root) {
        assert!(folder.is_below(Folder::Root), "{folder:?}");
        assert_eq!(Folder::from_distinguished(folder.distinguished()), Some(folder));
        assert_eq!(Folder::from_code(folder.code()), Some(folder));
    }
    assert!(!Folder::Root.is_below(Folder::Root));
    assert!(!Folder::Voicemail.is_below(Folder::MessageRoot), "IMAP would show every message twice");
    assert_eq!(Folder::Root.children().collect::<Vec<_>>(), [Folder::MessageRoot, Folder::Voicemail]);
    assert_eq!(Folder::from_distinguished("Inbox"), None);
}

//! Synchronisation: whatever happens between two answers, the client has in the end what is in the folder.

use std::collections::BTreeMap;

use umbel_store::{GoneItem, ItemContent};
use umbel_time::UnixTime;

use super::super::testing::{
    alice, code, index, mailbox, message_item, messages, missed_item, parse, printed,
};
use super::*;

fn ask(index: &Index, state: &str, more: &str, most: u32) -> Element {
    let request = parse(&format!(
        "<SyncFolderItems><ItemShape><t:BaseShape>IdOnly</t:BaseShape></ItemShape>\
         <SyncFolderId><t:DistinguishedFolderId Id='inbox'/></SyncFolderId>{state}{more}\
         <MaxChangesReturned>{most}</MaxChangesReturned></SyncFolderItems>"
    ));
    let request = read(&request, &alice()).expect("a request");
    printed(|writer| sync_folder_items(writer, &request, index, &mailbox()))
}

/// A client: what it has, by id and mark, and where it stands.
#[derive(Default)]
struct Client {
    items: BTreeMap<String, bool>,
    state: String,
    answers: usize,
}

impl Client {
    /// Asks once; says whether there was nothing left.
    fn ask(&mut self, index: &Index, most: u32) -> bool {
        let state = if self.state.is_empty() {
            String::new()
        } else {
            format!("<SyncState>{}</SyncState>", self.state)
        };
        let answer = ask(index, &state, "", most);
        let message = messages(&answer)[0];
        assert_eq!(code(message), "NoError");
        self.answers += 1;
        let parts: Vec<_> = message.elements().iter().map(Element::name).collect();
        assert_eq!(parts, ["ResponseCode", "SyncState", "IncludesLastItemInRange", "Changes"]);
        self.state = message.elements()[1].text().to_owned();
        for change in message.elements()[3].elements() {
            self.take(change);
        }
        message.elements()[2].text() == "true"
    }

    fn take(&mut self, change: &Element) {
        let id_of = |element: &Element| {
            let id = element.child(Namespace::Types, "ItemId").expect("an id");
            id.attribute("Id").expect("an id").to_owned()
        };
        match change.name() {
            "Create" => {
                let before = self.items.insert(id_of(&change.elements()[0]), false);
                assert_eq!(before, None, "it was told twice that there is a new item");
            }
            "ReadFlagChange" => {
                let seen = change.elements()[1].text() == "true";
                let known = self.items.insert(id_of(change), seen);
                assert!(known.is_some(), "an item was marked of which nobody had told");
            }
            "Delete" => drop(self.items.remove(&id_of(change))),
            other => panic!("{other}"),
        }
    }

    fn ids(&self) -> Vec<String> {
        self.items.keys().cloned().collect()
    }
}

fn ids(items: &[u32]) -> Vec<String> {
    let mut ids: Vec<_> = items.iter().map(|n| ObjectId::Item(message_item(*n).id).text()).collect();
    ids.sort();
    ids
}

fn heard(number: u32, changed: u64) -> Item {
    Item { seen: true, changed, ..message_item(number) }
}

fn deleted(number: u32, at: u64) -> Item {
    let mut item = Item { placed: at, changed: at, ..message_item(number) };
    if let ItemContent::Message(message) = &mut item.content {
        message.deleted = Some(UnixTime::from_secs(1));
    }
    item
}

fn restored(number: u32, at: u64) -> Item {
    Item { placed: at, changed: at, ..message_item(number) }
}

#[test]
fn a_first_synchronisation_tells_what_is_there_page_by_page() {
    let here = index(
        vec![message_item(1), deleted(2, 9), missed_item(3), heard(4, 10), message_item(5)],
        vec![],
        10,
    );
    let mut client = Client::default();
    assert!(!client.ask(&here, 2));
    assert_eq!(client.ids(), ids(&[1, 3]));
    assert!(client.ask(&here, 2));
    assert_eq!(client.ids(), ids(&[1, 3, 4, 5]));
    assert!(client.ask(&here, 2), "and then nothing");
    assert_eq!(client.ids(), ids(&[1, 3, 4, 5]));
}

#[test]
fn what_happens_later_is_told_as_what_it_is() {
    let mut client = Client::default();
    client
        .ask(&index(vec![message_item(1), message_item(2), message_item(3), missed_item(4)], vec![], 4), 100);
    let gone = GoneItem { id: missed_item(4).id, entered: 4, changed: 7 };
    let later = index(vec![heard(1, 5), deleted(2, 6), message_item(3), message_item(8)], vec![gone], 8);
    assert!(client.ask(&later, 100));
    assert_eq!(client.ids(), ids(&[1, 3, 8]));
    assert!(client.items[&ids(&[1])[0]]);
}

#[test]
fn a_message_that_came_back_is_there_once() {
    let mut client = Client::default();
    client.ask(&index(vec![message_item(1), message_item(2)], vec![], 2), 100);
    // Deleted and brought back between two answers.
    assert!(client.ask(&index(vec![restored(1, 4), message_item(2)], vec![], 4), 100));
    assert_eq!(client.ids(), ids(&[1, 2]));
    // And in between, an answer.
    client.ask(&index(vec![restored(1, 4), deleted(2, 5)], vec![], 5), 100);
    assert_eq!(client.ids(), ids(&[1]));
    client.ask(&index(vec![restored(1, 4), restored(2, 6)], vec![], 6), 100);
    assert_eq!(client.ids(), ids(&[1, 2]));
}

#[test]
fn what_came_and_went_between_two_answers_is_never_told() {
    let mut client = Client::default();
    client.ask(&index(vec![message_item(1)], vec![], 1), 100);
    let gone = GoneItem { id: missed_item(2).id, entered: 2, changed: 3 };
    let later = index(vec![message_item(1), deleted(4, 5)], vec![gone], 5);
    let state = format!("<SyncState>{}</SyncState>", client.state);
    let answer = ask(&later, &state, "", 100);
    assert_eq!(messages(&answer)[0].elements()[3].elements().len(), 0);
}

#[test]
fn changes_in_the_midst_of_a_first_synchronisation_are_told_at_its_end() {
    let mut client = Client::default();
    let items = |first: Item, last: Item| vec![first, message_item(2), message_item(3), last];
    assert!(!client.ask(&index(items(message_item(1), message_item(4)), vec![], 4), 2));
    // One that was told and one that was not are marked; a new one comes.
    let mut later = items(heard(1, 5), heard(4, 6));
    later.push(message_item(7));
    let later = index(later, vec![], 7);
    assert!(!client.ask(&later, 2));
    while !client.ask(&later, 2) {}
    assert_eq!(client.ids(), ids(&[1, 2, 3, 4, 7]));
    let marks: Vec<_> = ids(&[1, 4]).iter().map(|id| client.items[id]).collect();
    assert_eq!(marks, [true, true]);
    assert!(client.answers <= 5);
}

#[test]
fn ignored_items_are_not_told() {
    let here = index(vec![message_item(1), message_item(2)], vec![], 2);
    let ignore = format!("<Ignore><t:ItemId Id='{}'/></Ignore>", ids(&[1])[0]);
    let answer = ask(&here, "", &ignore, 100);
    assert_eq!(messages(&answer)[0].elements()[3].elements().len(), 1);
}

#[test]
fn a_state_of_elsewhere_is_none() {
    let here = index(vec![message_item(1)], vec![], 5);
    let mut client = Client::default();
    client.ask(&here, 100);
    let code_of = |index: &Index, state: &str| {
        let answer = ask(index, &format!("<SyncState>{state}</SyncState>"), "", 100);
        code(messages(&answer)[0]).to_owned()
    };
    assert_eq!(code_of(&here, &client.state), "NoError");
    assert_eq!(code_of(&here, "AAAA"), "ErrorInvalidSyncStateData");
    assert_eq!(code_of(&here, "none of ours"), "ErrorInvalidSyncStateData");
    let put_back = index(vec![message_item(1)], vec![], 4);
    assert_eq!(code_of(&put_back, &client.state), "ErrorInvalidSyncStateData");
    let of_voicemail = State::Following { up_to: 5 }.text(Folder::Voicemail, &here);
    assert_eq!(code_of(&here, &of_voicemail), "ErrorInvalidSyncStateData");
    let mut forgetful = Index::default();
    forgetful.apply(umbel_store::ItemChanges {
        mailbox_since: super::super::testing::RECEIVED,
        items: vec![],
        gone: vec![],
        up_to: 9,
        latest: 9,
        forgotten: 6,
    });
    assert_eq!(code_of(&forgetful, &client.state), "ErrorInvalidSyncStateData");
    let before = State::Beginning { began: 6, entered: 1 }.text(Folder::Inbox, &forgetful);
    assert_eq!(code_of(&forgetful, &before), "NoError");
}

/// Whatever happens between the answers, and however small the pages are.
#[test]
fn in_the_end_the_client_has_what_the_folder_has() {
    for seed in 1..400_u32 {
        // A small generator of our own: the same in every run.
        let mut chance = seed;
        let mut below = |bound: u32| {
            chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (chance >> 8) % bound
        };
        let (mut items, mut gone, mut count): (BTreeMap<u32, Item>, Vec<GoneItem>, u64) = Default::default();
        let mut client = Client::default();
        for _ in 0..40 {
            let number = below(6) + 1;
            count += 1;
            match (below(5), items.get_mut(&number)) {
                (0 | 1, None) => {
                    let item = Item { entered: count, placed: count, changed: count, ..message_item(number) };
                    // An id that is gone never comes back.
                    if gone.iter().all(|gone| gone.id != item.id) {
                        items.insert(number, item);
                    }
                }
                (1, Some(item)) => (item.seen, item.changed) = (!item.seen, count),
                (2 | 3, Some(item)) => {
                    (item.placed, item.changed) = (count, count);
                    if let ItemContent::Message(message) = &mut item.content {
                        let is_kept = message.deleted.is_none();
                        message.deleted = is_kept.then_some(UnixTime::from_secs(1));
                    }
                }
                (4, Some(item)) if below(3) == 0 => {
                    gone.push(GoneItem { id: item.id, entered: item.entered, changed: count });
                    items.remove(&number);
                }
                _ => {}
            }
            if below(3) == 0 {
                client.ask(&index(items.values().cloned().collect(), gone.clone(), count), below(2) + 1);
            }
        }
        let here = index(items.values().cloned().collect(), gone, count);
        while !client.ask(&here, 2) {}
        let expected: BTreeMap<_, _> = here
            .in_folder(Folder::Inbox)
            .map(|item| ObjectId::Item(item.id).text())
            .map(|id| (id, ()))
            .collect();
        let found: BTreeMap<_, _> = client.items.keys().map(|id| (id.clone(), ())).collect();
        assert_eq!(found, expected, "seed {seed}");
    }
}

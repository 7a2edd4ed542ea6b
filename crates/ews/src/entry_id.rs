//! Entry ids: the base64 names by which the UM web service knows what EWS names by `Id`.
//!
//! [MS-OXWUMS] `entryId` is the MAPI entry id of an item, which clients get as `item:StoreEntryId` or by
//! `ConvertId`. Ours have the outer form of one (flags, provider, the provider's own part), and the same
//! object in them that the EWS id has, so that all three ways agree.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use umbel_store::{Address, MessageId};

use crate::item::folder::Folder;
use crate::item::id::{FolderId, ID_CHARS_MAX, Malformed, ObjectId};

/// Flags of an entry id that stays valid.
const FLAGS: [u8; 4] = [0; 4];
/// Who made the id: a number of our own, chosen by chance.
const PROVIDER: [u8; 16] =
    [0x8e, 0x1f, 0x53, 0xb0, 0x0d, 0x6a, 0x4c, 0x27, 0x9b, 0x41, 0x75, 0x6d, 0x62, 0x65, 0x6c, 0x3d];

/// The entry id of a message or notice, in base64.
pub fn of_item(id: MessageId) -> String {
    text(ObjectId::Item(id))
}

/// The entry id of a folder, in base64.
pub fn of_folder(folder: Folder, owner: &Address) -> String {
    text(ObjectId::Folder(FolderId::new(folder, owner)))
}

/// The item that a base64 entry id names; whether there is such an item, the store knows.
pub fn item(text: &str) -> Result<MessageId, Malformed> {
    match read(text)? {
        ObjectId::Item(id) => Ok(id),
        ObjectId::Attachment(_) | ObjectId::Folder(_) => Err(Malformed),
    }
}

/// The folder of `owner` that a base64 entry id names. Another's is as unknown as none (SEC-46).
pub fn folder(text: &str, owner: &Address) -> Result<Folder, Malformed> {
    match read(text)? {
        ObjectId::Folder(id) => id.folder_of(owner).ok_or(Malformed),
        ObjectId::Item(_) | ObjectId::Attachment(_) => Err(Malformed),
    }
}

/// The entry id of whatever it is, in base64.
pub fn text(id: ObjectId) -> String {
    STANDARD.encode(bytes(id))
}

/// Reads base64; line ends and spaces may be in it, as RFC 2045 6.8 allows.
pub fn read(text: &str) -> Result<ObjectId, Malformed> {
    if text.len() > ID_CHARS_MAX {
        return Err(Malformed);
    }
    let dense: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    from_bytes(&STANDARD.decode(dense).map_err(|_| Malformed)?)
}

/// The entry id in hexadecimal digits, as `HexEntryId` has it.
pub fn hex(id: ObjectId) -> String {
    use std::fmt::Write;
    bytes(id).iter().fold(String::new(), |mut text, byte| {
        // Writing into a String does not fail.
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// Reads hexadecimal digits of either case.
pub fn read_hex(text: &str) -> Result<ObjectId, Malformed> {
    if text.len() > 2 * ID_CHARS_MAX || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Malformed);
    }
    let pairs = text.as_bytes().chunks(2).map(|pair| {
        let digits = str::from_utf8(pair).ok().filter(|digits| digits.len() == 2);
        digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())
    });
    from_bytes(&pairs.collect::<Option<Vec<u8>>>().ok_or(Malformed)?)
}

/// The octets of an entry id: PidTagEntryId.
pub fn bytes(id: ObjectId) -> Vec<u8> {
    [&FLAGS[..], &PROVIDER[..], &id.to_bytes()[..]].concat()
}

fn from_bytes(bytes: &[u8]) -> Result<ObjectId, Malformed> {
    let rest = bytes.strip_prefix(&FLAGS).and_then(|rest| rest.strip_prefix(&PROVIDER)).ok_or(Malformed)?;
    ObjectId::from_bytes(rest.try_into().map_err(|_| Malformed)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn address(user: &str) -> Address {
        Address::new(user, "example.test").unwrap()
    }

    fn message() -> MessageId {
        MessageId::from_bytes([7; 16])
    }

    #[test]
    fn an_entry_id_leads_back_to_its_item() {
        assert_eq!(item(&of_item(message())), Ok(message()));
        let id = ObjectId::Item(message());
        assert_eq!(read_hex(&hex(id)), Ok(id));
        assert_eq!(read_hex(&hex(id).to_lowercase()), Ok(id));
        assert_eq!(STANDARD.decode(of_item(message())).unwrap().len() * 2, hex(id).len());
    }

    #[test]
    fn a_broken_line_does_not_matter() {
        let text = of_item(message());
        assert_eq!(item(&format!(" {}\r\n {}\n", &text[..20], &text[20..])), Ok(message()));
    }

    /// SEC-46
    #[test]
    fn only_items_are_items_and_only_ones_own_folders_are_folders() {
        let (alice, bob) = (address("alice"), address("bob"));
        let inbox = of_folder(Folder::Inbox, &alice);
        assert_eq!(folder(&inbox, &alice), Ok(Folder::Inbox));
        assert_eq!(folder(&inbox, &bob), Err(Malformed));
        assert_eq!(item(&inbox), Err(Malformed));
        assert_eq!(folder(&of_item(message()), &alice), Err(Malformed));
        assert_eq!(item(&text(ObjectId::Attachment(message()))), Err(Malformed));
    }

    #[test]
    fn other_texts_are_no_entry_ids() {
        let whole = bytes(ObjectId::Item(message()));
        let cut = STANDARD.encode(&whole[..whole.len() - 1]);
        let foreign = STANDARD.encode([&[0; 4][..], &[1; 16][..], &whole[20..]].concat());
        for other in ["", "=", "AAAAAG1hcGktZW50cnktaWQtMDAwMQ==", "Ω", &cut, &foreign] {
            assert_eq!(item(other), Err(Malformed), "{other:?}");
        }
        for other in ["", "0", "0g", "+1", "00", &hex(ObjectId::Item(message()))[1..]] {
            assert_eq!(read_hex(other), Err(Malformed), "{other:?}");
        }
        let item_id = ObjectId::Item(message());
        assert_eq!(read(&item_id.text()), Err(Malformed), "an EWS id is no entry id");
        assert_eq!(ObjectId::read(&text(item_id)), Err(Malformed), "nor the other way round");
    }
}

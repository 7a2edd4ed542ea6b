//! How items, attachments and folders are named outside: `t:ItemId`, `t:AttachmentId`, `t:FolderId`.
//!
//! An id holds nothing that could be guessed or counted: 128 random bits for an item (SEC-99), and for a
//! folder a mark of its mailbox. Whose it is, is never read from it: who is signed in owns what they may see
//! (SEC-97), and a name from another mailbox leads nowhere, like one that was never given (SEC-46).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use umbel_store::{Address, MessageId};

use super::folder::Folder;

/// Ids of another form than this are malformed; the form may change with the program's version.
const FORM: u8 = 1;
/// Longest text that is looked at: clients reserve 512 octets for an id.
pub const ID_CHARS_MAX: usize = 512;

/// What an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectId {
    /// A voice message or a notice of a missed call.
    Item(MessageId),
    /// The audio of a voice message.
    Attachment(MessageId),
    /// A folder of some mailbox.
    Folder(FolderId),
}

/// A folder of some mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FolderId {
    folder: Folder,
    /// Tells folders of different mailboxes apart, as they are different objects.
    mailbox: [u8; 15],
}

/// The text is none of our ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no id of this server's")]
pub struct Malformed;

impl FolderId {
    /// The id of a folder in this mailbox.
    pub fn new(folder: Folder, mailbox: &Address) -> Self {
        FolderId { folder, mailbox: mark(mailbox) }
    }

    /// Which folder it is to `owner`; none where it is another's.
    pub fn folder_of(&self, owner: &Address) -> Option<Folder> {
        (self.mailbox == mark(owner)).then_some(self.folder)
    }
}

fn mark(mailbox: &Address) -> [u8; 15] {
    let digest: [u8; 32] = Sha256::digest(format!("folders of {mailbox}")).into();
    let mut mark = [0; 15];
    mark.copy_from_slice(&digest[..15]);
    mark
}

impl ObjectId {
    /// Octets of [`ObjectId::to_bytes`].
    pub(crate) const BYTES: usize = 17;

    /// Its kind and what tells it from others of its kind.
    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let (kind, rest) = match self {
            ObjectId::Item(id) => (1, *id.as_bytes()),
            ObjectId::Folder(FolderId { folder, mailbox }) => {
                let mut rest = [0; 16];
                rest[0] = folder.code();
                rest[1..].copy_from_slice(&mailbox);
                (2, rest)
            }
            ObjectId::Attachment(id) => (3, *id.as_bytes()),
        };
        let mut bytes = [0; Self::BYTES];
        bytes[0] = kind;
        bytes[1..].copy_from_slice(&rest);
        bytes
    }

    /// The reverse of [`ObjectId::to_bytes`].
    pub(crate) fn from_bytes(bytes: [u8; Self::BYTES]) -> Result<Self, Malformed> {
        let [kind, rest @ ..] = bytes;
        match kind {
            1 => Ok(ObjectId::Item(MessageId::from_bytes(rest))),
            2 => {
                let [code, mailbox @ ..] = rest;
                let folder = Folder::from_code(code).ok_or(Malformed)?;
                Ok(ObjectId::Folder(FolderId { folder, mailbox }))
            }
            3 => Ok(ObjectId::Attachment(MessageId::from_bytes(rest))),
            _ => Err(Malformed),
        }
    }

    /// The text of it, for an attribute `Id`.
    pub fn text(self) -> String {
        let mut whole = vec![FORM];
        whole.extend_from_slice(&self.to_bytes());
        STANDARD.encode(whole)
    }

    /// Reads what [`ObjectId::text`] wrote. Ids are case-sensitive.
    pub fn read(text: &str) -> Result<Self, Malformed> {
        if text.len() > ID_CHARS_MAX {
            return Err(Malformed);
        }
        let whole = STANDARD.decode(text).map_err(|_| Malformed)?;
        let bytes = whole.strip_prefix(&[FORM]).ok_or(Malformed)?;
        Self::from_bytes(bytes.try_into().map_err(|_| Malformed)?)
    }
}

/// `ChangeKey`: which state of an object was seen. It counts changes of one mailbox and is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangeKey(pub u64);

impl ChangeKey {
    /// The text of it.
    pub fn text(self) -> String {
        STANDARD.encode(self.0.to_be_bytes())
    }

    /// Reads what [`ChangeKey::text`] wrote.
    pub fn read(text: &str) -> Result<Self, Malformed> {
        if text.len() > ID_CHARS_MAX {
            return Err(Malformed);
        }
        let bytes = STANDARD.decode(text).map_err(|_| Malformed)?;
        Ok(ChangeKey(u64::from_be_bytes(bytes.try_into().map_err(|_| Malformed)?)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn address(user: &str) -> Address {
        Address::new(user, "example.test").unwrap()
    }

    fn message() -> MessageId {
        MessageId::from_bytes([0xfb, 0xff, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255])
    }

    #[test]
    fn an_id_is_read_as_it_is_written() {
        for id in [
            ObjectId::Item(message()),
            ObjectId::Attachment(message()),
            ObjectId::Folder(FolderId::new(Folder::Voicemail, &address("alice"))),
        ] {
            assert_eq!(ObjectId::read(&id.text()), Ok(id));
            assert!(id.text().len() <= ID_CHARS_MAX);
        }
        assert_eq!(ChangeKey::read(&ChangeKey(u64::MAX).text()), Ok(ChangeKey(u64::MAX)));
    }

    #[test]
    fn ids_are_case_sensitive() {
        let text = ObjectId::Item(message()).text();
        assert_ne!(ObjectId::read(&text.to_lowercase()), ObjectId::read(&text));
    }

    #[test]
    fn other_texts_are_no_ids() {
        let long = "A".repeat(ID_CHARS_MAX + 4);
        let text = ObjectId::Item(message()).text();
        for other in ["", "A", "AAAA", "none of ours", "Ω", long.as_str(), &text[..text.len() - 4]] {
            assert_eq!(ObjectId::read(other), Err(Malformed), "{other:?}");
            assert_eq!(ChangeKey::read(other), Err(Malformed), "{other:?}");
        }
        let unknown_kind = STANDARD.encode([FORM, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(ObjectId::read(&unknown_kind), Err(Malformed));
        let unknown_folder = STANDARD.encode([FORM, 2, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(ObjectId::read(&unknown_folder), Err(Malformed));
    }

    /// SEC-46
    #[test]
    fn a_folder_id_of_another_mailbox_names_no_folder() {
        let id = FolderId::new(Folder::Inbox, &address("alice"));
        assert_eq!(id.folder_of(&address("alice")), Some(Folder::Inbox));
        assert_eq!(id.folder_of(&address("bob")), None);
    }
}

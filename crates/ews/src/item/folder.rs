//! The folders of a mailbox, and which message lies in which.
//!
//! A voice mailbox has no folders of its own; these are what mail programs expect to find.
//!
//! | folder | holds |
//! |---|---|
//! | `inbox` | voice messages, new and old, and notices of missed calls |
//! | `voicemail` | the voice messages of the inbox once more: a search folder |
//! | `deleteditems` | deleted voice messages, until they are swept (DEC-37) |
//! | `sentitems`, `drafts`, `outbox`, `junkemail`, `calendar`, `contacts` | nothing: mail programs ask for them |
//! | `msgfolderroot` | the folders above but `voicemail` |
//! | `root` | `msgfolderroot` and `voicemail` |

use umbel_store::{Item, ItemContent};

/// One of the folders that every mailbox has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Folder {
    /// The root of the mailbox.
    Root,
    /// The root of what mail programs show.
    MessageRoot,
    /// What came.
    Inbox,
    /// The search folder of all voice messages.
    Voicemail,
    /// What was deleted and can still be brought back.
    DeletedItems,
    /// Always empty.
    SentItems,
    /// Always empty.
    Drafts,
    /// Always empty.
    Outbox,
    /// Always empty.
    JunkEmail,
    /// Always empty.
    Calendar,
    /// Always empty.
    Contacts,
}

impl Folder {
    /// All of them, parents before children.
    pub const ALL: [Folder; 11] = [
        Folder::Root,
        Folder::MessageRoot,
        Folder::Inbox,
        Folder::Voicemail,
        Folder::DeletedItems,
        Folder::SentItems,
        Folder::Drafts,
        Folder::Outbox,
        Folder::JunkEmail,
        Folder::Calendar,
        Folder::Contacts,
    ];

    /// The folder of a `t:DistinguishedFolderId`; clients write these words in lower case.
    pub fn from_distinguished(word: &str) -> Option<Folder> {
        Self::ALL.into_iter().find(|folder| folder.distinguished() == word)
    }

    /// The word in a `t:DistinguishedFolderId`.
    pub const fn distinguished(self) -> &'static str {
        match self {
            Folder::Root => "root",
            Folder::MessageRoot => "msgfolderroot",
            Folder::Inbox => "inbox",
            Folder::Voicemail => "voicemail",
            Folder::DeletedItems => "deleteditems",
            Folder::SentItems => "sentitems",
            Folder::Drafts => "drafts",
            Folder::Outbox => "outbox",
            Folder::JunkEmail => "junkemail",
            Folder::Calendar => "calendar",
            Folder::Contacts => "contacts",
        }
    }

    /// The name that people see.
    pub const fn display_name(self) -> &'static str {
        match self {
            Folder::Root => "Root",
            Folder::MessageRoot => "Top of Information Store",
            Folder::Inbox => "Inbox",
            Folder::Voicemail => "Voice Mail",
            Folder::DeletedItems => "Deleted Items",
            Folder::SentItems => "Sent Items",
            Folder::Drafts => "Drafts",
            Folder::Outbox => "Outbox",
            Folder::JunkEmail => "Junk Email",
            Folder::Calendar => "Calendar",
            Folder::Contacts => "Contacts",
        }
    }

    /// PidTagContainerClass; the roots have none.
    pub const fn class(self) -> Option<&'static str> {
        match self {
            Folder::Root | Folder::MessageRoot => None,
            Folder::Voicemail => Some("IPF.Note.Microsoft.Voicemail"),
            Folder::Calendar => Some("IPF.Appointment"),
            Folder::Contacts => Some("IPF.Contact"),
            Folder::Inbox
            | Folder::DeletedItems
            | Folder::SentItems
            | Folder::Drafts
            | Folder::Outbox
            | Folder::JunkEmail => Some("IPF.Note"),
        }
    }

    /// The folder that this one lies in; the root lies in itself.
    pub const fn parent(self) -> Folder {
        match self {
            Folder::Root | Folder::MessageRoot | Folder::Voicemail => Folder::Root,
            Folder::Inbox
            | Folder::DeletedItems
            | Folder::SentItems
            | Folder::Drafts
            | Folder::Outbox
            | Folder::JunkEmail
            | Folder::Calendar
            | Folder::Contacts => Folder::MessageRoot,
        }
    }

    /// The folders directly in this one.
    pub fn children(self) -> impl Iterator<Item = Folder> {
        Self::ALL.into_iter().filter(move |folder| *folder != Folder::Root && folder.parent() == self)
    }

    /// Whether this one lies in `above`, at whatever depth.
    pub fn is_below(self, above: Folder) -> bool {
        self != Folder::Root && (self.parent() == above || self.parent().is_below(above))
    }

    /// Whether `item` is found in this folder.
    pub fn holds(self, item: &Item) -> bool {
        match self {
            Folder::Inbox | Folder::DeletedItems => Folder::home(item) == self,
            Folder::Voicemail => {
                Folder::home(item) == Folder::Inbox && matches!(item.content, ItemContent::Message(_))
            }
            _ => false,
        }
    }

    /// The one folder that `item` lies in; search folders do not count.
    pub fn home(item: &Item) -> Folder {
        match &item.content {
            ItemContent::Message(message) if message.deleted.is_some() => Folder::DeletedItems,
            ItemContent::Message(_) | ItemContent::MissedCall(_) => Folder::Inbox,
        }
    }

    /// The element that tells of it.
    pub(crate) const fn element(self) -> &'static str {
        match self {
            Folder::Voicemail => "t:SearchFolder",
            Folder::Calendar => "t:CalendarFolder",
            Folder::Contacts => "t:ContactsFolder",
            _ => "t:Folder",
        }
    }

    /// Its number in ids.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Folder::Root => 0,
            Folder::MessageRoot => 1,
            Folder::Inbox => 2,
            Folder::Voicemail => 3,
            Folder::DeletedItems => 4,
            Folder::SentItems => 5,
            Folder::Drafts => 6,
            Folder::Outbox => 7,
            Folder::JunkEmail => 8,
            Folder::Calendar => 9,
            Folder::Contacts => 10,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Folder> {
        Self::ALL.into_iter().find(|folder| folder.code() == code)
    }
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;

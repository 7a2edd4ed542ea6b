//! `ConvertId`: the same object by the names of other interfaces ([MS-OXWSCVTID]).

use umbel_store::Address;

use crate::ResponseCode;
use crate::entry_id;
use crate::xml::{Element, Namespace, Violation, Writer};

use super::batch::batch;
use super::id::ObjectId;
use super::mailbox::Mailbox;
use super::reference;

/// `t:IdFormatType`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Of Exchange 2007.
    EwsLegacyId,
    /// Of these services.
    EwsId,
    /// Base64 of the MAPI entry id.
    EntryId,
    /// The same in hexadecimal digits.
    HexEntryId,
    /// Of the store: here the entry id.
    StoreId,
    /// Of the web mail: here ours, fit to stand in a URL.
    OwaId,
}

/// `ConvertId`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvertId {
    /// Into which names.
    pub destination: Format,
    /// What is to be named.
    pub sources: Vec<Result<ObjectId, ResponseCode>>,
}

impl Format {
    fn from_word(word: &str) -> Option<Format> {
        Some(match word {
            "EwsLegacyId" => Format::EwsLegacyId,
            "EwsId" => Format::EwsId,
            "EntryId" => Format::EntryId,
            "HexEntryId" => Format::HexEntryId,
            "StoreId" => Format::StoreId,
            "OwaId" => Format::OwaId,
            _ => return None,
        })
    }

    fn word(self) -> &'static str {
        match self {
            Format::EwsLegacyId => "EwsLegacyId",
            Format::EwsId => "EwsId",
            Format::EntryId => "EntryId",
            Format::HexEntryId => "HexEntryId",
            Format::StoreId => "StoreId",
            Format::OwaId => "OwaId",
        }
    }

    fn read(self, text: &str) -> Result<ObjectId, ResponseCode> {
        let malformed = |_| ResponseCode::ErrorInvalidIdMalformed;
        match self {
            Format::EwsLegacyId | Format::EwsId => reference::object(text),
            Format::EntryId | Format::StoreId => entry_id::read(text).map_err(malformed),
            Format::HexEntryId => entry_id::read_hex(text).map_err(malformed),
            Format::OwaId => reference::object(&text.replace('-', "/").replace('_', "+")),
        }
    }

    fn print(self, id: ObjectId) -> String {
        match self {
            Format::EwsLegacyId | Format::EwsId => id.text(),
            Format::EntryId | Format::StoreId => entry_id::text(id),
            Format::HexEntryId => entry_id::hex(id),
            Format::OwaId => id.text().replace('/', "-").replace('+', "_"),
        }
    }
}

/// Reads `ConvertId`.
pub(crate) fn read(operation: &Element, owner: &Address) -> Result<ConvertId, Violation> {
    let format = |element: &Element, name| {
        let format = Format::from_word(element.required_attribute(name)?);
        format.ok_or_else(|| element.violation("The format of the id is not known."))
    };
    let destination = format(operation, "DestinationFormat")?;
    let mut children = operation.children();
    let sources = children.required(Namespace::Messages, "SourceIds")?;
    children.end()?;
    let read = |source: &Element| match (source.namespace(), source.name()) {
        (Namespace::Types, "AlternateId") => {
            let from = format(source, "Format")?;
            // SEC-97: the mailbox is that of who signed in, whatever is written here; see `is_own`.
            Ok(from.read(source.required_attribute("Id")?).and_then(|id| is_own(id, owner)))
        }
        (Namespace::Types, "AlternatePublicFolderId" | "AlternatePublicFolderItemId") => {
            Ok(Err(ResponseCode::ErrorInvalidOperation))
        }
        _ => Err(source.violation("An id is expected here.")),
    };
    let sources = reference::list(sources)?.iter().map(read).collect::<Result<_, _>>()?;
    Ok(ConvertId { destination, sources })
}

/// Another's folder cannot be named. Of items, only the store knows whose they are; a name tells nothing of them.
fn is_own(id: ObjectId, owner: &Address) -> Result<ObjectId, ResponseCode> {
    match id {
        ObjectId::Folder(folder) if folder.folder_of(owner).is_none() => {
            Err(ResponseCode::ErrorFolderNotFound)
        }
        ObjectId::Folder(_) | ObjectId::Item(_) | ObjectId::Attachment(_) => Ok(id),
    }
}

/// Answers `ConvertId`.
pub fn convert_id(writer: &mut Writer, request: ConvertId, mailbox: &Mailbox) {
    let ConvertId { destination, sources } = request;
    batch(writer, "m:ConvertIdResponse", "m:ConvertIdResponseMessage", sources, |message, id| {
        let attributes = [
            ("xsi:type", "t:AlternateIdType"),
            ("Format", destination.word()),
            ("Id", &destination.print(id)),
            ("Mailbox", mailbox.owner.as_str()),
        ];
        message.empty("m:AlternateId", &attributes);
    });
}

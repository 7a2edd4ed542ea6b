//! The fields of an item, in the order of the schema, and those that each base shape has.
//!
//! [MS-OXWSCDATA] gives the names (`t:FieldURI`), [MS-OXWSCORE] `t:ItemType` and [MS-OXWSMSG] `t:MessageType` the
//! order. What a voice message never has (categories, reminders, a conversation) is not listed: asked for, it is
//! left out of the answer.

macro_rules! fields {
    ($($(#[$note:meta])* $field:ident $uri:literal $shapes:tt)*) => {
        /// A field of an item; their order is that of the schema.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "each is the field of its `FieldURI`")]
        pub enum Field {
            $($(#[$note])* #[doc = $uri] $field,)*
        }

        impl Field {
            /// All of them.
            pub const ALL: &[Field] = &[$(Field::$field),*];

            /// Its `FieldURI`.
            pub const fn uri(self) -> &'static str {
                match self {
                    $(Field::$field => $uri,)*
                }
            }

            /// The base shapes that have it.
            const fn shapes(self) -> Shapes {
                match self {
                    $(Field::$field => Shapes::$shapes,)*
                }
            }
        }
    };
}

/// Which base shapes have a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shapes {
    /// All of them.
    Every,
    /// `Default` and `AllProperties`.
    Default,
    /// The same, in answers about single items.
    DefaultOfOne,
    /// `AllProperties`.
    All,
    /// The same, in answers about single items.
    AllOfOne,
    /// None: only where it is asked for by name.
    Never,
}

fields! {
    MimeContent "item:MimeContent" Never
    ItemId "item:ItemId" Every
    ParentFolderId "item:ParentFolderId" All
    ItemClass "item:ItemClass" All
    Subject "item:Subject" Default
    Sensitivity "item:Sensitivity" Default
    Body "item:Body" DefaultOfOne
    Attachments "item:Attachments" DefaultOfOne
    DateTimeReceived "item:DateTimeReceived" All
    Size "item:Size" Default
    Importance "item:Importance" All
    IsSubmitted "item:IsSubmitted" All
    IsDraft "item:IsDraft" All
    IsFromMe "item:IsFromMe" All
    IsResend "item:IsResend" All
    IsUnmodified "item:IsUnmodified" All
    InternetMessageHeaders "item:InternetMessageHeaders" AllOfOne
    DateTimeSent "item:DateTimeSent" Default
    DateTimeCreated "item:DateTimeCreated" Default
    ReminderIsSet "item:ReminderIsSet" All
    DisplayTo "item:DisplayTo" All
    HasAttachments "item:HasAttachments" Default
    EffectiveRights "item:EffectiveRights" All
    LastModifiedTime "item:LastModifiedTime" All
    IsAssociated "item:IsAssociated" All
    StoreEntryId "item:StoreEntryId" Never
    InstanceKey "item:InstanceKey" All
    Preview "item:Preview" All
    TextBody "item:TextBody" Never
    Sender "message:Sender" All
    ToRecipients "message:ToRecipients" DefaultOfOne
    IsReadReceiptRequested "message:IsReadReceiptRequested" Default
    IsDeliveryReceiptRequested "message:IsDeliveryReceiptRequested" All
    ConversationTopic "message:ConversationTopic" All
    From "message:From" Default
    InternetMessageId "message:InternetMessageId" All
    IsRead "message:IsRead" Default
    IsResponseRequested "message:IsResponseRequested" DefaultOfOne
}

/// `t:BaseShape`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseShape {
    /// The id.
    IdOnly,
    /// What a list shows.
    Default,
    /// Everything but what is large or seldom wanted.
    AllProperties,
}

impl BaseShape {
    /// The shape of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "IdOnly" => Some(BaseShape::IdOnly),
            "Default" => Some(BaseShape::Default),
            "AllProperties" => Some(BaseShape::AllProperties),
            // Of contacts; some clients send it of all items.
            "PcxPeopleSearch" => Some(BaseShape::Default),
            _ => None,
        }
    }
}

impl Field {
    /// The field of this `FieldURI`.
    pub fn from_uri(uri: &str) -> Option<Field> {
        Self::ALL.iter().copied().find(|field| field.uri() == uri)
    }

    /// Whether a base shape has it; lists have less than answers about single items.
    pub fn is_in(self, shape: BaseShape, in_list: bool) -> bool {
        match self.shapes() {
            Shapes::Every => true,
            Shapes::Default => shape != BaseShape::IdOnly,
            Shapes::DefaultOfOne => shape != BaseShape::IdOnly && !in_list,
            Shapes::All => shape == BaseShape::AllProperties,
            Shapes::AllOfOne => shape == BaseShape::AllProperties && !in_list,
            Shapes::Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_shapes_contain_each_other() {
        for field in Field::ALL {
            for in_list in [false, true] {
                assert!(!field.is_in(BaseShape::IdOnly, in_list) || field.is_in(BaseShape::Default, in_list));
                assert!(
                    !field.is_in(BaseShape::Default, in_list)
                        || field.is_in(BaseShape::AllProperties, in_list)
                );
            }
            assert!(
                !field.is_in(BaseShape::AllProperties, true) || field.is_in(BaseShape::AllProperties, false)
            );
            assert_eq!(Field::from_uri(field.uri()), Some(*field));
        }
        let ids: Vec<_> = Field::ALL.iter().filter(|field| field.is_in(BaseShape::IdOnly, false)).collect();
        assert_eq!(ids, [&Field::ItemId]);
    }

    #[test]
    fn fields_are_known_by_exactly_their_names() {
        assert_eq!(Field::from_uri("item:subject"), None);
        assert_eq!(Field::from_uri("Subject"), None);
    }
}

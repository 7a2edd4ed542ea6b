//! `ResponseCodeType`: those values of some 470 that are sent here, each with its one text.
//!
//! The texts are fixed, so that no answer tells more than its code does (SEC-100).

macro_rules! response_codes {
    ($($(#[$note:meta])* $code:ident $text:literal)*) => {
        /// Why something was not done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the texts below each say what the code means")]
        pub enum ResponseCode {
            $($(#[$note])* #[doc = $text] $code,)*
        }

        impl ResponseCode {
            /// Every code.
            pub const ALL: &[ResponseCode] = &[$(ResponseCode::$code),*];

            /// Its name in the schema.
            pub fn name(self) -> &'static str {
                match self {
                    $(ResponseCode::$code => stringify!($code),)*
                }
            }

            /// Its text for people.
            pub fn text(self) -> &'static str {
                match self {
                    $(ResponseCode::$code => $text,)*
                }
            }
        }
    };
}

response_codes! {
    ErrorAccessDenied "Access is denied."
    ErrorBatchProcessingStopped "The answer would be too large; ask for the rest again."
    ErrorCannotDeleteObject "The item was deleted already; it is kept for some days, and then removed."
    ErrorCannotUseFolderIdForItemId "The id of a folder was given where the id of an item is due."
    ErrorCannotUseItemIdForFolderId "The id of an item was given where the id of a folder is due."
    ErrorCorruptData "The sound of the message is missing."
    ErrorFolderNotFound "The folder was not found."
    ErrorImpersonateUserDenied "Nobody may act for another user here."
    ErrorInternalServerError "The server could not do this because of a fault of its own."
    ErrorInternalServerTransientError "The server cannot do this now. Try again later."
    ErrorInvalidArgument "An argument of the request is not valid."
    ErrorInvalidAttachmentId "The id of the attachment is not valid."
    ErrorInvalidChangeKey "The change key is not valid."
    ErrorInvalidId "The id is not valid."
    ErrorInvalidIdEmpty "The id is empty."
    ErrorInvalidIdMalformed "The id is malformed."
    ErrorInvalidOperation "The operation is not possible here."
    ErrorInvalidPhoneCallId "The phone call ID isn't valid."
    ErrorInvalidPhoneNumber "The dial string is no telephone number and no address that can be called."
    ErrorInvalidPropertySet "The property cannot be changed here."
    ErrorInvalidRequest "The request is invalid."
    ErrorInvalidRestriction "The restriction is not valid."
    ErrorInvalidServerVersion "The version of the request's schema is not known."
    ErrorInvalidSyncStateData "The synchronisation state is not valid."
    ErrorIPGatewayNotFound "No gateway is configured through which calls can be placed."
    ErrorIrresolvableConflict "The item was changed meanwhile."
    ErrorItemNotFound "The item was not found."
    ErrorMailboxStoreUnavailable "The mailbox cannot be reached now. Try again later."
    ErrorMissingArgument "An argument of the request is missing."
    ErrorMoveCopyFailed "The item cannot be moved there, and nothing can be copied."
    ErrorNameResolutionNoResults "Nobody of that name was found."
    ErrorNonExistentMailbox "There is no such mailbox, or it is another user's."
    ErrorPhoneNumberNotDialable "Dialing restrictions are preventing the phone number that was entered from being dialed."
    ErrorSchemaValidation "The request is not what the schema of the operation says."
    ErrorServerBusy "The server is busy. Try again later."
    ErrorUnifiedMessagingRequestFailed "This is not possible now: another call of this mailbox is under way, a limit was reached, or no mail is set up."
    ErrorUnifiedMessagingServerNotFound "No unified messaging server can place the call now. Try again later."
    ErrorUnsupportedPathForQuery "The field cannot be searched or sorted by."
    ErrorUnsupportedPropertyDefinition "The property is not supported here."
    ErrorUserNotUnifiedMessagingEnabled "The user is not enabled for unified messaging."
}

//! Answers over HTTP: 200 for what was done and for what was not, 500 for every fault (SOAP 1.1, section 6.2).

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use umbel_ews::ResponseCode;
use umbel_ews::fault::Fault;
use umbel_store::{Refusal, Reply, StoreError};

use super::request::{Admitted, Kind, admit};
use crate::Desk;

const XML: &str = "text/xml; charset=utf-8";
/// What clients are told to wait when the store is full.
const BACK_OFF_MILLISECONDS: u32 = 1_000;

/// A normal answer.
pub(super) fn normal(text: String) -> Response {
    printed(StatusCode::OK, text)
}

/// Answers a request of one of the services, whose operations `respond` knows. A client that gets a fault with 200
/// misreads it.
pub(super) async fn answer(
    desk: &Desk,
    request: Request<Body>,
    respond: impl AsyncFnOnce(&Admitted) -> Result<String, Fault>,
) -> Response {
    match admit(desk, request, Kind::Soap).await {
        Ok(request) => match respond(&request).await {
            Ok(text) => normal(text),
            Err(fault) => printed(StatusCode::INTERNAL_SERVER_ERROR, fault.to_xml()),
        },
        Err(refused) => refused,
    }
}

fn printed(status: StatusCode, text: String) -> Response {
    (status, [(CONTENT_TYPE, XML), (CACHE_CONTROL, "private")], text).into_response()
}

/// Why the store did not do what was asked of it, as a code; `None` where it is a fault of ours.
pub(super) fn code(error: StoreError) -> Option<ResponseCode> {
    match error {
        StoreError::Overloaded | StoreError::Busy => Some(ResponseCode::ErrorServerBusy),
        StoreError::DiskFull | StoreError::Disk | StoreError::Damaged => {
            Some(ResponseCode::ErrorMailboxStoreUnavailable)
        }
        StoreError::AudioMissing => Some(ResponseCode::ErrorItemNotFound),
        StoreError::Refused(Refusal::Invalid(umbel_store::Invalid::DialString)) => {
            Some(ResponseCode::ErrorInvalidPhoneNumber)
        }
        StoreError::Refused(Refusal::Invalid(umbel_store::Invalid::Folder)) => {
            Some(ResponseCode::ErrorInvalidIdMalformed)
        }
        StoreError::Refused(
            Refusal::MailNotSetUp | Refusal::NoMailAddress | Refusal::TooManyPinResets | Refusal::OutboxFull,
        ) => Some(ResponseCode::ErrorUnifiedMessagingRequestFailed),
        StoreError::Refused(Refusal::Disabled) => Some(ResponseCode::ErrorUserNotUnifiedMessagingEnabled),
        StoreError::Refused(Refusal::NoSuchMessage(_)) => Some(ResponseCode::ErrorItemNotFound),
        // Removed while the request was under way.
        StoreError::Refused(Refusal::NoSuchUser) => Some(ResponseCode::ErrorNonExistentMailbox),
        StoreError::Refused(_) => None,
    }
}

impl Desk {
    /// The fault for a reply that is not the one that was due. Where it is a fault of ours, the log has the
    /// rest under the number that the client is told (SEC-100).
    pub(super) fn fault_of(&self, reply: &Reply) -> Fault {
        match reply {
            Reply::Failed(error) => match code(*error) {
                Some(ResponseCode::ErrorServerBusy) => {
                    Fault::Busy { back_off_milliseconds: BACK_OFF_MILLISECONDS }
                }
                Some(code) => Fault::Code(code),
                None => self.own_fault(&format!("{error:?}")),
            },
            _ => self.own_fault("the store answered something else"),
        }
    }

    fn own_fault(&self, what: &str) -> Fault {
        let reference: String =
            self.random.octets::<6>().iter().map(|octet| format!("{octet:02x}")).collect();
        tracing::error!(reference, what, "web service failed");
        Fault::Internal { reference }
    }
}

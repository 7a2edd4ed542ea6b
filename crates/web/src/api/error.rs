//! What the API answers when it does not do what was asked.

use std::fmt::Display;

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use umbel_store::{Refusal, Reply, StoreError};

use crate::Random;

/// An answer that says what was wrong: a stable code for programs, a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

#[derive(Serialize)]
struct Document<'a> {
    error: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    code: &'a str,
    message: &'a str,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        ApiError { status, code, message: message.into() }
    }

    /// SEC-99: the same for what is another's and for what is not there at all.
    pub(crate) fn not_found() -> Self {
        ApiError::new(StatusCode::NOT_FOUND, "not-found", "there is no such thing here")
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        ApiError::new(StatusCode::BAD_REQUEST, "bad-request", message)
    }

    /// A fault of ours: whoever asked is told a number, by which the log is searched (SEC-100).
    pub(crate) fn internal(random: &Random, what: &dyn Display) -> Self {
        let reference = u32::from_be_bytes(random.octets());
        tracing::error!(reference = %format_args!("{reference:08x}"), %what, "a request could not be answered");
        let message = format!("a fault of the server; reference {reference:08x}");
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    /// What the store said, and what it should not have said.
    pub(crate) fn store(random: &Random, reply: &Reply) -> Self {
        let Reply::Failed(error) = reply else {
            return ApiError::internal(random, &"the store answered another question");
        };
        match error {
            StoreError::Refused(refusal) => ApiError::refused(refusal),
            StoreError::AudioMissing => {
                ApiError::new(StatusCode::GONE, "audio-missing", "the audio is missing")
            }
            StoreError::DiskFull => {
                ApiError::new(StatusCode::INSUFFICIENT_STORAGE, "disk-full", "the disk is full")
            }
            StoreError::Busy | StoreError::Overloaded => {
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "the store is busy; try again later")
            }
            StoreError::Disk | StoreError::Damaged => ApiError::internal(random, error),
        }
    }

    fn refused(refusal: &Refusal) -> Self {
        let (status, code) = match refusal {
            Refusal::NoSuchUser
            | Refusal::NoSuchMessage(_)
            | Refusal::NoSuchRecording(_)
            | Refusal::NoSuchGreeting(_) => return ApiError::not_found(),
            Refusal::UserExists => (StatusCode::CONFLICT, "user-exists"),
            Refusal::Disabled => (StatusCode::CONFLICT, "not-enabled"),
            Refusal::MailboxFull => (StatusCode::CONFLICT, "mailbox-full"),
            Refusal::RecordingTooLong => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            Refusal::MailNotSetUp => (StatusCode::CONFLICT, "mail-not-set-up"),
            Refusal::NoMailAddress => (StatusCode::CONFLICT, "no-mail-address"),
            Refusal::TooManyPinResets => (StatusCode::TOO_MANY_REQUESTS, "too-many-pin-resets"),
            Refusal::OutboxFull => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Refusal::WeakPin(_) => (StatusCode::UNPROCESSABLE_ENTITY, "weak-pin"),
            Refusal::Invalid(_) | Refusal::Entry { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
        };
        ApiError::new(status, code, refusal.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Document { error: Body { code: self.code, message: &self.message } };
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, axum::http::HeaderValue::from_static("1"));
        }
        response
    }
}

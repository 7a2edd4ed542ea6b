//! `/api/v1`: the mailbox by JSON, for the page and for programs (contract, section 4).
//!
//! Every answer but sound is JSON, refusals as well, with a stable code. The mailbox is that of who signed in;
//! what is another's is not there (SEC-97, SEC-99).

mod audio;
mod body;
mod calls;
mod error;
mod greetings;
mod item;
mod messages;
mod missed_calls;
mod openapi;
mod play_on_phone;
mod secrets;
mod time;
mod users;

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::routing::{get, post, put};

use crate::Desk;

pub(crate) use error::ApiError;
pub use play_on_phone::PhoneCallDocument;

pub(crate) fn routes() -> Router<Desk> {
    let routes = Router::new()
        .route("/openapi.json", get(openapi::document))
        .route("/me", get(users::me).patch(users::change_me))
        .route("/me/pin", put(secrets::change_pin))
        .route("/me/pin/reset", post(secrets::reset_own_pin))
        .route("/me/password", put(secrets::change_password))
        .route("/messages", get(messages::list))
        .route("/messages/{id}", get(messages::show).patch(messages::change).delete(messages::delete))
        .route("/messages/{id}/restore", post(messages::restore))
        .route("/messages/{id}/audio", get(messages::sound))
        .route("/missed-calls", get(missed_calls::list))
        .route(
            "/missed-calls/{id}",
            get(missed_calls::show).patch(missed_calls::change).delete(missed_calls::remove),
        )
        .route("/greetings", get(greetings::list))
        .route("/greetings/active", put(greetings::choose))
        .route("/greetings/{kind}", get(greetings::sound).put(greetings::put).delete(greetings::remove))
        .route("/play-on-phone", post(play_on_phone::play))
        .route("/play-on-phone/{id}", get(play_on_phone::show).delete(play_on_phone::end))
        .route("/calls", get(calls::list))
        .route("/calls/{call_id}/why", get(calls::why))
        .route("/users", get(users::list).post(users::add))
        .route("/users/{address}", get(users::show).patch(users::change_other).delete(users::remove))
        .route("/users/{address}/pin/reset", post(secrets::reset_pin_of_other))
        .route("/users/{address}/unlock", post(secrets::unlock))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found);
    Router::new().nest("/api/v1", routes)
}

async fn not_found() -> ApiError {
    ApiError::not_found()
}

async fn method_not_allowed() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "this cannot be done here")
}

/// Whether the handler reads the body, which may be longer than any other.
pub(crate) fn is_upload(method: &Method, path: &str) -> bool {
    *method == Method::PUT && path.starts_with("/api/v1/greetings/") && path != "/api/v1/greetings/active"
}

#[cfg(test)]
mod tests;

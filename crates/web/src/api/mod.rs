//! `/api/v1`: the mailbox by JSON.

mod error;

use axum::Router;

use crate::Desk;

pub(crate) use error::ApiError;

pub(crate) fn routes() -> Router<Desk> {
    Router::new()
}

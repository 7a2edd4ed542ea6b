//! The SOAP services and their descriptions.

use axum::Router;

use crate::Desk;

pub(crate) fn routes() -> Router<Desk> {
    Router::new()
}

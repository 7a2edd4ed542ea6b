//! The mailbox as a page in the browser: its files.

mod assets;

use axum::Router;

use crate::Desk;

pub(crate) fn routes() -> Router<Desk> {
    assets::routes()
}

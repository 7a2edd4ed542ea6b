//! The mailbox as a page in the browser: its files, its sessions, and the news that it follows.

mod assets;
mod call_events;
mod cookie;
mod cross_site;
mod event_stream;
#[cfg(test)]
mod events_tests;
mod mailbox_events;
mod session;
mod session_table;
#[cfg(test)]
mod session_tests;
mod streams;

use axum::Router;

use crate::Desk;

pub(crate) use mailbox_events::MailboxNews;
pub(crate) use session::Sessions;
pub(crate) use session_table::SessionKey;
pub(crate) use streams::Streams;

pub(crate) fn routes() -> Router<Desk> {
    assets::routes().merge(session::routes()).merge(call_events::routes()).merge(mailbox_events::routes())
}

//! Handing mails to a mail server: SMTP (RFC 5321) by lettre, over streams that we begin and bound ourselves.

mod begin;
mod session;
#[cfg(test)]
mod session_tests;
mod stream;
mod trust;

pub(crate) use session::Session;

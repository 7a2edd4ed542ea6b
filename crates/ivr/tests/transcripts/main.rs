//! Conversations that can be read aloud: what is told to a script, and what it wishes.
#![allow(clippy::unwrap_used, clippy::panic)]

mod call_answering;
mod calling_back;
mod greetings;
mod keys;
mod listening;
mod log_in;
mod marking;
mod pin_change;
mod play_on_phone;
mod properties;
mod transcript;

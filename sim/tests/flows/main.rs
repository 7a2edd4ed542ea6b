//! Whole calls in virtual time, with the ladder of each beside the test.

mod call_answering;
mod calling_back;
mod faults;
mod limits;
mod message_waiting;
mod missed_calls;
mod play_on_phone;
mod protocol_server;
mod session;
mod subscriber_access;
mod trouble;

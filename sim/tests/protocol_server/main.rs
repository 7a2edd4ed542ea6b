//! The protocol server under random rules, telephones, answers and troubles, beside a small model of what the
//! texts demand; and lamps by way of both servers.

mod exploring;
mod known_users;
mod lamps;
mod message_waiting;
mod model;
mod strangers;

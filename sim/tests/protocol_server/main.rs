//! The protocol server under random rules, telephones, answers and troubles, beside a small model of what the
//! texts demand; and the lamps of its telephones.

mod exploring;
mod message_waiting;
mod model;

//! The protocol server under random rules, telephones, answers and troubles, beside a small model of what the
//! texts demand.

mod exploring;
mod model;

//! The unified messaging service of [MS-OXWUMS]: eleven operations, and faults for everything that fails.

mod answer;
mod request;

pub use answer::{Properties, call_info, call_placed, done, is_enabled, properties};
pub use request::{Operation, read};

#[cfg(test)]
mod tests;

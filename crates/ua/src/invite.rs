//! The two sides of an initial INVITE: RFC 3261 13, RFC 3262.

pub(crate) mod uac;
pub(crate) mod uas;

/// A small list of actions, on the stack.
macro_rules! actions {
    ($($action:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut actions = arrayvec::ArrayVec::new();
        $(actions.push($action);)*
        actions
    }};
}
pub(crate) use actions;

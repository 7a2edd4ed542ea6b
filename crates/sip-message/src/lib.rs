//! SIP grammar.

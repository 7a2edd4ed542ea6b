//! `docs/menus.md`, written from the tables.

/// The text of `docs/menus.md`.
pub fn document() -> String {
    String::new()
}

//! `docs/menus.md` says what the tables say.

#[path = "../examples/menus.rs"]
#[allow(dead_code, unreachable_pub)]
mod menus;

#[test]
fn the_document_of_the_menus_is_not_stale() {
    let written = include_str!("../../../docs/menus.md");
    let document = menus::document();
    let stale = document.lines().zip(written.lines()).find(|(now, then)| now != then);
    assert_eq!(stale, None, "run `cargo run -q -p umbel-ivr --example menus > docs/menus.md`");
    assert_eq!(document, written);
}

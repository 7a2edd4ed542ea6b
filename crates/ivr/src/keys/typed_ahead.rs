//! Keys pressed before anybody asked for them.

use std::fmt;

use zeroize::Zeroize;

use super::Key;

/// How many keys are kept for later. More are dropped: a caller who types further ahead than this is not
/// following any menu.
pub const TYPED_AHEAD_MAX: usize = 32;

/// A queue of keys. A PIN may be among them, so they do not print and are wiped when dropped.
#[derive(Clone, Default)]
pub(crate) struct TypedAhead {
    faces: [u8; TYPED_AHEAD_MAX],
    length: usize,
}

impl TypedAhead {
    /// Adds a key, if there is room.
    pub(crate) fn push(&mut self, key: Key) {
        if let Some(slot) = self.faces.get_mut(self.length) {
            *slot = key as u8;
            self.length += 1;
        }
    }

    /// Takes the key that was pressed first.
    pub(crate) fn pop(&mut self) -> Option<Key> {
        let face = self.faces.get(..self.length)?.first().copied()?;
        self.faces.rotate_left(1);
        self.length -= 1;
        Key::from_char(char::from(face))
    }

    /// Forgets them all.
    pub(crate) fn clear(&mut self) {
        self.faces.zeroize();
        self.length = 0;
    }
}

impl Drop for TypedAhead {
    fn drop(&mut self) {
        self.clear();
    }
}

impl fmt::Debug for TypedAhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_out_in_the_order_in_which_they_were_pressed() {
        let mut typed = TypedAhead::default();
        typed.push(Key::Seven);
        typed.push(Key::Pound);
        assert_eq!(typed.pop(), Some(Key::Seven));
        typed.push(Key::Star);
        assert_eq!(typed.pop(), Some(Key::Pound));
        assert_eq!(typed.pop(), Some(Key::Star));
        assert_eq!(typed.pop(), None);
    }

    #[test]
    fn a_full_queue_drops_what_comes_later() {
        let mut typed = TypedAhead::default();
        for _ in 0..TYPED_AHEAD_MAX {
            typed.push(Key::One);
        }
        typed.push(Key::Two);
        let kept: Vec<_> = std::iter::from_fn(|| typed.pop()).collect();
        assert_eq!(kept, [Key::One; TYPED_AHEAD_MAX]);
    }

    // SEC-88
    #[test]
    fn typed_keys_do_not_print() {
        let mut typed = TypedAhead::default();
        typed.push(Key::Seven);
        assert_eq!(format!("{typed:?}"), "****");
    }
}

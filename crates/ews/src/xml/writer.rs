//! Prints elements. What is opened is closed, and what is text cannot become markup.

/// Prints elements under names with the prefixes of [`Namespace::declaration`](super::Namespace::declaration), which an
/// outer element has to declare.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    text: String,
}

impl Writer {
    /// Begins a document.
    pub fn new() -> Self {
        let mut text = String::with_capacity(1024);
        text.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
        Writer { text }
    }

    /// An element with attributes and whatever is printed within.
    pub fn element(
        &mut self,
        name: &'static str,
        attributes: &[(&'static str, &str)],
        within: impl FnOnce(&mut Writer),
    ) {
        self.start(name, attributes);
        self.text.push('>');
        within(self);
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }

    /// An element that holds text.
    pub fn text(&mut self, name: &'static str, text: &str) {
        self.element(name, &[], |within| within.characters(text));
    }

    /// An element that holds `true` or `false`.
    pub fn boolean(&mut self, name: &'static str, value: bool) {
        self.text(name, if value { "true" } else { "false" });
    }

    /// An element that holds a number.
    pub fn number(&mut self, name: &'static str, value: i64) {
        self.text(name, &value.to_string());
    }

    /// An element without content.
    pub fn empty(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) {
        self.start(name, attributes);
        self.text.push_str("/>");
    }

    /// Text within the element that is being printed.
    pub fn characters(&mut self, text: &str) {
        self.escape(text, false);
    }

    /// Octets printed so far.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// What was printed.
    pub fn finish(self) -> String {
        self.text
    }

    fn start(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) {
        self.text.push('<');
        self.text.push_str(name);
        for (name, value) in attributes {
            self.text.push(' ');
            self.text.push_str(name);
            self.text.push_str("=\"");
            self.escape(value, true);
            self.text.push('"');
        }
    }

    /// XML 1.0 2.2 has no form at all for most control characters: a name from a SIP header that holds one is
    /// printed with U+FFFD in its place, so that the answer stays XML.
    fn escape(&mut self, text: &str, in_attribute: bool) {
        for character in text.chars() {
            match character {
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '&' => self.text.push_str("&amp;"),
                '"' if in_attribute => self.text.push_str("&quot;"),
                // A literal one would be read as a line feed, or in an attribute as a space.
                '\r' => self.text.push_str("&#13;"),
                '\n' if in_attribute => self.text.push_str("&#10;"),
                '\t' if in_attribute => self.text.push_str("&#9;"),
                other if super::reader::is_character(other) => self.text.push(other),
                _ => self.text.push('\u{FFFD}'),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> String {
        let mut writer = Writer::default();
        writer.element("x", &[("y", text)], |within| within.characters(text));
        writer.finish()
    }

    #[test]
    fn text_never_becomes_markup() {
        assert_eq!(printed("<a>\"&'"), "<x y=\"&lt;a&gt;&quot;&amp;'\">&lt;a&gt;\"&amp;'</x>");
        assert_eq!(printed("]]>"), "<x y=\"]]&gt;\">]]&gt;</x>");
    }

    #[test]
    fn line_ends_survive_and_what_xml_cannot_say_is_replaced() {
        assert_eq!(printed("a\r\n\tb"), "<x y=\"a&#13;&#10;&#9;b\">a&#13;\n\tb</x>");
        assert_eq!(
            printed("a\0\u{1b}\u{ffff}b"),
            "<x y=\"a\u{fffd}\u{fffd}\u{fffd}b\">a\u{fffd}\u{fffd}\u{fffd}b</x>"
        );
    }
}

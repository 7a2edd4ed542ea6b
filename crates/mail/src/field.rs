//! Header fields: whatever their values hold, each stays one field (SEC-113).

use std::fmt::Write;

use email_encoding::headers::{quoted_string, rfc2047, writer::EmailWriter};

use crate::text::{is_plain, one_line};

/// The header of a mail or of a part, growing by fields.
#[derive(Default)]
pub(crate) struct Fields(String);

impl Fields {
    /// A field of free text, as the subject is. Without text there is no field.
    pub(crate) fn text(&mut self, name: &'static str, value: &str) {
        let value = one_line(value);
        if value.is_empty() {
            return;
        }
        self.write(name, |writer| {
            if is_plain(&value) {
                writer.folding().write_str(&value)
            } else {
                rfc2047::encode(&value, writer)
            }
        });
    }

    /// A field of one address with a name for people. The address must be one that was configured.
    pub(crate) fn address(&mut self, name: &'static str, person: &str, address: &str) {
        let person = one_line(person);
        let address = legal_address(address);
        self.write(name, |writer| {
            if person.is_empty() {
                return writer.write_str(&address);
            }
            if is_plain(&person) {
                quoted_string::encode(&person, writer)?;
            } else {
                rfc2047::encode(&person, writer)?;
            }
            writer.space();
            write!(writer.folding(), "<{address}>")
        });
    }

    /// A field whose value we made ourselves, of ASCII.
    pub(crate) fn own(&mut self, name: &'static str, value: &str) {
        debug_assert!(value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()), "{name}: {value}");
        self.write(name, |writer| writer.folding().write_str(value));
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }

    fn write(&mut self, name: &str, value: impl FnOnce(&mut EmailWriter<'_>) -> std::fmt::Result) {
        self.0.push_str(name);
        self.0.push(':');
        let mut writer = EmailWriter::new(&mut self.0, name.len() + 1, 1, false);
        value(&mut writer).expect("a String takes all that is written to it");
        drop(writer);
        self.0.push_str("\r\n");
    }
}

/// An address that was configured, without anything that could end it early.
fn legal_address(address: &str) -> String {
    address
        .chars()
        .filter(|c| !c.is_control() && !c.is_whitespace() && !matches!(c, '<' | '>' | ','))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(write: impl FnOnce(&mut Fields), expected: &str) {
        let mut fields = Fields::default();
        write(&mut fields);
        assert_eq!(fields.into_text(), expected);
    }

    #[test]
    fn plain_text_stands_as_it_is_and_is_folded() {
        check(
            |fields| fields.text("Subject", "Voice message from Bob"),
            "Subject: Voice message from Bob\r\n",
        );
        check(
            |fields| fields.text("Subject", &"word ".repeat(20)),
            "Subject: word word word word word word word word word word word word word\r\n \
             word word word word word word word\r\n",
        );
        check(|fields| fields.text("Subject", " \r\n "), "");
    }

    /// SEC-113: text that looks like an encoded word is encoded itself, so that it is read as it was meant.
    #[test]
    fn an_encoded_word_of_a_callers_is_not_decoded() {
        // base 64 of the very text `=?utf-8?q?a=0D=0ABcc:_eve?=`.
        check(
            |fields| fields.text("Subject", "=?utf-8?q?a=0D=0ABcc:_eve?="),
            "Subject: =?utf-8?b?PT91dGYtOD9xP2E9MEQ9MEFCY2M6X2V2ZT89?=\r\n",
        );
    }

    /// SEC-113
    #[test]
    fn a_name_with_commas_and_quotes_is_one_person() {
        // base 64 of the very names.
        check(
            |fields| fields.address("To", "Smith, Bob", "bob@example.test"),
            "To: =?utf-8?b?U21pdGgsIEJvYg==?= <bob@example.test>\r\n",
        );
        check(
            |fields| fields.address("To", "Smith, \"Bob\" <eve@x>", "bob@example.test"),
            "To: =?utf-8?b?U21pdGgsICJCb2IiIDxldmVAeD4=?= <bob@example.test>\r\n",
        );
        check(|fields| fields.address("To", "", "bob@example.test"), "To: bob@example.test\r\n");
        check(
            |fields| fields.address("To", "Zoë", "zoe@example.test, eve@x\r\nBcc: a"),
            "To: =?utf-8?b?Wm/Dqw==?= <zoe@example.testeve@xBcc:a>\r\n",
        );
    }
}

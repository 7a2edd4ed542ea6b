//! SOAP faults: how the unified messaging service says no, and how both services refuse what was never begun.
//!
//! [MS-OXWUMS] names three exceptions and the shape of `ErrorInvalidRequest`; all other failures take that
//! shape with their own code. Every fault goes out with HTTP status 500 (SOAP 1.1, section 6.2).
//!
//! Some clients take `ErrorInvalidRequest` and `ErrorInvalidServerVersion` for "try another version" and send
//! the request up to eight times, so these two are for requests that had no effect (DEC-25).

use crate::envelope;
use crate::response_code::ResponseCode;
use crate::xml::{Namespace, Place, Writer};

/// `ExceptionType` of [MS-OXWUMS].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exception {
    /// Unknown call, or another user's.
    InvalidCallId,
    /// Unknown item, or another user's: the same answer for both (SEC-46).
    InvalidObjectId,
    /// The dial string is invalid or not allowed (SEC-44, SEC-45).
    DialingRules,
}

impl Exception {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Exception::InvalidCallId => "InvalidCallIdException",
            Exception::InvalidObjectId => "InvalidObjectIdException",
            Exception::DialingRules => "DialingRulesException",
        }
    }

    /// [MS-OXWUMS]'s text for it.
    pub fn text(self) -> &'static str {
        match self {
            Exception::InvalidCallId => "The call identifier isn't valid.",
            Exception::InvalidObjectId => "The object identifier isn't valid.",
            Exception::DialingRules => {
                "Dialing restrictions are preventing the phone number that was entered from being dialed."
            }
        }
    }
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// One of the three of the unified messaging service.
    Exception(Exception),
    /// Anything else that has a code.
    Code(ResponseCode),
    /// The request is XML but not what the schema says: `ErrorSchemaValidation`, with the place.
    Schema {
        /// Where.
        place: Place,
        /// What is wrong there, in words of ours.
        violation: &'static str,
    },
    /// `ErrorServerBusy`, and how long to wait.
    Busy {
        /// Milliseconds until it is worth while to ask again.
        back_off_milliseconds: u32,
    },
    /// `ErrorInternalServerError`. The log tells more under this number (SEC-100).
    Internal {
        /// What the log has too.
        reference: String,
    },
    /// SOAP 1.1, section 4.4: an envelope of another version.
    VersionMismatch,
    /// SOAP 1.1, section 4.2.3: a header that must be understood, and is not.
    MustUnderstand,
}

impl Fault {
    /// The whole answer.
    pub fn to_xml(&self) -> String {
        envelope::fault(|writer| self.print(writer))
    }

    fn print(&self, writer: &mut Writer) {
        match self {
            Fault::Exception(exception) => {
                let detail = Some(|detail: &mut Writer| {
                    let declared = [("xmlns:m", Namespace::Messages.name())];
                    detail
                        .element("m:ExceptionType", &declared, |within| within.characters(exception.name()));
                });
                print(writer, Namespace::Errors, exception.name(), exception.text(), detail);
            }
            Fault::Code(code) => coded(writer, *code, code.text(), |_| {}),
            Fault::Schema { place, violation } => {
                coded(
                    writer,
                    ResponseCode::ErrorSchemaValidation,
                    ResponseCode::ErrorSchemaValidation.text(),
                    |detail| {
                        detail.element("t:MessageXml", &[("xmlns:t", Namespace::Types.name())], |within| {
                            within.text("t:LineNumber", &place.line.to_string());
                            within.text("t:LinePosition", &place.column.to_string());
                            within.text("t:Violation", violation);
                        });
                    },
                );
            }
            Fault::Busy { back_off_milliseconds } => {
                coded(
                    writer,
                    ResponseCode::ErrorServerBusy,
                    ResponseCode::ErrorServerBusy.text(),
                    |detail| {
                        detail.element("t:MessageXml", &[("xmlns:t", Namespace::Types.name())], |within| {
                            within.element("t:Value", &[("Name", "BackOffMilliseconds")], |value| {
                                value.characters(&back_off_milliseconds.to_string());
                            });
                        });
                    },
                );
            }
            Fault::Internal { reference } => {
                let text =
                    format!("{} Reference: {reference}", ResponseCode::ErrorInternalServerError.text());
                coded(writer, ResponseCode::ErrorInternalServerError, &text, |_| {});
            }
            Fault::VersionMismatch => {
                without_detail(writer, "VersionMismatch", "The envelope is not one of SOAP 1.1.");
            }
            Fault::MustUnderstand => {
                without_detail(writer, "MustUnderstand", "A required header is not known here.");
            }
        }
    }
}

/// The shape of `ErrorInvalidRequest`: code and text in the detail too.
fn coded(writer: &mut Writer, code: ResponseCode, text: &str, more: impl FnOnce(&mut Writer)) {
    let detail = |detail: &mut Writer| {
        let declared = [("xmlns:e", Namespace::Errors.name())];
        detail.element("e:ResponseCode", &declared, |within| within.characters(code.name()));
        detail.element("e:Message", &declared, |within| within.characters(text));
        more(detail);
    };
    print(writer, Namespace::Types, code.name(), text, Some(detail));
}

/// SOAP 1.1, section 4.4: without a detail, the fault has nothing to do with the body.
fn without_detail(writer: &mut Writer, code: &str, text: &str) {
    print(writer, Namespace::Soap, code, text, None::<fn(&mut Writer)>);
}

/// SOAP 1.1, section 4.4: `faultcode`, `faultstring` and `detail` are in no namespace; the code is a qualified name.
fn print(
    writer: &mut Writer,
    of: Namespace,
    code: &str,
    text: &str,
    detail: Option<impl FnOnce(&mut Writer)>,
) {
    writer.element("s:Fault", &[], |fault| {
        let (prefix, declared): (&str, &[(&'static str, &str)]) = match of {
            // The envelope has declared it.
            Namespace::Soap => ("s", &[]),
            _ => ("a", &[("xmlns:a", of.name())]),
        };
        fault.element("faultcode", declared, |within| within.characters(&format!("{prefix}:{code}")));
        fault.element("faultstring", &[("xml:lang", "en-US")], |within| within.characters(text));
        if let Some(detail) = detail {
            fault.element("detail", &[], detail);
        }
    });
}

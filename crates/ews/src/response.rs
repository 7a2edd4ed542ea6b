//! `ResponseMessageType`: how the Exchange web services answer, well or not, with HTTP status 200.
//!
//! Clients enforce more than the schema says. In a success `ResponseCode` comes first and what the operation
//! adds follows it directly; in an error `MessageText`, `ResponseCode` and `DescriptiveLinkKey` are all there,
//! in this order, and nothing of the operation's own follows.

use crate::response_code::ResponseCode;
use crate::xml::Writer;

/// A success under this name, with what the operation adds.
pub fn success(writer: &mut Writer, name: &'static str, own: impl FnOnce(&mut Writer)) {
    writer.element(name, &[("ResponseClass", "Success")], |message| {
        message.text("m:ResponseCode", "NoError");
        own(message);
    });
}

/// An error under this name.
pub fn error(writer: &mut Writer, name: &'static str, code: ResponseCode) {
    writer.element(name, &[("ResponseClass", "Error")], |message| {
        message.text("m:MessageText", code.text());
        message.text("m:ResponseCode", code.name());
        message.text("m:DescriptiveLinkKey", "0");
    });
}

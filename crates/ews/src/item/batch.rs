//! Answers to requests that ask for several things: one message for each, in the order of the request.

use crate::ResponseCode;
use crate::response;
use crate::xml::Writer;

/// Prints `name` with a message for each answer; `own` prints what a good one adds.
pub(crate) fn batch<T>(
    writer: &mut Writer,
    name: &'static str,
    message: &'static str,
    answers: impl IntoIterator<Item = Result<T, ResponseCode>>,
    mut own: impl FnMut(&mut Writer, T),
) {
    writer.element(name, &[], |whole| {
        whole.element("m:ResponseMessages", &[], |messages| {
            for answer in answers {
                match answer {
                    Ok(answer) => response::success(messages, message, |within| own(within, answer)),
                    Err(code) => response::error(messages, message, code),
                }
            }
        });
    });
}

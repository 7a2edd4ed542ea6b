//! Answers to requests that ask for several things: one message for each, in the order of the request.

use crate::ResponseCode;
use crate::response;
use crate::xml::Writer;

/// Octets of an answer after which nothing more is added to it (SEC-95): what is left is to be asked for again.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

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
                    Ok(_) if messages.bytes() > ANSWER_BYTES_MAX => {
                        response::error(messages, message, ResponseCode::ErrorBatchProcessingStopped);
                    }
                    Ok(answer) => response::success(messages, message, |within| own(within, answer)),
                    Err(code) => response::error(messages, message, code),
                }
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SEC-95: what would make an answer too large is to be asked for again.
    #[test]
    fn an_answer_is_bounded() {
        let megabyte = "x".repeat(1024 * 1024);
        let mut writer = Writer::new();
        let answers = (0..40).map(|_| Ok(()));
        batch(&mut writer, "m:Answers", "m:Answer", answers, |within, ()| within.text("m:Text", &megabyte));
        let text = writer.finish();
        let (good, stopped) =
            (text.matches("NoError").count(), text.matches("ErrorBatchProcessingStopped").count());
        assert_eq!(good + stopped, 40);
        assert_eq!(good, ANSWER_BYTES_MAX / megabyte.len());
    }
}

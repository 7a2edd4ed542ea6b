//! `ResolveNames`: who is meant. Only who asks is known here: a mailbox tells nothing of its neighbours.

use crate::xml::{Element, Namespace, Violation, Writer};
use crate::{ResponseCode, envelope, response};

/// Somebody with a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name for people.
    pub name: String,
    /// The address.
    pub address: String,
}

const ANSWER: &str = "m:ResolveNamesResponse";
const MESSAGE: &str = "m:ResolveNamesResponseMessage";

pub(super) fn read(operation: &Element) -> Result<String, Violation> {
    let mut children = operation.children();
    let _ = children.optional(Namespace::Messages, "ParentFolderIds");
    let entry = children.required(Namespace::Messages, "UnresolvedEntry")?;
    children.end()?;
    Ok(entry.simple()?.trim().to_owned())
}

/// It is this person.
pub fn resolution(person: &Person) -> String {
    envelope::exchange(|body| {
        in_messages(body, |messages| {
            response::success(messages, MESSAGE, |message| {
                let all = [("TotalItemsInView", "1"), ("IncludesLastItemInRange", "true")];
                message.element("m:ResolutionSet", &all, |set| {
                    set.element("t:Resolution", &[], |resolution| {
                        resolution.element("t:Mailbox", &[], |mailbox| {
                            mailbox.text("t:Name", &person.name);
                            mailbox.text("t:EmailAddress", &person.address);
                            mailbox.text("t:RoutingType", "SMTP");
                            mailbox.text("t:MailboxType", "Mailbox");
                        });
                    });
                });
            });
        });
    })
}

/// It is nobody who may be told of.
pub fn nobody() -> String {
    envelope::exchange(|body| refuse(body, ResponseCode::ErrorNameResolutionNoResults))
}

pub(super) fn refuse(body: &mut Writer, code: ResponseCode) {
    in_messages(body, |messages| response::error(messages, MESSAGE, code));
}

fn in_messages(body: &mut Writer, within: impl FnOnce(&mut Writer)) {
    body.element(ANSWER, &[], |answer| answer.element("m:ResponseMessages", &[], within));
}

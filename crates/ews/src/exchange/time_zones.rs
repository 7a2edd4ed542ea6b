//! `GetServerTimeZones`: some clients ask when they start. All times here are in UTC, so that is the one there is.

use super::Operation;
use crate::xml::{Element, Namespace, Violation, Writer};
use crate::{ResponseCode, envelope, response};

const ID: &str = "UTC";
const NAME: &str = "(UTC) Coordinated Universal Time";
const PERIOD: &str = "UTC-Standard";

/// Ids of one request; more than there are time zones anywhere.
const IDS_MAX: usize = 1_000;

pub(super) fn read(operation: &Element) -> Result<Operation, Violation> {
    let full = match operation.attribute("ReturnFullTimeZoneData").map(str::trim) {
        None | Some("true" | "1") => true,
        Some("false" | "0") => false,
        Some(_) => return Err(operation.violation("The value is not a boolean.")),
    };
    let mut children = operation.children();
    let ids = children.optional(Namespace::Messages, "Ids");
    children.end()?;
    let ids = ids.map(|ids| {
        if ids.elements().len() > IDS_MAX {
            return Err(ids.violation("There are too many elements here."));
        }
        let id = |id: &Element| match id.is(Namespace::Types, "Id") {
            true => Ok(id.simple()?.trim().to_owned()),
            false => Err(id.violation("The element is not expected here.")),
        };
        ids.elements().iter().map(id).collect()
    });
    Ok(Operation::GetServerTimeZones { ids: ids.transpose()?, full })
}

/// Those of the zones that were asked for which there are.
pub fn time_zones(ids: Option<&[String]>, full: bool) -> String {
    let wanted = ids.is_none_or(|ids| ids.iter().any(|id| id == ID));
    envelope::exchange(|body| {
        in_messages(body, |messages| {
            response::success(messages, "m:GetServerTimeZonesResponseMessage", |message| {
                message.element("m:TimeZoneDefinitions", &[], |zones| {
                    if wanted {
                        zones.element("t:TimeZoneDefinition", &[("Id", ID), ("Name", NAME)], |zone| {
                            if full {
                                rules(zone);
                            }
                        });
                    }
                });
            });
        });
    })
}

/// One period for ever.
fn rules(zone: &mut Writer) {
    zone.element("t:Periods", &[], |periods| {
        periods.empty("t:Period", &[("Bias", "PT0S"), ("Name", "Standard"), ("Id", PERIOD)]);
    });
    zone.element("t:TransitionsGroups", &[], |groups| {
        groups.element("t:TransitionsGroup", &[("Id", "0")], |group| transition(group, "Period", PERIOD));
    });
    zone.element("t:Transitions", &[], |transitions| transition(transitions, "Group", "0"));
}

fn transition(within: &mut Writer, kind: &'static str, to: &str) {
    within.element("t:Transition", &[], |transition| {
        transition.element("t:To", &[("Kind", kind)], |target| target.characters(to));
    });
}

pub(super) fn refuse(body: &mut Writer, code: ResponseCode) {
    in_messages(body, |messages| response::error(messages, "m:GetServerTimeZonesResponseMessage", code));
}

fn in_messages(body: &mut Writer, within: impl FnOnce(&mut Writer)) {
    body.element("m:GetServerTimeZonesResponse", &[], |answer| {
        answer.element("m:ResponseMessages", &[], within);
    });
}

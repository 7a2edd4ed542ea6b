//! `GetServiceConfiguration` ([MS-OXWCONFIG]): whether and where messages can be played on a telephone.

use super::Operation;
use crate::xml::{Element, Namespace, Violation};
use crate::{ResponseCode, envelope, response};

/// A part of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigurationName {
    /// The part of this server.
    UnifiedMessaging,
    /// Parts that the schema knows and this server has nothing of.
    NotHere,
}

/// What `UnifiedMessagingConfiguration` tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelephoneSettings {
    /// Whether the caller has a mailbox for voice mail.
    pub um_enabled: bool,
    /// The number that is offered first; empty where none is set.
    pub play_on_phone_dial_string: String,
    /// Whether messages can be played on a telephone.
    pub play_on_phone_enabled: bool,
}

/// Parts of one request. The schema has no bound; each name may be asked once in earnest.
const REQUESTED_MAX: usize = 16;

pub(super) fn read(operation: &Element) -> Result<Operation, Violation> {
    let mut children = operation.children();
    let acting_as = children.optional(Namespace::Messages, "ActingAs").map(address).transpose()?;
    let list = children.required(Namespace::Messages, "RequestedConfiguration")?;
    children.end()?;
    if list.elements().is_empty() || list.elements().len() > REQUESTED_MAX {
        return Err(list.violation("One to sixteen elements are expected here."));
    }
    let requested: Result<Vec<_>, Violation> = list.elements().iter().map(name).collect();
    Ok(Operation::GetServiceConfiguration { acting_as, requested: requested? })
}

fn address(acting_as: &Element) -> Result<String, Violation> {
    let address = acting_as.child(Namespace::Types, "EmailAddress");
    let address = address.ok_or(acting_as.violation("A required element is missing."))?;
    Ok(address.simple()?.trim().to_owned())
}

fn name(element: &Element) -> Result<ConfigurationName, Violation> {
    if !element.is(Namespace::Messages, "ConfigurationName") {
        return Err(element.violation("The element is not expected here."));
    }
    match element.simple()?.trim() {
        "UnifiedMessagingConfiguration" => Ok(ConfigurationName::UnifiedMessaging),
        "MailTips" | "ProtectionRules" | "PolicyNudges" => Ok(ConfigurationName::NotHere),
        _ => Err(element.violation("There is no configuration of this name.")),
    }
}

/// One answer for each part that was asked for, in the order of asking.
pub fn configurations(requested: &[ConfigurationName], settings: &TelephoneSettings) -> String {
    const ONE: &str = "m:ServiceConfigurationResponseMessageType";
    envelope::exchange(|body| {
        response::success(body, "m:GetServiceConfigurationResponse", |answer| {
            answer.element("m:ResponseMessages", &[], |messages| {
                for name in requested {
                    match name {
                        ConfigurationName::UnifiedMessaging => response::success(messages, ONE, |message| {
                            message.element("m:UnifiedMessagingConfiguration", &[], |telephone| {
                                telephone.boolean("t:UmEnabled", settings.um_enabled);
                                telephone
                                    .text("t:PlayOnPhoneDialString", &settings.play_on_phone_dial_string);
                                telephone.boolean("t:PlayOnPhoneEnabled", settings.play_on_phone_enabled);
                            });
                        }),
                        ConfigurationName::NotHere => {
                            response::error(messages, ONE, ResponseCode::ErrorInvalidOperation);
                        }
                    }
                }
            });
        });
    })
}

/// Nobody may ask for another user.
pub fn refuse_configurations() -> String {
    envelope::exchange(|body| {
        response::error(body, "m:GetServiceConfigurationResponse", ResponseCode::ErrorAccessDenied);
    })
}

//! Autodiscover by SOAP: `GetUserSettings` ([MS-OXWSADISC]).

use super::Directions;
use crate::ResponseCode;
use crate::envelope::{self, Envelope};
use crate::fault::Fault;
use crate::xml::{Element, Namespace, Writer};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSettings {
    /// About whom.
    pub mailboxes: Vec<String>,
    /// Names of settings.
    pub settings: Vec<String>,
}

/// Users, and settings, of one request.
const ASKED_MAX: usize = 100;
/// Longest name of a setting that is looked at; those that are not known are named in the answer.
const NAME_BYTES_MAX: usize = 64;

/// Reads `GetUserSettings`; there is no other operation here.
pub fn read(envelope: &Envelope) -> Result<UserSettings, Fault> {
    const A: Namespace = Namespace::Autodiscover;
    const INVALID: Fault = Fault::Code(ResponseCode::ErrorInvalidRequest);
    envelope.understand(&[A, Namespace::Addressing])?;
    let operation = envelope.operation();
    if !operation.is(A, "GetUserSettingsRequestMessage") {
        return Err(INVALID);
    }
    let request = operation.child(A, "Request").ok_or(INVALID)?;
    let users = request.child(A, "Users").ok_or(INVALID)?;
    let settings = request.child(A, "RequestedSettings").ok_or(INVALID)?;
    if users.elements().len() > ASKED_MAX || settings.elements().len() > ASKED_MAX {
        return Err(INVALID);
    }
    let mailbox = |user: &Element| user.child(A, "Mailbox").map(|mailbox| mailbox.text().trim().to_owned());
    let mailboxes: Option<Vec<String>> = users.elements().iter().map(mailbox).collect();
    let settings = settings.elements().iter().map(|setting| setting.text().trim().to_owned());
    let settings: Vec<String> = settings.filter(|name| name.len() <= NAME_BYTES_MAX).collect();
    Ok(UserSettings { mailboxes: mailboxes.ok_or(INVALID)?, settings })
}

/// Answers for each mailbox: settings for the one of who asks, `InvalidUser` for all others (SEC-97, SEC-99).
pub fn answer(asked: &UserSettings, directions: &Directions) -> String {
    const DECLARED: [Namespace; 4] =
        [Namespace::Soap, Namespace::Autodiscover, Namespace::Addressing, Namespace::SchemaInstance];
    envelope::print(&DECLARED, header, |body| {
        body.element("a:GetUserSettingsResponseMessage", &[], |message| {
            message.element("a:Response", &[], |response| {
                response.text("a:ErrorCode", "NoError");
                response.empty("a:ErrorMessage", &[]);
                response.element("a:UserResponses", &[], |users| {
                    for mailbox in &asked.mailboxes {
                        users.element("a:UserResponse", &[], |user| {
                            match mailbox.eq_ignore_ascii_case(&directions.address) {
                                true => settings(user, &asked.settings, directions),
                                false => nobody(user),
                            }
                        });
                    }
                });
            });
        });
    })
}

fn header(writer: &mut Writer) {
    const ACTION: &str =
        "http://schemas.microsoft.com/exchange/2010/Autodiscover/Autodiscover/GetUserSettingsResponse";
    writer.element("s:Header", &[], |header| {
        header.element("wsa:Action", &[("s:mustUnderstand", "1")], |action| action.characters(ACTION));
        // Children here, attributes in the other services.
        header.element("a:ServerVersionInfo", &[], |version| {
            const NAMES: [&str; 5] =
                ["a:MajorVersion", "a:MinorVersion", "a:MajorBuildNumber", "a:MinorBuildNumber", "a:Version"];
            for (name, (_, value)) in NAMES.into_iter().zip(envelope::SERVER_VERSION) {
                version.text(name, value);
            }
        });
    });
}

fn settings(user: &mut Writer, names: &[String], directions: &Directions) {
    let values: Vec<(&String, Option<String>)> =
        names.iter().map(|name| (name, setting(name, directions))).collect();
    user.text("a:ErrorCode", "NoError");
    user.text("a:ErrorMessage", "No error.");
    user.empty("a:RedirectTarget", &[("xsi:nil", "true")]);
    user.element("a:UserSettingErrors", &[], |errors| {
        for (name, _) in values.iter().filter(|(_, value)| value.is_none()) {
            errors.element("a:UserSettingError", &[], |error| {
                error.text("a:ErrorCode", "SettingIsNotAvailable");
                error.text("a:ErrorMessage", "The setting is not available.");
                error.text("a:SettingName", name);
            });
        }
    });
    user.element("a:UserSettings", &[], |settings| {
        for (name, value) in &values {
            if let Some(value) = value {
                settings.element("a:UserSetting", &[("xsi:type", "a:StringSetting")], |setting| {
                    setting.text("a:Name", name);
                    setting.text("a:Value", value);
                });
            }
        }
    });
}

fn nobody(user: &mut Writer) {
    user.text("a:ErrorCode", "InvalidUser");
    user.text("a:ErrorMessage", "The email address can't be found.");
    user.empty("a:RedirectTarget", &[("xsi:nil", "true")]);
    user.empty("a:UserSettingErrors", &[]);
    user.empty("a:UserSettings", &[]);
}

fn setting(name: &str, directions: &Directions) -> Option<String> {
    Some(match name {
        "InternalEwsUrl" | "ExternalEwsUrl" => directions.exchange(),
        "InternalUMUrl" | "ExternalUMUrl" => directions.unified_messaging(),
        "UserDisplayName" => directions.display_name.clone(),
        "AutoDiscoverSMTPAddress" => directions.address.clone(),
        "EwsSupportedSchemas" => "Exchange2007, Exchange2007_SP1, Exchange2010, Exchange2010_SP1, \
                                  Exchange2010_SP2, Exchange2013, Exchange2013_SP1, Exchange2016"
            .to_owned(),
        _ => return None,
    })
}

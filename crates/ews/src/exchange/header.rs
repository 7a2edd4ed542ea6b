//! The headers of requests to the Exchange web services.

use crate::ResponseCode;
use crate::envelope::Envelope;
use crate::fault::Fault;
use crate::xml::Namespace;

/// Versions of the schema that requests may follow. What this server knows has not changed between them.
const VERSIONS: [&str; 10] = [
    "Exchange2007",
    "Exchange2007_SP1",
    "Exchange2010",
    "Exchange2010_SP1",
    "Exchange2010_SP2",
    "Exchange2013",
    "Exchange2013_SP1",
    "Exchange2015",
    "Exchange2015_SP1",
    "Exchange2016",
];

/// By which a request says that it is another's than who signed in.
const AS_ANOTHER: [&str; 3] =
    ["ExchangeImpersonation", "OpenAsAdminOrSystemService", "SerializedSecurityContext"];

/// Whether the request may go on, by its headers. Nothing has been done when it may not.
///
/// `MailboxCulture`, `TimeZoneContext` and `DateTimePrecision` change nothing: texts for people are the
/// program's, times are in UTC.
pub fn admit(envelope: &Envelope) -> Result<(), Fault> {
    envelope.understand(&[Namespace::Types])?;
    if let Some(asked) = envelope.header(Namespace::Types, "RequestServerVersion") {
        let known = asked.attribute("Version").is_some_and(|version| VERSIONS.contains(&version));
        if !known {
            return Err(Fault::Code(ResponseCode::ErrorInvalidServerVersion));
        }
    }
    // SEC-97: the mailbox is that of who signed in, whatever the request says.
    let names_another = |name: &&str| envelope.header(Namespace::Types, name).is_some();
    if AS_ANOTHER.iter().any(names_another) {
        return Err(Fault::Code(ResponseCode::ErrorImpersonateUserDenied));
    }
    Ok(())
}

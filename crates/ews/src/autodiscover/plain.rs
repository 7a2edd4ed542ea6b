//! Autodiscover by plain XML, "POX" ([MS-OXDSCLI]).

use super::Directions;
use crate::xml::{self, Namespace, Writer};

/// Why there are no settings for this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswerable {
    /// Not XML, or not a request: error 600.
    InvalidRequest,
    /// A form of answer that is not known here: error 601.
    Provider,
    /// Another's address, or nobody's: error 500. Nobody is told which (SEC-97, SEC-99).
    Address,
}

/// Reads the address that a request names.
pub fn read(octets: &[u8]) -> Result<String, Unanswerable> {
    const REQUEST: Namespace = Namespace::AutodiscoverRequest;
    let document = xml::read(octets).map_err(|_| Unanswerable::InvalidRequest)?;
    let root = document.root();
    let request = root.is(REQUEST, "Autodiscover").then(|| root.child(REQUEST, "Request")).flatten();
    let request = request.ok_or(Unanswerable::InvalidRequest)?;
    let schema = request.child(REQUEST, "AcceptableResponseSchema").ok_or(Unanswerable::InvalidRequest)?;
    if schema.text().trim() != Namespace::AutodiscoverOutlook.name() {
        return Err(Unanswerable::Provider);
    }
    let address = request.child(REQUEST, "EMailAddress").map(|address| address.text().trim().to_owned());
    // The distinguished name that `answer` told last time.
    let name = request.child(REQUEST, "LegacyDN").map(|name| name.text().trim());
    let named = name.and_then(|name| name.strip_prefix(LEGACY_PREFIX)).map(str::to_owned);
    address.filter(|address| !address.is_empty()).or(named).ok_or(Unanswerable::Address)
}

/// Before the address, in names that are to look like those of a directory.
const LEGACY_PREFIX: &str = "/o=Umbel/cn=";

/// The settings. Older clients take `ASUrl` for what newer ones call `EwsUrl`, and read `EXCH` or `EXPR`
/// according to where they believe to be: all four are given.
pub fn answer(directions: &Directions) -> String {
    within_response(|response| {
        response.element("User", &[], |user| {
            user.text("DisplayName", &directions.display_name);
            user.text("LegacyDN", &format!("{LEGACY_PREFIX}{}", directions.address));
            user.text("AutoDiscoverSMTPAddress", &directions.address);
        });
        response.element("Account", &[], |account| {
            account.text("AccountType", "email");
            account.text("Action", "settings");
            for kind in ["EXCH", "EXPR"] {
                account.element("Protocol", &[], |protocol| {
                    protocol.text("Type", kind);
                    protocol.text("Server", directions.server());
                    protocol.text("ASUrl", &directions.exchange());
                    protocol.text("EwsUrl", &directions.exchange());
                    if kind == "EXCH" {
                        protocol.text("OOFUrl", &directions.exchange());
                    }
                    protocol.text("UMUrl", &directions.unified_messaging());
                });
            }
        });
    })
}

/// Why there are none.
pub fn refusal(why: Unanswerable) -> String {
    let (code, text) = match why {
        Unanswerable::InvalidRequest => ("600", "Invalid Request"),
        Unanswerable::Provider => ("601", "Provider is not available"),
        Unanswerable::Address => ("500", "The email address can't be found."),
    };
    within_response(|response| {
        // Time and Id, which the schema has too, would tell nobody anything.
        response.element("Error", &[], |error| {
            error.text("ErrorCode", code);
            error.text("Message", text);
            error.empty("DebugData", &[]);
        });
    })
}

fn within_response(within: impl FnOnce(&mut Writer)) -> String {
    let mut writer = Writer::new();
    writer.element("Autodiscover", &[("xmlns", Namespace::AutodiscoverResponse.name())], |outer| {
        outer.element("Response", &[("xmlns", Namespace::AutodiscoverOutlook.name())], within);
    });
    writer.finish()
}

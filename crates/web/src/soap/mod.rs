//! The SOAP services, Autodiscover and their descriptions: what [`umbel_ews`] reads and prints, over HTTP.
//!
//! Dispatch is by path, then by what the body holds; `SOAPAction` is not looked at. Who asks signs in with
//! every request by address and password; cookies are not looked at either (SEC-98).

mod answer;
mod autodiscover;
mod base_url;
mod description;
mod exchange;
mod items;
mod request;
mod unified_messaging;

use axum::Router;
use axum::routing::{get, post};

use crate::Desk;

pub(crate) use items::Shelf;

/// Paths come in lower case.
pub(crate) fn routes() -> Router<Desk> {
    let telephone = || post(unified_messaging::answer).get(unified_messaging::look);
    Router::new()
        .route("/ews/exchange.asmx", post(exchange::answer).get(exchange::look))
        .route("/ews/um2007legacy.asmx", telephone())
        .route("/unifiedmessaging/service.asmx", telephone())
        .route("/ews/services.wsdl", get(description::services))
        .route("/ews/um2007legacy.wsdl", get(description::unified_messaging))
        .route("/ews/messages.xsd", get(description::messages))
        .route("/ews/types.xsd", get(description::types))
        .route("/autodiscover/autodiscover.xml", post(autodiscover::plain).get(autodiscover::look))
        .route("/autodiscover/autodiscover.svc", post(autodiscover::soap).get(autodiscover::look))
}

#[cfg(test)]
mod tests;

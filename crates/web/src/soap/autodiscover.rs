//! Autodiscover, in both forms, for who signed in.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use umbel_ews::autodiscover::{self, Directions, Unanswerable};
use umbel_ews::envelope::Envelope;

use super::answer as http;
use super::request::{Admitted, Kind, admit, admit_look};
use crate::Desk;

/// GET: programs look whether anybody is there.
pub(super) async fn look(State(desk): State<Desk>, request: Request<Body>) -> Response {
    match admit_look(&desk, request).await {
        Ok(_) => StatusCode::OK.into_response(),
        Err(refused) => refused,
    }
}

/// Plain XML.
pub(super) async fn plain(State(desk): State<Desk>, request: Request<Body>) -> Response {
    let request = match admit(&desk, request, Kind::Xml).await {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    let directions = directions(&request);
    let own = |address: String| match address.eq_ignore_ascii_case(&directions.address) {
        true => Ok(()),
        false => Err(Unanswerable::Address),
    };
    http::normal(match autodiscover::read_plain(&request.body).and_then(own) {
        Ok(()) => autodiscover::plain_answer(&directions),
        Err(why) => autodiscover::plain_refusal(why),
    })
}

/// SOAP.
pub(super) async fn soap(State(desk): State<Desk>, request: Request<Body>) -> Response {
    http::answer(&desk, request, async |request: &Admitted| {
        let asked = autodiscover::read_soap(&Envelope::read(&request.body)?)?;
        Ok(autodiscover::soap_answer(&asked, &directions(request)))
    })
    .await
}

fn directions(request: &Admitted) -> Directions {
    let settings = &request.user.settings;
    let address = settings.address.to_string();
    let display_name = if settings.name.is_empty() { address.clone() } else { settings.name.clone() };
    Directions { display_name, address, base_url: request.base_url.clone() }
}

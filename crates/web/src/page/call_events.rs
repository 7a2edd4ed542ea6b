//! `/api/v1/play-on-phone/{id}/events`: how a call stands, told as it changes.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use umbel_play_on_phone::{CallState, PhoneCallId, Status};

use super::event_stream::{self, EventSink, HEARTBEAT, Left};
use crate::api::{ApiError, PhoneCallDocument};
use crate::{Desk, SignedIn};

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/api/v1/play-on-phone/{id}/events", get(follow))
}

/// Follows one's own call; another's is as unknown as one that never was (SEC-99).
async fn follow(
    State(desk): State<Desk>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id: PhoneCallId = id.parse().map_err(|_| ApiError::not_found())?;
    let standing = desk.phone_calls.follow(signed_in.address(), id).ok_or_else(ApiError::not_found)?;
    let place = desk.streams.enter(&signed_in)?;
    let (sink, response) = event_stream::open();
    tokio::spawn(async move {
        let _place = place;
        // Whoever left needs no farewell.
        let _ = tell(&desk, &sink, id, standing, &signed_in).await;
    });
    Ok(response)
}

async fn tell(
    desk: &Desk,
    sink: &EventSink,
    id: PhoneCallId,
    mut standing: watch::Receiver<Status>,
    signed_in: &SignedIn,
) -> Result<(), Left> {
    let mut heartbeat = interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    heartbeat.reset();
    let mut closing = desk.streams.closing();
    loop {
        let status = standing.borrow_and_update().clone();
        sink.tell(None, &PhoneCallDocument::new(id, status.clone())).await?;
        if status.state == CallState::Disconnected {
            return Ok(());
        }
        loop {
            tokio::select! {
                changed = standing.changed() => match changed {
                    // SEC-102
                    Ok(()) if desk.sign_in_lasts(signed_in).await => break,
                    _ => return Ok(()),
                },
                _ = heartbeat.tick() => {
                    if !desk.sign_in_lasts(signed_in).await {
                        return Ok(());
                    }
                    sink.beat().await?;
                }
                _ = closing.changed() => return Ok(()),
                () = sink.left() => return Err(Left),
            }
        }
    }
}

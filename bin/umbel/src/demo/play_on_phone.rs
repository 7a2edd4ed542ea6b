//! Steps 4 and 5: Play on Phone, asked for at the web service ([MS-OCEXUM] 3.2).

use std::time::Duration;

use serde_json::{Value, json};
use umbel_phone::Order;
use umbel_sip_message::{HeaderName, Method};
use umbel_store::{Lookup, MessageState, UserChange, UserEntry, VoiceMessage};

use super::compare::{self, Check};
use super::stage::{PATIENCE, Stage, in_vain, speech};
use super::tour::{hears_again_and_again, key};
use super::web::Client;
use crate::admin::all_messages;
use crate::exit::{Exit, Failure};
use crate::refused;
use crate::runtime::now;
use crate::store::author;
use crate::tap::Seen;

/// How often it is asked how a call stands.
const ASKED_EVERY: Duration = Duration::from_millis(50);

/// How long the message may take to be heard, from its beginning on: voice mail hangs up where nobody presses a key.
const ONE_HEARING: Duration = Duration::from_secs(6);
/// Where the web service is asked.
const PATH: &str = "/api/v1/play-on-phone";

/// Step 4: all her calls go to bob, and this one does not.
pub(super) async fn unanswered(stage: &mut Stage<'_>, mark: usize) -> Result<Vec<Check>, Failure> {
    let alices = stage.alice.mark();
    let rule = forward(stage, Some("bob@example.test"))?;
    let call = asked_for(stage).await?;
    let (_, is_playback) = stage.alice.rings(alices).await?;
    let end = how_it_ended(stage, &call).await?;
    stage.alice.is_over(alices).await?;
    forward(stage, None)?;
    let seen = stage.wires.since(mark);
    let (state, cause) = (text(&end, "state"), text(&end, "cause"));
    let sip = format!("{} {}", end["sip_code"], text(&end, "sip_reason"));
    Ok(vec![
        Check::new(
            "all her calls are forwarded to bob",
            format!("forward-immediate={rule}"),
            rule.starts_with("bob@"),
        ),
        private(&seen),
        Check::new("her telephone rang, and showed it as playback", "From URI = To URI", is_playback),
        silent(&seen, "bob", "bob's telephone stayed silent"),
        silent(&seen, "um", "her voice mail did not answer in her place"),
        Check::new(
            "the web service says that nobody answered",
            format!("{state}, {cause}, SIP {sip}"),
            state == "Disconnected" && cause == "NoAnswer",
        ),
    ])
}

/// Step 5: she answers, and hears it to the end.
pub(super) async fn answered(stage: &mut Stage<'_>, mark: usize) -> Result<Vec<Check>, Failure> {
    let said = speech();
    let alices = stage.alice.mark();
    let id = asked_for(stage).await?;
    let (call, is_playback) = stage.alice.rings(alices).await?;
    stage.alice.order(Order::Answer { call }).await;
    stage.alice.is_up(alices).await?;
    // From the message on; she knows who called.
    stage.alice.presses(call, key('4')?).await;
    let (heard, hearings) =
        hears_again_and_again(&mut stage.alice, alices, call, &said, key('1')?, ONE_HEARING).await?;
    stage.alice.hangs_up(call).await;
    stage.alice.is_over(alices).await?;
    let end = how_it_ended(stage, &id).await?;
    let seen = stage.wires.since(mark);
    let (state, cause) = (text(&end, "state"), text(&end, "cause"));
    Ok(vec![
        private(&seen),
        Check::new("her telephone showed it as playback", "From URI = To URI", is_playback),
        compare::holds("she heard the message to its end", &said, &heard).at_attempt(hearings),
        Check::new(
            "the web service says how it went",
            format!("{state}, cause {cause}"),
            state == "Disconnected" && cause == "None",
        ),
    ])
}

/// Sets her rule, or takes it away; gives what is in force.
fn forward(stage: &mut Stage<'_>, to: Option<&str>) -> Result<String, Failure> {
    let address = stage.alice.address.clone();
    let mut entry = UserEntry::new(address.clone());
    let key = "forward-immediate";
    entry.changes.push(UserChange::Routing { key: key.to_owned(), value: to.map(str::to_owned) });
    let store = stage.admin.store.as_mut();
    let about = |error| refused::store(error, address.as_str());
    store.put_users(&[entry], &author(), now()).map_err(about)?;
    let user = store.find_user(&Lookup::Address(address.clone())).map_err(about)?;
    Ok(user.and_then(|user| user.settings.routing.get(key).cloned()).unwrap_or_default())
}

/// The newest of her messages that are not deleted.
fn message(stage: &mut Stage<'_>) -> Result<VoiceMessage, Failure> {
    let messages = all_messages(stage.admin.store.as_mut(), &stage.alice.address)?;
    let mut kept = messages.into_iter().filter(|message| message.state != MessageState::Deleted);
    kept.next_back().ok_or_else(|| Failure::not_found("alice has no message to be played"))
}

/// Asks the web service for the call, as alice; gives its id.
async fn asked_for(stage: &mut Stage<'_>) -> Result<String, Failure> {
    let message = message(stage)?;
    let wanted = json!({ "message_id": message.id.to_string() });
    stage.wires.web(stage.clock.now(), "alice", "um", format!("HTTP  POST {PATH}"));
    let answer = client(stage).post(PATH, &wanted).await?;
    stage.wires.web(stage.clock.now(), "um", "alice", format!("HTTP  {}", answer.status));
    match (answer.status, answer.document["id"].as_str()) {
        (201, Some(id)) => Ok(id.to_owned()),
        (status, _) => Err(refused(status, &answer.document)),
    }
}

/// Asks it how the call stands, until it is over.
async fn how_it_ended(stage: &Stage<'_>, id: &str) -> Result<Value, Failure> {
    let deadline = stage.clock.now() + PATIENCE;
    while stage.clock.now() < deadline {
        let answer = client(stage).get(&format!("{PATH}/{id}")).await?;
        if answer.status != 200 {
            return Err(refused(answer.status, &answer.document));
        }
        if answer.document["state"] == "Disconnected" {
            return Ok(answer.document);
        }
        tokio::time::sleep(ASKED_EVERY).await;
    }
    Err(in_vain("the end of the call"))
}

fn client<'a>(stage: &'a Stage<'_>) -> Client<'a> {
    Client { url: &stage.web, user: stage.alice.address.as_str(), password: &stage.alices_password }
}

fn refused(status: u16, document: &Value) -> Failure {
    Failure::new(Exit::Failed, "web-service", format!("the web service refused: {status} {document}"))
}

fn text<'a>(document: &'a Value, name: &str) -> &'a str {
    document[name].as_str().unwrap_or("?")
}

/// [MS-OCEXUM] 3.2: the header, and one URI in From and To, all the way to her telephone.
fn private(seen: &[Seen]) -> Check {
    let legs = [("um", "server"), ("server", "alice")];
    let are_right = legs.map(|(from, to)| {
        let invites = compare::requests(seen, from, to, &Method::Invite);
        let is_right = |invite: &umbel_sip_message::Request| {
            let headers = invite.headers();
            let sensitivity = headers.get_text(&HeaderName::MsSensitivity);
            sensitivity.as_deref() == Some("private-no-diversion")
                && headers.from().uri.to_uri() == headers.to().uri.to_uri()
        };
        !invites.is_empty() && invites.iter().all(is_right)
    });
    let found = match are_right {
        [true, true] => "private-no-diversion, From URI = To URI, on both legs",
        [true, false] => "not so on the INVITE to her telephone",
        [false, _] => "not so on voice mail's INVITE",
    };
    Check::new("the call bears what [MS-OCEXUM] 3.2 asks", found, are_right == [true; 2])
}

/// Whether nobody was called there.
fn silent(seen: &[Seen], whom: &'static str, what: &str) -> Check {
    let invites = compare::requests(seen, "server", whom, &Method::Invite).len();
    Check::new(what, format!("{invites} INVITE to it"), invites == 0)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use umbel_node::Transport;
    use umbel_time::Instant;

    use super::*;
    use crate::tap::What;

    fn invite(from: &str, to: &str, caller: &str, more: &str) -> Seen {
        let text = format!(
            "INVITE sip:alice@example.test SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1\r\n\
             From: <sip:{caller}@example.test>;tag=1\r\nTo: <sip:alice@example.test>\r\nCall-ID: 1\r\n\
             CSeq: 1 INVITE\r\n{more}Content-Length: 0\r\n\r\n"
        );
        let what = What::Message { over: Transport::Tls, bytes: Bytes::from(text) };
        Seen { at: Instant::ZERO, from: from.to_owned(), to: to.to_owned(), what }
    }

    #[test]
    fn a_call_that_lost_its_header_or_its_name_on_a_leg_is_noticed() {
        let header = "Ms-Sensitivity: private-no-diversion\r\n";
        let first = || invite("um", "server", "alice", header);
        assert!(private(&[first(), invite("server", "alice", "alice", header)]).held);
        assert!(!private(&[first(), invite("server", "alice", "alice", "")]).held);
        assert!(!private(&[first(), invite("server", "alice", "voicemail", header)]).held);
        assert!(!private(&[first()]).held, "her telephone was not called");
        assert!(!private(&[invite("server", "alice", "alice", header)]).held);
        let other = "Ms-Sensitivity: normal\r\n";
        assert!(!private(&[invite("um", "server", "alice", other), first()]).held);
    }

    #[test]
    fn one_call_to_bob_is_one_too_many() {
        let calls = [invite("server", "alice", "alice", "")];
        assert!(silent(&calls, "bob", "").held);
        assert!(!silent(&[invite("server", "bob", "alice", "")], "bob", "").held);
    }
}

//! Lamps against peers that answer, do not, or are away.

#![allow(clippy::unwrap_used)]

use umbel_sip_message::{Draft, HeaderName, Method, Uri};

use super::*;

fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

fn server() -> Notified {
    Notified::Server(uri("sip:proxy.example.test;transport=tls"))
}

fn gateway() -> Notified {
    Notified::Gateway(uri("sip:192.0.2.7"))
}

fn lamps(peers: &[Notified]) -> Lamps {
    let mut lamps = Lamps::default();
    assert!(lamps.set_peers(peers));
    lamps
}

fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1_000)
}

fn change(user: &str, new: u32) -> MailboxChange {
    MailboxChange {
        number: 1,
        address: format!("{user}@example.test").parse().unwrap(),
        extension: user.strip_prefix("user").map(str::to_owned),
        counts: Counts { new, ..Counts::default() },
    }
}

fn answer(status: u16, retry_after: Option<u32>) -> Outcome {
    let mut request = Draft::request(Method::Notify, &uri("sip:a@b"));
    for (name, value) in [
        (HeaderName::Via, "SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1"),
        (HeaderName::From, "<sip:a@b>;tag=1"),
        (HeaderName::To, "<sip:a@b>"),
        (HeaderName::CallId, "1"),
        (HeaderName::CSeq, "1 NOTIFY"),
    ] {
        request.push(name, value);
    }
    let mut response = Draft::reply(&request.into_request().unwrap(), StatusCode::new(status).unwrap());
    if let Some(seconds) = retry_after {
        response.push(HeaderName::RetryAfter, seconds);
    }
    Outcome::Final(Box::new(response.into_response().unwrap()))
}

/// All that may be sent now.
fn sent(lamps: &mut Lamps, now: Instant) -> Vec<Notice> {
    std::iter::from_fn(|| lamps.next(now)).collect()
}

fn complete(lamps: &mut Lamps, now: Instant, notice: &Notice, outcome: &Outcome) -> bool {
    lamps.completed(now, notice.peer, &notice.mailbox, outcome)
}

/// MWI-1; 9.5: "200 and 480 are normal answers".
#[test]
fn a_change_is_told_to_each_peer_once() {
    for status in [200, 202, 480] {
        let mut lamps = lamps(&[server(), gateway()]);
        lamps.tell(&change("user1", 2));
        let notices = sent(&mut lamps, at(0));
        let whom: Vec<_> = notices.iter().map(|notice| (&notice.notified, notice.news.counts.new)).collect();
        assert_eq!(whom, [(&server(), 2), (&gateway(), 2)]);
        assert!(!lamps.is_at_rest());
        for notice in &notices {
            assert!(!complete(&mut lamps, at(0), notice, &answer(status, None)));
        }
        assert!(lamps.is_at_rest() && sent(&mut lamps, at(100)).is_empty());
        assert_eq!((lamps.told, lamps.failed, lamps.poll_timeout()), (2, 0, None));
    }
}

#[test]
fn a_gateway_is_not_told_of_whom_it_does_not_know() {
    let mut lamps = lamps(&[gateway()]);
    lamps.tell(&change("nobody", 1));
    assert!(lamps.is_at_rest() && sent(&mut lamps, at(0)).is_empty());
}

#[test]
fn what_changes_while_a_notification_is_under_way_is_told_after_it_and_only_the_newest() {
    let mut lamps = lamps(&[server()]);
    lamps.tell(&change("user1", 1));
    let first = sent(&mut lamps, at(0));
    lamps.tell(&change("user1", 2));
    lamps.tell(&change("user1", 3));
    assert!(sent(&mut lamps, at(1)).is_empty(), "one at a time");
    complete(&mut lamps, at(1), &first[0], &answer(200, None));
    let second = sent(&mut lamps, at(1));
    assert_eq!(second[0].news.counts.new, 3);
    complete(&mut lamps, at(1), &second[0], &answer(200, None));
    assert!(lamps.is_at_rest());
}

/// 9.5: for five minutes, with growing pauses, the newest state.
#[test]
fn a_lamp_that_fails_is_tried_again_for_five_minutes() {
    let mut lamps = lamps(&[server()]);
    lamps.tell(&change("user1", 1));
    let (mut now, mut tries, mut pauses) = (at(0), 0, Vec::new());
    loop {
        for notice in sent(&mut lamps, now) {
            tries += 1;
            complete(&mut lamps, now, &notice, &answer(500, None));
        }
        let Some(next) = lamps.poll_timeout() else { break };
        pauses.push(next.since(now).as_secs());
        let shortly_before = at(0) + (next.since(at(0)) - Duration::from_millis(1));
        assert!(sent(&mut lamps, shortly_before).is_empty(), "not before its time");
        now = next;
    }
    assert_eq!(pauses[..6], [2, 4, 8, 16, 30, 30]);
    assert!(pauses[6..].iter().all(|pause| *pause == 30));
    assert!(now.since(at(0)) >= GIVE_UP_AFTER && now.since(at(0)) < GIVE_UP_AFTER + RETRY_MAX, "{now}");
    assert_eq!((lamps.told, lamps.failed), (0, tries));
    assert!(lamps.is_at_rest());
}

#[test]
fn a_lamp_that_fails_does_not_hold_up_others_and_takes_the_newest_state() {
    let mut lamps = lamps(&[server()]);
    lamps.tell(&change("user1", 1));
    let first = sent(&mut lamps, at(0));
    complete(&mut lamps, at(0), &first[0], &answer(500, None));
    lamps.tell(&change("user2", 1));
    lamps.tell(&change("user1", 5));
    let others = sent(&mut lamps, at(0));
    assert_eq!(others.len(), 1);
    assert_eq!(others[0].mailbox, change("user2", 1).address);
    let again = sent(&mut lamps, at(2));
    assert_eq!((again.len(), again[0].news.counts.new), (1, 5));
}

#[test]
fn what_is_refused_is_not_tried_again_before_it_changes() {
    for status in [302, 400, 403, 404, 405, 481, 489, 501, 603] {
        let mut lamps = lamps(&[server()]);
        lamps.tell(&change("user1", 1));
        let first = sent(&mut lamps, at(0));
        complete(&mut lamps, at(0), &first[0], &answer(status, None));
        assert!(lamps.is_at_rest() && lamps.poll_timeout().is_none(), "{status}");
        assert_eq!(lamps.failed, 1);
        lamps.tell(&change("user1", 2));
        assert_eq!(sent(&mut lamps, at(0)).len(), 1);
    }
}

/// A peer that is away is tried by one notification at a time; when it is back, all others follow at once.
#[test]
fn a_peer_that_is_away_is_not_stormed() {
    for away in [Outcome::NoResponse, Outcome::TransportFailed, answer(503, None)] {
        let mut lamps = lamps(&[server()]);
        for user in 1..=100 {
            lamps.tell(&change(&format!("user{user}"), 1));
        }
        let first = sent(&mut lamps, at(0));
        assert_eq!(first.len(), PEER_IN_FLIGHT_MAX);
        for notice in &first {
            complete(&mut lamps, at(0), notice, &away);
        }
        assert!(sent(&mut lamps, at(1)).is_empty());
        assert_eq!(lamps.poll_timeout(), Some(at(2)), "many failures at once are one");
        let probe = sent(&mut lamps, at(2));
        assert_eq!(probe.len(), 1);
        complete(&mut lamps, at(2), &probe[0], &away);
        assert_eq!(lamps.poll_timeout(), Some(at(6)));
        let probe = sent(&mut lamps, at(6));
        assert!(!complete(&mut lamps, at(6), &probe[0], &answer(200, None)), "nothing was lost");
        let mut told = 1;
        loop {
            let notices = sent(&mut lamps, at(6));
            if notices.is_empty() {
                break;
            }
            told += notices.len();
            notices.iter().for_each(|notice| {
                complete(&mut lamps, at(6), notice, &answer(200, None));
            });
        }
        assert_eq!(told, 100);
        assert!(lamps.is_at_rest());
    }
}

#[test]
fn a_peer_that_asks_for_time_gets_it_within_bounds() {
    for (asked, pause) in [(1, 2), (20, 20), (3_600, 30)] {
        let mut lamps = lamps(&[server()]);
        lamps.tell(&change("user1", 1));
        let first = sent(&mut lamps, at(0));
        complete(&mut lamps, at(0), &first[0], &answer(503, Some(asked)));
        assert_eq!(lamps.poll_timeout(), Some(at(pause)), "{asked}");
    }
}

/// REL-40: what was given up is made good when the peer is back.
#[test]
fn a_peer_that_was_away_for_long_gets_all_lamps_when_it_is_back() {
    let mut lamps = lamps(&[server()]);
    lamps.tell(&change("user1", 1));
    let mut now = at(0);
    loop {
        for notice in sent(&mut lamps, now) {
            assert!(!complete(&mut lamps, now, &notice, &Outcome::NoResponse));
        }
        match lamps.poll_timeout() {
            Some(next) => now = next,
            None => break,
        }
    }
    assert!(now.since(at(0)) >= GIVE_UP_AFTER, "{now}");
    assert!(lamps.is_at_rest(), "it was given up");
    lamps.tell(&change("user2", 1));
    let now = now + RETRY_MAX;
    let probe = sent(&mut lamps, now);
    assert!(complete(&mut lamps, now, &probe[0], &answer(200, None)), "everything has to be told");
    lamps.tell(&change("user2", 2));
    let next = sent(&mut lamps, now);
    assert!(!complete(&mut lamps, now, &next[0], &answer(200, None)), "once");
}

#[test]
fn a_peer_that_is_away_does_not_hold_up_another() {
    let mut lamps = lamps(&[server(), gateway()]);
    lamps.tell(&change("user1", 1));
    let first = sent(&mut lamps, at(0));
    complete(&mut lamps, at(0), &first[0], &Outcome::NoResponse);
    complete(&mut lamps, at(0), &first[1], &answer(200, None));
    lamps.tell(&change("user2", 1));
    let next = sent(&mut lamps, at(0));
    assert_eq!(next.iter().map(|notice| &notice.notified).collect::<Vec<_>>(), [&gateway()]);
}

#[test]
fn so_many_lamps_wait_and_what_is_too_much_is_made_good_afterwards() {
    let mut lamps = lamps(&[server()]);
    for user in 0..LAMPS_MAX {
        assert_eq!(lamps.has_room(), user < LAMPS_MAX / 2);
        lamps.tell(&change(&format!("user{user}"), 1));
    }
    lamps.tell(&change("user99999", 1));
    assert_eq!(lamps.waiting, LAMPS_MAX);
    let (mut told, mut anew) = (0, 0);
    loop {
        let notices = sent(&mut lamps, at(0));
        if notices.is_empty() {
            break;
        }
        assert!(notices.len() <= PEER_IN_FLIGHT_MAX);
        told += notices.len();
        for notice in &notices {
            anew += u32::from(complete(&mut lamps, at(0), notice, &answer(200, None)));
        }
    }
    assert_eq!((told, anew), (LAMPS_MAX, 1));
}

#[test]
fn who_is_no_longer_told_is_forgotten_and_who_is_new_is_noticed() {
    let mut lamps = lamps(&[server()]);
    assert!(!lamps.set_peers(&[server()]), "nobody is new");
    lamps.tell(&change("user1", 1));
    let notices = sent(&mut lamps, at(0));
    assert!(lamps.set_peers(&[gateway()]));
    assert!(lamps.is_at_rest() && lamps.in_flight == 0);
    assert!(!complete(&mut lamps, at(0), &notices[0], &answer(200, None)), "a late answer is nobody's");
    assert!(!lamps.set_peers(&[]));
    assert!(!lamps.has_peers());
}

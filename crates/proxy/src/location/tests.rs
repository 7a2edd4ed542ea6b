//! REGISTERs carried out one after the other.
#![allow(clippy::unwrap_used)]

use umbel_time::UnixTime;

use super::*;

fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1_000)
}

fn bob() -> AddressOfRecord {
    "bob@example.test".parse().unwrap()
}

fn contact(uri: &str, seconds: u64) -> Contact {
    Contact {
        uri: uri.parse().unwrap(),
        expires: Duration::from_secs(seconds),
        q: Q::DEFAULT,
        device: Device::Contact,
        direct: true,
    }
}

fn outbound(uri: &str, reg_id: u32) -> Contact {
    let device = Device::Outbound { instance: "<urn:uuid:1>".into(), reg_id };
    Contact { device, ..contact(uri, 600) }
}

fn registration(call_id: &str, cseq: u32, flow: u64, change: Change) -> Registration {
    Registration { call_id: call_id.into(), cseq, flow: FlowId(flow), path: Box::default(), change }
}

fn one(cseq: u32, contact: Contact) -> Registration {
    registration("c1", cseq, 2, Change::Contacts(vec![contact]))
}

fn shown(location: &Location, now: Instant) -> Vec<String> {
    location.bindings(now, &bob()).map(|binding| binding.contact.to_string()).collect()
}

// REG-1
#[test]
fn each_contact_has_a_binding_an_expiry_and_a_flow_of_its_own() {
    let mut location = Location::new();
    location.register(at(0), &bob(), one(1, contact("sip:bob@192.0.2.1", 600))).unwrap();
    let second = registration("c2", 1, 4, Change::Contacts(vec![contact("sip:bob@192.0.2.2", 60)]));
    location.register(at(0), &bob(), second).unwrap();
    assert_eq!(shown(&location, at(59)), ["sip:bob@192.0.2.1", "sip:bob@192.0.2.2"]);
    assert_eq!(shown(&location, at(60)), ["sip:bob@192.0.2.1"]);
    assert_eq!(shown(&location, at(600)), [""; 0]);
    assert!(location.is_registered_on(at(59), &bob(), FlowId(4)));
    assert!(!location.is_registered_on(at(60), &bob(), FlowId(4)));
}

// DEC-7
#[test]
fn expiries_below_a_minute_are_refused_and_above_an_hour_shortened() {
    let mut location = Location::new();
    let attempt = |location: &mut Location, cseq, seconds| {
        location.register(at(0), &bob(), one(cseq, contact("sip:bob@192.0.2.1", seconds)))
    };
    assert_eq!(attempt(&mut location, 1, 59), Err(Refused::TooBrief));
    assert_eq!(attempt(&mut location, 2, 60), Ok(()));
    assert_eq!(attempt(&mut location, 3, 3_600), Ok(()));
    assert_eq!(shown(&location, at(3_599)).len(), 1);
    assert_eq!(attempt(&mut location, 4, 1_000_000), Ok(()));
    assert_eq!(shown(&location, at(3_599)).len(), 1);
    assert_eq!(shown(&location, at(3_600)).len(), 0);
}

// RFC 3261 10.3
#[test]
fn a_contact_is_refreshed_and_removed_by_an_equivalent_uri() {
    let mut location = Location::new();
    location.register(at(0), &bob(), one(1, contact("sip:bob@Host.test;transport=tcp", 600))).unwrap();
    location.register(at(9), &bob(), one(2, contact("sip:bob@host.test;transport=TCP", 600))).unwrap();
    assert_eq!(shown(&location, at(605)), ["sip:bob@host.test;transport=TCP"]);
    location.register(at(9), &bob(), one(3, contact("sip:bob@host.test;transport=tcp", 0))).unwrap();
    assert!(location.is_empty());
}

// RFC 3261 10.3, step 7: all or nothing.
#[test]
fn an_old_register_changes_nothing() {
    let mut location = Location::new();
    location.register(at(0), &bob(), one(5, contact("sip:bob@192.0.2.1", 600))).unwrap();
    let contacts = vec![contact("sip:bob@192.0.2.9", 600), contact("sip:bob@192.0.2.1", 0)];
    let old = registration("c1", 5, 2, Change::Contacts(contacts.clone()));
    assert_eq!(location.register(at(1), &bob(), old), Err(Refused::OutOfOrder));
    assert_eq!(shown(&location, at(1)), ["sip:bob@192.0.2.1"]);
    let all = registration("c1", 4, 2, Change::RemoveAll);
    assert_eq!(location.register(at(1), &bob(), all), Err(Refused::OutOfOrder));
    // Another Call-ID is another client, or the same after a restart.
    let other = registration("c2", 1, 2, Change::Contacts(contacts));
    location.register(at(1), &bob(), other).unwrap();
    assert_eq!(shown(&location, at(1)), ["sip:bob@192.0.2.9"]);
}

#[test]
fn a_star_removes_all() {
    let mut location = Location::new();
    location.register(at(0), &bob(), one(1, contact("sip:bob@192.0.2.1", 600))).unwrap();
    location.register(at(0), &bob(), one(2, contact("sip:bob@192.0.2.2", 600))).unwrap();
    location.register(at(0), &bob(), registration("c1", 3, 2, Change::RemoveAll)).unwrap();
    assert!(location.is_empty());
}

// SEC-51
#[test]
fn ten_contacts_are_accepted_and_an_eleventh_is_refused() {
    let mut location = Location::new();
    let contacts = |count: u32| {
        let uris = (0..count).map(|n| contact(&format!("sip:bob@192.0.2.{n}"), 600));
        Change::Contacts(uris.collect())
    };
    let eleven = registration("c1", 1, 2, contacts(11));
    assert_eq!(location.register(at(0), &bob(), eleven), Err(Refused::TooMany));
    assert!(location.is_empty());
    location.register(at(0), &bob(), registration("c1", 2, 2, contacts(10))).unwrap();
    let more = registration("c2", 1, 2, Change::Contacts(vec![contact("sip:bob@203.0.113.1", 600)]));
    assert_eq!(location.register(at(0), &bob(), more.clone()), Err(Refused::TooMany));
    // Ended ones do not count.
    assert_eq!(location.register(at(600), &bob(), more), Ok(()));
}

#[test]
fn when_all_places_are_taken_a_new_address_is_refused_and_old_ones_are_refreshed() {
    let mut location = Location { addresses_max: 1, ..Location::new() };
    let alice = "alice@example.test".parse().unwrap();
    location.register(at(0), &bob(), one(1, contact("sip:bob@192.0.2.1", 600))).unwrap();
    let refused = location.register(at(0), &alice, one(1, contact("sip:alice@192.0.2.1", 600)));
    assert_eq!(refused, Err(Refused::Full));
    location.register(at(0), &alice, registration("c1", 2, 2, Change::Query)).unwrap();
    location.register(at(0), &bob(), one(2, contact("sip:bob@192.0.2.1", 600))).unwrap();
    location.register(at(0), &bob(), one(3, contact("sip:bob@192.0.2.1", 0))).unwrap();
    location.register(at(0), &alice, one(1, contact("sip:alice@192.0.2.1", 600))).unwrap();
}

#[test]
fn what_is_kept_of_a_contact_is_bounded() {
    let mut location = Location::new();
    let uri = |length: usize| format!("sip:bob@192.0.2.1;x={}", "y".repeat(length - 20));
    let fits = CONTACT_BYTES_MAX - "c1".len();
    assert_eq!(location.register(at(0), &bob(), one(1, contact(&uri(fits), 600))), Ok(()));
    let refused = location.register(at(0), &bob(), one(2, contact(&uri(fits + 1), 600)));
    assert_eq!(refused, Err(Refused::TooLong));
}

// RFC 5626 6: instance and reg-id, not the contact.
#[test]
fn an_instance_replaces_its_own_binding_when_its_address_changes() {
    let mut location = Location::new();
    location.register(at(0), &bob(), one(1, outbound("sip:bob@192.0.2.1:1000", 1))).unwrap();
    location.register(at(0), &bob(), one(2, outbound("sip:bob@192.0.2.1:2000", 1))).unwrap();
    assert_eq!(shown(&location, at(1)), ["sip:bob@192.0.2.1:2000"]);
    location.register(at(0), &bob(), one(3, outbound("sip:bob@192.0.2.1:3000", 2))).unwrap();
    assert_eq!(shown(&location, at(1)).len(), 2);
    // RFC 5626 5.3: of one instance only one is rung, the latest.
    let targets = location.targets(at(1), &bob(), |_| true);
    let targets: Vec<_> = targets.iter().map(|binding| binding.contact.to_string()).collect();
    assert_eq!(targets, ["sip:bob@192.0.2.1:3000"]);
}

// REG-6
#[test]
fn two_clients_that_differ_in_epid_only_have_two_bindings() {
    let mut location = Location::new();
    let with =
        |epid: &str| Contact { device: Device::Epid(epid.into()), ..contact("sip:bob@192.0.2.1", 600) };
    location.register(at(0), &bob(), one(1, with("a"))).unwrap();
    location.register(at(0), &bob(), registration("c2", 1, 4, Change::Contacts(vec![with("b")]))).unwrap();
    assert_eq!(shown(&location, at(1)).len(), 2);
    location.register(at(0), &bob(), one(2, with("a"))).unwrap();
    assert_eq!(shown(&location, at(1)).len(), 2);
}

#[test]
fn targets_are_ordered_by_preference() {
    let mut location = Location::new();
    let with = |uri: &str, q: &str| Contact { q: Q::parse(q), ..contact(uri, 600) };
    let contacts =
        vec![with("sip:a@192.0.2.1", "0.2"), with("sip:b@192.0.2.1", "0.9"), with("sip:c@x.test", "1")];
    location.register(at(0), &bob(), registration("c1", 1, 2, Change::Contacts(contacts))).unwrap();
    let targets = location.targets(at(1), &bob(), |_| true);
    let users: Vec<_> = targets.iter().filter_map(|binding| binding.contact.user()).collect();
    assert_eq!(users, ["c", "b", "a"]);
}

// REG-2, SEC-51
#[test]
fn without_its_flow_a_contact_is_called_only_where_its_register_came_from() {
    let mut location = Location::new();
    let foreign = Contact { direct: false, ..contact("sip:victim@elsewhere.test", 600) };
    let contacts = vec![contact("sip:bob@192.0.2.1", 600), foreign, outbound("sip:bob@192.0.2.1:9", 1)];
    location.register(at(0), &bob(), registration("c1", 1, 2, Change::Contacts(contacts))).unwrap();
    assert_eq!(location.targets(at(1), &bob(), |_| true).len(), 3);
    let left = location.targets(at(1), &bob(), |_| false);
    let left: Vec<_> = left.iter().map(|binding| binding.contact.to_string()).collect();
    assert_eq!(left, ["sip:bob@192.0.2.1"]);
}

#[test]
fn a_sweep_forgets_what_has_ended_and_says_whose_it_was() {
    let mut location = Location::new();
    for n in 0..SWEEP_MAX + 10 {
        let address = format!("u{n:04}@example.test").parse().unwrap();
        let seconds = if n % 2 == 0 { 60 } else { 600 };
        location.register(at(0), &address, one(1, contact("sip:u@192.0.2.1", seconds))).unwrap();
    }
    assert_eq!(location.sweep(at(59)).len(), 0);
    assert_eq!(location.sweep(at(59)).len(), 0);
    assert_eq!(location.sweep(at(60)).len(), SWEEP_MAX / 2);
    assert_eq!(location.sweep(at(60)).len(), 5);
    assert_eq!(location.len(), (SWEEP_MAX + 10) / 2);
    assert_eq!(location.sweep(at(600)).len() + location.sweep(at(600)).len(), (SWEEP_MAX + 10) / 2);
    assert!(location.is_empty());
}

#[test]
fn bindings_survive_a_restart_without_their_flows() {
    let mut before = Location::new();
    let wall = UnixTime::from_secs(1_000_000);
    before.register(at(10), &bob(), one(7, contact("sip:bob@192.0.2.1", 600))).unwrap();
    before.register(at(10), &bob(), one(8, outbound("sip:bob@192.0.2.1:9", 1))).unwrap();
    let kept = before.kept(Clocks { now: at(10), wall }, &bob());
    assert_eq!(kept.len(), 2);

    let mut after = Location::new();
    let clocks = Clocks { now: at(0), wall: wall + Duration::from_secs(100) };
    after.restore(clocks, &bob(), kept.clone());
    assert_eq!(shown(&after, at(499)).len(), 2);
    assert_eq!(shown(&after, at(500)).len(), 0);
    // The outbound client will open a new flow itself; until then it is not there.
    assert_eq!(after.targets(at(1), &bob(), |_| true).len(), 1);
    // An old copy of a REGISTER does not undo it.
    let old = one(7, contact("sip:bob@192.0.2.1", 0));
    assert_eq!(after.register(at(1), &bob(), old), Err(Refused::OutOfOrder));

    let mut since = Location::new();
    since.register(at(0), &bob(), one(1, contact("sip:bob@198.51.100.7", 60))).unwrap();
    since.restore(clocks, &bob(), kept.clone());
    assert_eq!(shown(&since, at(1)), ["sip:bob@198.51.100.7"]);

    let mut late = Location::new();
    late.restore(Clocks { now: at(0), wall: wall + Duration::from_secs(600) }, &bob(), kept);
    assert!(late.is_empty());
}

#[test]
fn a_binding_takes_less_than_700_octets() {
    const COUNT: u64 = 2_000;
    let mut location = Location::new();
    let held = allocation_counter::measure(|| {
        for n in 0..COUNT {
            let address = format!("user{n}@example.test").parse().unwrap();
            let device = Device::Outbound { instance: format!("<urn:uuid:{n:036}>").into(), reg_id: 1 };
            let uri = format!("sip:user{n}@192.0.2.1:41234;transport=tls;ob");
            let mut registration = one(1, Contact { device, ..contact(&uri, 600) });
            registration.call_id = format!("{n:032}@192.0.2.1").into();
            location.register(at(0), &address, registration).unwrap();
        }
    });
    let per_binding = held.bytes_current / i64::try_from(COUNT).unwrap();
    assert!(per_binding < 700, "{per_binding} octets a binding");
}

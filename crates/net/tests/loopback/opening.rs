//! Flows that we ask for.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use socket2::{Domain, Socket, Type};
use tokio::net::TcpListener;
use umbel_net::Limits;
use umbel_node::{CloseReason, Destination, FlowId, Input, Origin, Output, Transport};

use crate::support::{Host, call_id, options, read_exactly, read_to_end, run, send, soon};

const OURS: FlowId = FlowId(1);

fn tcp(listener: &TcpListener) -> Destination {
    let address = listener.local_addr().unwrap();
    Destination { transport: Transport::Tcp, address, server_name: None }
}

#[test]
fn a_flow_that_is_asked_for_comes_up_and_carries_both_ways() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        assert!(host.flows.perform(Output::<()>::Open { id: OURS, to: tcp(&listener) }).is_none());
        // Before it is up.
        host.flows.transmit(OURS, Bytes::from("early"));
        let (mut server, remote) = soon(listener.accept()).await.unwrap();
        let (id, flow) = host.opened().await;
        assert_eq!((id, flow.origin, flow.local), (OURS, Origin::Opened, remote));
        assert_eq!(flow.remote, listener.local_addr().unwrap());
        assert_eq!(read_exactly(&mut server, 5).await, b"early");
        send(&mut server, options("back")).await;
        assert_eq!(call_id(&host.received().await.1), "back");
        host.flows.close(OURS);
        assert_eq!(host.closed().await, (OURS, CloseReason::ByUs));
        assert_eq!(read_to_end(&mut server).await, b"");
    });
}

#[test]
fn ipv6_works_the_same() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        // Machines without IPv6 have nothing to show here.
        let Ok(listener) = TcpListener::bind("[::1]:0").await else { return };
        host.flows.open(OURS, tcp(&listener));
        assert!(host.opened().await.1.remote.is_ipv6());
    });
}

#[test]
fn a_refused_connection_is_told() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        // Taken, so that nobody else listens there, and not listened on.
        let taken = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        taken.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
        let address = taken.local_addr().unwrap().as_socket().unwrap();
        host.flows.open(OURS, Destination { transport: Transport::Tcp, address, server_name: None });
        host.flows.transmit(OURS, Bytes::from("in vain"));
        assert_eq!(host.closed().await, (OURS, CloseReason::ConnectFailed));
    });
}

#[test]
fn a_connection_that_does_not_come_up_in_time_is_given_up() {
    run(async {
        let mut host = Host::tcp(Limits { connect: Duration::from_millis(40), ..Limits::default() });
        // A listener whose queue is full does not answer.
        let silent = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        silent.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
        silent.listen(0).unwrap();
        let address = silent.local_addr().unwrap().as_socket().unwrap();
        let to = Destination { transport: Transport::Tcp, address, server_name: None };
        for id in 0..8 {
            host.flows.open(FlowId(2 * id + 1), to.clone());
        }
        let given_up = async {
            loop {
                if let Input::Closed { reason, .. } = host.flows.next::<()>().await {
                    return reason;
                }
            }
        };
        assert_eq!(soon(given_up).await, CloseReason::ConnectFailed);
    });
}

#[test]
fn a_flow_may_be_closed_before_it_is_up() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        host.flows.open(OURS, tcp(&listener));
        host.flows.close(OURS);
        assert_eq!(host.closed().await, (OURS, CloseReason::ByUs));
    });
}

#[test]
fn what_waits_for_a_flow_that_is_not_up_is_bounded() {
    run(async {
        let mut host = Host::tcp(Limits { queued_bytes: 10, ..Limits::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        host.flows.open(OURS, tcp(&listener));
        host.flows.transmit(OURS, Bytes::from("more than ten octets"));
        assert_eq!(host.closed().await.0, OURS);
    });
}

#[test]
fn our_own_connections_do_not_leave_for_those_of_strangers() {
    run(async {
        let limits = Limits { connections: 1, quiet: Duration::ZERO, ..Limits::default() };
        let mut host = Host::tcp(limits);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        host.flows.open(OURS, tcp(&listener));
        let (_server, _) = soon(listener.accept()).await.unwrap();
        host.opened().await;
        let mut stranger = crate::support::connect(&host).await;
        assert_eq!(read_to_end(&mut stranger).await, b"");
        assert_eq!(host.flows.stats().refused, 1);
    });
}

#[test]
fn wishes_for_others_are_handed_back() {
    run(async {
        let mut host = Host::tcp(Limits::default());
        assert_eq!(host.flows.perform(Output::Wish("record")), Some("record"));
    });
}

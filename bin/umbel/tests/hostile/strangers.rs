//! Those who speak something else, or come through the wrong door: SEC-07, SEC-57, SEC-66 to SEC-68.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, UdpSocket};

use crate::certificates::Shown;
use crate::invite::{Invite, fresh};
use crate::line::{Line, options, serves, socket, still_serves};
use crate::server::server;
use crate::wait::{PATIENCE, until};

#[test]
fn other_protocols_on_the_plain_port_are_shown_out() {
    for octets in [
        &b"GET / HTTP/1.1\r\nHost: example.test\r\n\r\n"[..],
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
        b"HELO example.test\r\n\r\n",
        // The beginning of a TLS handshake.
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"\x80\x80\x00\x00\xff\xfe\xfd",
        b"\0\0\0\0\0\0\0\0",
    ] {
        let mut line = Line::tcp(server());
        line.send(octets);
        assert!(line.rest().is_empty(), "{:?}", String::from_utf8_lossy(octets));
        still_serves(server());
    }
}

#[test]
fn plain_text_on_the_tls_port_is_shown_out() {
    let server = server();
    let mut socket = socket(server.tls);
    socket.write_all(options(&fresh("plain")).as_bytes()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut all = Vec::new();
    // A reset is as good an end as any.
    let _ = socket.read_to_end(&mut all);
    assert!(!all.starts_with(b"SIP"), "{:?}", String::from_utf8_lossy(&all));
    serves(&mut Line::tls(server, Shown::Nothing));
}

// SEC-07: "a PROXY line is a malformed message".
#[test]
fn a_proxy_preface_names_nobody() {
    let server = server();
    let binary = b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00\x01\x13\xc4\x13\xc4";
    for preface in [&b"PROXY TCP4 127.0.0.1 127.0.0.1 5061 5061\r\n"[..], b"PROXY UNKNOWN\r\n", binary] {
        for mut line in [Line::tcp(server), Line::trusted(server)] {
            let invite = Invite::skip();
            line.send([preface, &invite.written(line.transport)].concat());
            for answer in line.rest() {
                assert_eq!(answer.status(), 400, "{answer:?}");
            }
            assert_eq!(server.decided(&invite.call_id), None);
        }
    }
    still_serves(server);
}

// SEC-57: five seconds for a handshake, in its own task.
#[test]
fn half_open_handshakes_end_and_keep_nobody_waiting() {
    let server = server();
    let mut silent: Vec<_> = (0..100).map(|_| socket(server.tls)).collect();
    // One in the middle of its ClientHello.
    silent[0].write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03abc").unwrap();
    serves(&mut Line::tls(server, Shown::Nothing));
    serves(&mut Line::trusted(server));
    for mut socket in silent {
        until("the server to give up a handshake", || match socket.read(&mut [0; 64]) {
            Ok(0) => Some(()),
            // An alert.
            Ok(_) => None,
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => None,
            Err(_) => Some(()),
        });
    }
    still_serves(server);
}

// SEC-68: a hello of TLS 1.1, and one of TLS 1.2 with suites that are no longer safe.
#[test]
fn old_tls_and_weak_suites_are_refused() {
    const ALERT: u8 = 21;
    let server = server();
    for (version, suites) in
        [(0x02, &[0x00, 0x2f, 0x00, 0x35][..]), (0x03, &[0x00, 0x2f, 0x00, 0x0a, 0xc0, 0x13])]
    {
        let count = u8::try_from(suites.len()).unwrap();
        let body = [&[3, version][..], &[7; 32], &[0, 0, count], suites, &[1, 0]].concat();
        let length = u8::try_from(body.len()).unwrap();
        let record = [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat();
        let mut socket = socket(server.tls);
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.write_all(&record).unwrap();
        let mut all = Vec::new();
        let _ = socket.read_to_end(&mut all);
        assert!(all.is_empty() || all[0] == ALERT, "{all:?}");
    }
    serves(&mut Line::tls(server, Shown::Nothing));
}

// SEC-67, DEC-1, OCEXUM-2.1-3
#[test]
fn nobody_listens_to_datagrams() {
    let server = server();
    for port in [server.tcp, server.tls] {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(port).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let invite = Invite::skip();
        socket.send(&invite.written("UDP")).unwrap();
        let error = socket.recv(&mut [0; 2_000]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "port {port}");
        assert_eq!(server.decided(&invite.call_id), None);
    }
}

// SEC-66, RFC 3261 18.2.2: answers go back along the connection, not to where the message says.
#[test]
fn errors_are_not_sent_to_those_whom_a_via_names() {
    let server = server();
    let victim = TcpListener::bind("127.0.0.1:0").unwrap();
    victim.set_nonblocking(true).unwrap();
    let port = victim.local_addr().unwrap().port();
    let at_victim =
        |text: String| text.replace("127.0.0.1:5", &format!("127.0.0.1:{port};received=127.0.0.1"));
    let mut line = Line::tcp(server);
    for _ in 0..20 {
        line.send(at_victim(options(&fresh("reflected")).replace("OPTIONS", "PUBLISH")));
        line.send(at_victim(options(&fresh("reflected")).replace("CSeq: 1", "CSeq: x")));
    }
    for _ in 0..40 {
        assert!([400, 405, 501].contains(&line.answer().status()));
    }
    // The connection on which they would be due is gone: then nobody gets them, or an outgoing call that
    // nobody asked for; a malformed message is never worth one.
    let mut gone = Line::tcp(server);
    gone.send(at_victim(options(&fresh("reflected")).replace("CSeq: 1", "CSeq: x")));
    drop(gone);
    still_serves(server);
    assert_eq!(victim.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

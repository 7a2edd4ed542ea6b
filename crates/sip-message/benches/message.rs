//! Reading, framing and printing an ordinary INVITE of about 800 octets.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use bytes::{BufMut, Bytes, BytesMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use umbel_sip_message::{Draft, HeaderName, Method, Request, frame, parse};

const INVITE: &[u8] = include_bytes!("../tests/examples/subscriber_access.sip");
const RELAYED: &[u8] = include_bytes!("../tests/examples/play_on_phone.sip");

/// A part of a buffer that is shared already, as a connection has it.
fn received(octets: &[u8]) -> Bytes {
    let mut buffer = BytesMut::with_capacity(octets.len() * 2);
    buffer.put_slice(octets);
    buffer.put_slice(b"\r\n");
    buffer.split_to(octets.len()).freeze()
}

fn read_typed(request: &Request) {
    let headers = request.headers();
    let via = headers.via();
    black_box((via.host(), via.port(), via.branch()));
    black_box((headers.from().tag(), headers.from().uri.user(), headers.to().tag(), headers.to().uri.host()));
    black_box(headers.contacts().unwrap().first().map(|contact| contact.uri));
    black_box((headers.cseq().number, headers.call_id(), headers.max_forwards()));
}

fn benches(criterion: &mut Criterion) {
    for (name, octets) in [("subscriber_access", INVITE), ("play_on_phone", RELAYED)] {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(u64::try_from(octets.len()).unwrap()));
        let bytes = received(octets);
        group.bench_function("frame", |b| b.iter(|| frame(black_box(octets))));
        group.bench_function("parse", |b| b.iter(|| parse(black_box(bytes.clone()))));
        group.bench_function("parse_typed", |b| {
            b.iter(|| {
                let request = parse(black_box(bytes.clone())).unwrap().into_request().unwrap();
                read_typed(&request);
                request
            });
        });
        let request = parse(bytes.clone()).unwrap().into_request().unwrap();
        let draft = Draft::forward(&request);
        group.bench_function("print", |b| b.iter(|| black_box(&draft).print()));
        group.bench_function("forward", |b| {
            b.iter(|| {
                let mut draft = Draft::forward(black_box(&request));
                draft.push_front(HeaderName::Via, "SIP/2.0/TLS proxy.example.com:5061;branch=z9hG4bK-1");
                draft.set(HeaderName::MaxForwards, "69");
                draft.print()
            });
        });
        group.finish();
    }
    let uri = "sip:erin@example.net".parse().unwrap();
    criterion.bench_function("write", |b| {
        b.iter(|| {
            let mut draft = Draft::request(Method::Options, black_box(&uri));
            draft
                .push(HeaderName::Via, "SIP/2.0/TLS proxy.example.com:5061;branch=z9hG4bK-1")
                .push(HeaderName::MaxForwards, "70")
                .push(HeaderName::From, "<sip:dana@example.com>;tag=1")
                .push(HeaderName::To, &uri)
                .push(HeaderName::CallId, "0d5bc0a1f2c94a6e")
                .push(HeaderName::CSeq, "1 OPTIONS");
            draft.print()
        });
    });
}

criterion_group!(all, benches);
criterion_main!(all);

//! What a request for a call costs between HTTP and the decision: envelope off, operation read, answer printed.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use umbel_ews::envelope::Envelope;
use umbel_ews::exchange;
use umbel_ews::item::id::ObjectId;
use umbel_ews::xml::{self, BODY_BYTES_MAX};
use umbel_play_on_phone::{CallState, EventCause, PhoneCallId, Status};
use umbel_store::MessageId;

fn request(operation: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\" \
         xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\">\
         <soap:Header><t:RequestServerVersion Version=\"Exchange2016\"/></soap:Header>\
         <soap:Body>{operation}</soap:Body></soap:Envelope>"
    )
}

fn read(text: &str) {
    let envelope = Envelope::read(black_box(text.as_bytes())).unwrap();
    exchange::admit(&envelope).unwrap();
    black_box(exchange::read(&envelope).unwrap().unwrap());
}

fn costs(criterion: &mut Criterion) {
    let item = ObjectId::Item(MessageId::from_bytes([7; 16])).text();
    let call = PhoneCallId::from_bytes([9; 16]);
    let play = request(&format!(
        "<m:PlayOnPhone><m:ItemId Id=\"{item}\"/><m:DialString>+1 555 555 0199</m:DialString></m:PlayOnPhone>"
    ));
    let poll = request(&format!(
        "<m:GetPhoneCallInformation><m:PhoneCallId Id=\"{call}\"/></m:GetPhoneCallInformation>"
    ));
    let status = Status { state: CallState::Connected, cause: EventCause::None, response: None };

    criterion.bench_function("PlayOnPhone/read", |bencher| bencher.iter(|| read(&play)));
    criterion.bench_function("PlayOnPhone/print", |bencher| {
        bencher.iter(|| exchange::call_placed(black_box(call)));
    });
    criterion.bench_function("GetPhoneCallInformation/read", |bencher| bencher.iter(|| read(&poll)));
    criterion.bench_function("GetPhoneCallInformation/print", |bencher| {
        bencher.iter(|| exchange::phone_call_information(black_box(&status)));
    });

    // SEC-94: the worst that fits into a request, refused or read.
    let mut worst = criterion.benchmark_group("worst");
    worst.throughput(Throughput::Bytes(BODY_BYTES_MAX as u64));
    let attributes = format!("<a{}/>", " a=''".repeat((BODY_BYTES_MAX - 8) / 5));
    let declarations = format!("<a{}/>", " xmlns:a=''".repeat((BODY_BYTES_MAX - 8) / 11));
    let elements = format!("<a>{}</a>", "<b/>".repeat((BODY_BYTES_MAX - 8) / 4));
    let references = format!("<a>{}</a>", "&#65;".repeat((BODY_BYTES_MAX - 8) / 5));
    for (name, text) in [
        ("attributes", attributes),
        ("declarations", declarations),
        ("elements", elements),
        ("references", references),
    ] {
        worst.bench_function(name, |bencher| bencher.iter(|| xml::read(black_box(text.as_bytes())).is_ok()));
    }
    worst.finish();
}

criterion_group!(benches, costs);
criterion_main!(benches);

//! What a mail program waits for when it looks into a mailbox of 10,000 messages: `FindItem` over HTTP, by the whole
//! way from the socket to a store on disk and back.
//!
//! `cargo bench -p umbel-web` prints the wall time of the first look after a start, and the median and the slowest of
//! later ones: the first page as it is, with a restriction, and the last page.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::disallowed_methods, missing_docs)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use umbel_store::{Address, Author, Directory, Password, UserEntry};
use umbel_store_sqlite::{Options, Purpose, SqliteStore, StoreWorker};
use umbel_time::UnixTime;
use umbel_web::{Desk, Front, Metrics, PhoneCalls, Random, Settings, StoreHandle};

const MESSAGES: u32 = 10_000;
const LOOKS: usize = 50;

fn main() {
    let parent = std::env::var_os("CARGO_TARGET_TMPDIR").unwrap_or_else(|| "/tmp".into());
    let dir = tempfile::tempdir_in(parent).unwrap();
    fill(dir.path());
    let front = serve(dir.path());
    // A mailbox of which nothing is at hand yet. Argon2 is paid once, and not by FindItem.
    let mut client = Client::connect(front);
    client.ask(SIGN_IN);
    println!("first look at {MESSAGES} messages: {:.2?}", client.ask(&look(0, "")));
    client.report("first page, newest first", &look(0, ""));
    client.report("first page of new voice messages", &look(0, NEW_VOICE_MESSAGES));
    client.report("last page", &look(MESSAGES - 50, ""));
}

/// Asks for nothing in any mailbox.
const SIGN_IN: &str = "<m:ConvertId DestinationFormat=\"EwsId\"><m:SourceIds><t:AlternateId Format=\"EwsId\" \
    Id=\"x\" Mailbox=\"x\"/></m:SourceIds></m:ConvertId>";

const NEW_VOICE_MESSAGES: &str = "<m:Restriction><t:And><t:Contains ContainmentMode=\"Prefixed\" \
    ContainmentComparison=\"IgnoreCase\"><t:FieldURI FieldURI=\"item:ItemClass\"/>\
    <t:Constant Value=\"IPM.Note.Microsoft.Voicemail\"/></t:Contains><t:IsEqualTo><t:FieldURI FieldURI=\"message:IsRead\"/>\
    <t:FieldURIOrConstant><t:Constant Value=\"false\"/></t:FieldURIOrConstant></t:IsEqualTo></t:And></m:Restriction>";

fn now() -> UnixTime {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    UnixTime::from_secs(i64::try_from(now.as_secs()).unwrap())
}

fn options(data: &Path) -> Options {
    let mut options = Options::new(data, Purpose::Server, now());
    options.cost.memory_kib = 8;
    options
}

/// A mailbox of 10,000 messages, a third of them heard.
fn fill(data: &Path) {
    let (mut store, _) = SqliteStore::open(options(data)).unwrap();
    let alice = UserEntry {
        password: Password::new("password"),
        ..UserEntry::new(Address::new("alice", "example.test").unwrap())
    };
    store.put_users(&[alice], &Author::Store, now()).unwrap();
    drop(store);
    let database = rusqlite::Connection::open(data.join("umbel.sqlite")).unwrap();
    let sql = format!(
        "WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < {MESSAGES}) \
         INSERT INTO message (user, number, id, caller, caller_name, caller_verified, subject, importance, received, \
         heard, format, bytes, call_id, file, checksum) \
         SELECT u.id, n.v, randomblob(16), '+1555' || (1000000 + n.v), 'Caller ' || n.v, 1, 'Lunch', 'normal', \
         1790000000000 + 60000 * n.v, n.v % 3 = 0, 'pcmu', 96000, hex(randomblob(12)) || '@192.0.2.7', \
         hex(randomblob(16)) || '.wav', randomblob(32) FROM user u, n"
    );
    database.execute_batch(&sql).unwrap();
}

fn serve(data: &Path) -> SocketAddr {
    let (store, _) = SqliteStore::open(options(data)).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let worker = StoreWorker::spawn(store).unwrap();
        let inbox = worker.inbox();
        let handle = StoreHandle::new(move |op, then| inbox.ask(op, then).map_err(|refused| *refused.op));
        let random = Random::new([7; 32]);
        let settings = Settings {
            domain: "example.test".into(),
            public_url: "http://127.0.0.1".into(),
            telephone_access_numbers: Vec::new(),
            language: "en".into(),
            mail_from: "voicemail@example.test".into(),
            dialling: umbel_play_on_phone::DiallingRules::default(),
        };
        let calls = PhoneCalls::new(random.clone(), |_| false);
        let refuse = |_: &str, _: &str, _: &str| Err(String::new());
        let desk = Desk::new(handle, calls, settings, random, Metrics::new("0"), Arc::new(now), refuse);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let front = Front::bind("127.0.0.1:0".parse().unwrap(), None).await.unwrap();
            tell.send(front.address().unwrap()).unwrap();
            front.serve(desk, std::future::pending()).await;
        });
    });
    told.recv().unwrap()
}

/// The request for a page of fifty, with what a mail program shows of each message.
fn look(offset: u32, restriction: &str) -> String {
    format!(
        "<m:FindItem Traversal=\"Shallow\"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>\
         <t:FieldURI FieldURI=\"item:ItemClass\"/><t:FieldURI FieldURI=\"item:Subject\"/>\
         <t:FieldURI FieldURI=\"item:DateTimeReceived\"/><t:FieldURI FieldURI=\"message:From\"/>\
         <t:FieldURI FieldURI=\"message:IsRead\"/><t:FieldURI FieldURI=\"item:StoreEntryId\"/>\
         <t:ExtendedFieldURI PropertyTag=\"0x6801\" PropertyType=\"Integer\"/></t:AdditionalProperties></m:ItemShape>\
         <m:IndexedPageItemView MaxEntriesReturned=\"50\" Offset=\"{offset}\" BasePoint=\"Beginning\"/>{restriction}\
         <m:SortOrder><t:FieldOrder Order=\"Descending\"><t:FieldURI FieldURI=\"item:DateTimeReceived\"/></t:FieldOrder>\
         </m:SortOrder><m:ParentFolderIds><t:DistinguishedFolderId Id=\"inbox\"/></m:ParentFolderIds></m:FindItem>"
    )
}

struct Client {
    stream: TcpStream,
}

impl Client {
    fn connect(front: SocketAddr) -> Self {
        let stream = TcpStream::connect(front).unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream }
    }

    /// From the first octet sent to the last one read.
    fn ask(&mut self, operation: &str) -> Duration {
        let body = format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" \
             xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"><s:Body>{operation}</s:Body>\
             </s:Envelope>"
        );
        let credentials = STANDARD.encode("alice@example.test:password");
        let request = format!(
            "POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {credentials}\r\n\
             Content-Type: text/xml; charset=utf-8\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let began = Instant::now();
        self.stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let mut buffer = [0; 65_536];
        while !answer.ends_with(b"</s:Envelope>") {
            let read = self.stream.read(&mut buffer).unwrap();
            assert_ne!(read, 0, "{}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&buffer[..read]);
        }
        let took = began.elapsed();
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        took
    }

    fn report(&mut self, what: &str, operation: &str) {
        let mut times: Vec<_> = (0..LOOKS).map(|_| self.ask(operation)).collect();
        times.sort_unstable();
        println!("{what}: median {:.2?}, slowest {:.2?}", times[LOOKS / 2], times[LOOKS - 1]);
    }
}

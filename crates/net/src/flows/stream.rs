//! The octets of one connection, in clear or through TLS, without waiting.
//!
//! Everything here does what can be done at once and says so; waiting is the business of the
//! connection's task. So the event loop can write directly, in its own turn.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, IoSlice, Read, Write};

use bytes::{Buf, Bytes};
use rustls_pki_types::CertificateDer;
use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::limits::READ_BUFFER_BYTES;

/// Pieces handed to the operating system in one call.
const SLICES_MAX: usize = 64;

/// Octets handed to the TLS session before what it made of them has left.
const SEALED_AT_ONCE_BYTES: usize = 32 * 1024;

/// The buffers that all connections of a thread read into, one after the other (DEC-40).
pub(super) struct Buffers {
    from_socket: Box<[u8]>,
    opened: Vec<u8>,
}

impl Buffers {
    pub(super) fn new() -> Self {
        Buffers { from_socket: vec![0; READ_BUFFER_BYTES].into(), opened: Vec::new() }
    }
}

/// What one look at the socket gave.
pub(super) struct Arrived<'a> {
    /// Octets in clear; may be none even though something came.
    pub(super) octets: &'a [u8],
    /// The peer will send no more.
    pub(super) ended: bool,
    /// There may be more to read at once.
    pub(super) more: bool,
}

/// What waits to be sent.
#[derive(Default)]
pub(super) struct Outbound {
    queue: VecDeque<Bytes>,
    bytes: usize,
}

impl Outbound {
    pub(super) fn push(&mut self, bytes: Bytes) {
        self.bytes += bytes.len();
        self.queue.push_back(bytes);
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn slices(&self) -> impl Iterator<Item = IoSlice<'_>> {
        self.queue.iter().take(SLICES_MAX).map(|bytes| IoSlice::new(bytes))
    }

    fn left(&mut self, mut count: usize) {
        self.bytes -= count;
        while let Some(front) = self.queue.front_mut() {
            if front.len() > count {
                front.advance(count);
                return;
            }
            count -= front.len();
            self.queue.pop_front();
        }
        // An idle connection holds nothing.
        self.queue = VecDeque::new();
    }
}

/// How far writing came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// Everything is with the operating system.
    All,
    /// The peer takes no more for now, but took some.
    Some,
    /// The peer takes nothing for now.
    Nothing,
}

/// One connection's socket, with its TLS session if it has one.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<Sealed>),
}

/// A TLS session after its handshake.
pub(super) struct Sealed {
    socket: TcpStream,
    session: RefCell<rustls::Connection>,
}

impl Stream {
    pub(super) fn tls(socket: TcpStream, session: rustls::Connection) -> Self {
        Stream::Tls(Box::new(Sealed { socket, session: RefCell::new(session) }))
    }

    pub(super) fn socket(&self) -> &TcpStream {
        match self {
            Stream::Plain(socket) => socket,
            Stream::Tls(sealed) => &sealed.socket,
        }
    }

    /// The chain that the peer showed in this session, or in the one that it resumes.
    pub(super) fn peer_chain(&self) -> Option<Vec<CertificateDer<'static>>> {
        match self {
            Stream::Plain(_) => None,
            Stream::Tls(sealed) => {
                let session = sealed.session.borrow();
                session
                    .peer_certificates()
                    .map(|chain| chain.iter().map(|der| der.clone().into_owned()).collect())
            }
        }
    }

    /// Takes what is there. [`io::ErrorKind::WouldBlock`]: nothing is.
    pub(super) fn read<'a>(&self, buffers: &'a mut Buffers) -> io::Result<Arrived<'a>> {
        match self {
            Stream::Plain(socket) => {
                let count = try_read(socket, &mut buffers.from_socket)?;
                let octets = buffers.from_socket.get(..count).unwrap_or_default();
                Ok(Arrived { octets, ended: count == 0, more: count == READ_BUFFER_BYTES })
            }
            Stream::Tls(sealed) => sealed.read(buffers),
        }
    }

    /// Sends as much of `outbound` as the peer takes now.
    pub(super) fn write(&self, outbound: &mut Outbound) -> io::Result<Written> {
        match self {
            Stream::Plain(socket) => write_plain(socket, outbound),
            Stream::Tls(sealed) => sealed.write(outbound),
        }
    }

    /// Says goodbye in the way of the transport, as far as it can be done at once.
    pub(super) fn finish(&self) {
        if let Stream::Tls(sealed) = self {
            let mut session = sealed.session.borrow_mut();
            session.send_close_notify();
            // The peer may be gone already; then nobody misses the alert.
            let _ = session.write_tls(&mut Now(&sealed.socket));
        }
        let _ = socket2::SockRef::from(self.socket()).shutdown(std::net::Shutdown::Write);
    }
}

/// Reads what is there. Octets that leave room in the buffer were all there were (as an edge of epoll tells of
/// what comes later, and of the peer's end): the socket counts as not readable then, and is not asked again.
fn try_read(socket: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut all = None;
    let read = socket.try_io(Interest::READABLE, || {
        let count = (&*socket2::SockRef::from(socket)).read(buffer)?;
        if count == 0 || count == buffer.len() {
            return Ok(count);
        }
        all = Some(count);
        // What the runtime takes for "nothing more".
        Err(io::ErrorKind::WouldBlock.into())
    });
    all.map_or(read, Ok)
}

fn write_plain(socket: &TcpStream, outbound: &mut Outbound) -> io::Result<Written> {
    let mut written = Written::Nothing;
    while outbound.bytes > 0 {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let mut count = 0;
        for (slot, slice) in slices.iter_mut().zip(outbound.slices()) {
            *slot = slice;
            count += 1;
        }
        match socket.try_write_vectored(slices.get(..count).unwrap_or_default()) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                outbound.left(count);
                written = Written::Some;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(written),
            Err(error) => return Err(error),
        }
    }
    Ok(Written::All)
}

impl Sealed {
    fn read<'a>(&self, buffers: &'a mut Buffers) -> io::Result<Arrived<'a>> {
        let Buffers { from_socket, opened } = buffers;
        opened.clear();
        let mut session = self.session.borrow_mut();
        // What came together with the end of the handshake.
        let mut ended = take_opened(&mut session, opened)?;
        let mut more = false;
        match try_read(&self.socket, from_socket) {
            Ok(0) => ended = true,
            Ok(count) => {
                more = count == READ_BUFFER_BYTES;
                let mut sealed = from_socket.get(..count).unwrap_or_default();
                while !sealed.is_empty() && !ended {
                    session.read_tls(&mut sealed)?;
                    if let Err(error) = session.process_new_packets() {
                        // The library has an alert ready that says what is wrong.
                        let _ = session.write_tls(&mut Now(&self.socket));
                        return Err(io::Error::new(io::ErrorKind::InvalidData, error));
                    }
                    ended = take_opened(&mut session, opened)?;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && (ended || !opened.is_empty()) => {}
            Err(error) => return Err(error),
        }
        // Tickets and key updates that reading has called for; what does not leave now, leaves with
        // what is written next.
        if session.wants_write() {
            let _ = session.write_tls(&mut Now(&self.socket));
        }
        Ok(Arrived { octets: opened, ended, more })
    }

    fn write(&self, outbound: &mut Outbound) -> io::Result<Written> {
        let mut session = self.session.borrow_mut();
        let mut written = Written::Nothing;
        loop {
            while session.wants_write() {
                match session.write_tls(&mut Now(&self.socket)) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(_) => written = Written::Some,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(written),
                    Err(error) => return Err(error),
                }
            }
            if outbound.bytes == 0 {
                return Ok(Written::All);
            }
            let mut sealed = 0;
            while sealed < SEALED_AT_ONCE_BYTES
                && let Some(front) = outbound.queue.front()
            {
                let count = session.writer().write(front)?;
                if count == 0 {
                    break;
                }
                sealed += count;
                outbound.left(count);
            }
        }
    }
}

/// Moves what the session has opened to the end of `opened`; says whether the peer has closed it.
fn take_opened(session: &mut rustls::Connection, opened: &mut Vec<u8>) -> io::Result<bool> {
    let mut reader = session.reader();
    loop {
        let start = opened.len();
        opened.resize(start + OPENED_STEP_BYTES, 0);
        let read = reader.read(opened.get_mut(start..).unwrap_or_default());
        opened.truncate(start + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => return Ok(true),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

/// The longest TLS record (RFC 8446 5.1).
const OPENED_STEP_BYTES: usize = 16 * 1024;

/// The socket as the TLS library wants it: now, or [`io::ErrorKind::WouldBlock`].
struct Now<'a>(&'a TcpStream);

impl Write for Now<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.try_write(octets)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! The guard of a fault: what it has open, and the thread that plays it.

use std::io::{self, ErrorKind, Read};
use std::net::{Shutdown, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use netcore::deadline::Deadline;

use crate::Address;
use crate::last_words::LastWords;
use crate::proxy::{Passed, Proxy};
use crate::stream::{Stream, name};
use crate::third_party::ThirdParty;

/// A fault that goes on. Dropping this ends it and waits until it has ended.
#[derive(Debug)]
pub struct Running {
    address: Address,
    peers: Vec<String>,
    streams: Arc<Vec<Stream>>,
    socket: Option<UdpSocket>,
    relay: Option<Relay>,
    thread: Option<JoinHandle<()>>,
    /// Closed by the thread's end.
    ended: Option<Receiver<()>>,
    /// Its own bounds have ended it, and not the server.
    outlasted: Arc<AtomicBool>,
    verdict: Result<String, String>,
    last_words: Option<LastWords>,
    ears: Option<(Proxy, Receiver<Passed>)>,
    third_party: Option<ThirdParty>,
}

/// What ends a thread that waits in a receive: the flag, and a datagram that makes it
/// look.
#[derive(Debug)]
struct Relay {
    address: SocketAddr,
    ending: Arc<AtomicBool>,
}

/// From one look to the next.
const A_MOMENT: Duration = Duration::from_millis(50);

/// Takes of what has come as much as a socket holds, and waits for no more.
fn make_room(mut stream: &Stream) {
    let mut scrap = vec![0; 1 << 20];
    for _ in 0..8 {
        let read = stream.set_read_timeout(Some(A_MOMENT)).and_then(|()| stream.read(&mut scrap));
        if read.is_err() {
            return;
        }
    }
}

impl Running {
    /// Where an ordinary client goes: the server itself, or a relay that stands for a
    /// bad network.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Whether it goes on beside the caller; if not, it was over when it had taken
    /// hold.
    pub fn lasts(&self) -> bool {
        let held = self.socket.is_some() || self.last_words.is_some() || self.ears.is_some();
        self.thread.is_some() || held || self.third_party.is_some()
    }

    /// What the server calls the faulty peers, or the relay, in its log.
    pub fn peers(&self) -> &[String] {
        &self.peers
    }

    /// What the faulty peer has seen by itself: that it got what was due to it, or what
    /// it got instead. Both complete "the faulty client ".
    ///
    /// # Errors
    /// The same, where it is not what should have come.
    pub fn verdict(&self) -> Result<&str, &str> {
        self.verdict.as_deref().map_err(String::as_str)
    }

    /// What a faulty server has seen of the client that went to it, in words that complete
    /// "the third party ".
    ///
    /// # Errors
    /// The same, where the client has done what it should not.
    pub fn of_the_client(&self) -> Result<String, String> {
        match &self.third_party {
            Some(party) => party.judged(),
            None => Err("is none".into()),
        }
    }

    /// Waits until the server has ended what a lasting fault had open, for `limit` at
    /// most. `false` when it has not, also where the fault has come to its own bounds
    /// meanwhile: then the server has let it go on for all of that.
    pub fn wait_until_dropped(&self, limit: Duration) -> bool {
        let Some(ended) = &self.ended else { return true };
        let (mut over, deadline) = (ended.recv_timeout(limit / 2), Deadline::after(limit / 2));
        // Who has no room left is not always told that the server has closed: Linux passes over
        // what comes without room, also what it says of the other end.
        while over == Err(RecvTimeoutError::Timeout) && !deadline.has_passed() {
            self.streams.iter().for_each(make_room);
            over = ended.recv_timeout(A_MOMENT);
        }
        over == Err(RecvTimeoutError::Disconnected) && !self.outlasted.load(Ordering::SeqCst)
    }

    /// What a client that has yet to read still hears when its server has been told to
    /// stop: it says one thing more and reads to the end. The bytes of whole replies, as
    /// the server's log counts them.
    ///
    /// # Errors
    /// What came instead of the end of the stream, in words that complete "the faulty
    /// client "; also where the fault is not such a client.
    pub fn hear_the_end(&self) -> Result<usize, String> {
        match (&self.last_words, self.streams.first()) {
            (Some(last), Some(stream)) => last.say(stream),
            _ => Err("has nothing more to say".into()),
        }
    }

    /// Everything that has passed since the last call, one thing after the other.
    pub fn overheard(&self) -> Vec<u8> {
        let passed = self.ears.iter().flat_map(|(_, recorded)| recorded.try_iter());
        passed.flat_map(|passed| passed.bytes).collect()
    }

    /// A server that is the fault.
    pub(crate) fn answering(party: ThirdParty) -> Running {
        let place = party.address().unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
        let mut running = Running::judged(&place.into(), Vec::new(), Ok("listens".into()));
        running.third_party = Some(party);
        running
    }

    /// A proxy that only listens.
    pub(crate) fn overhearing(proxy: Proxy, recorded: Receiver<Passed>) -> Running {
        let mut running = Running::over(proxy.address(), proxy.address().to_string());
        running.ears = Some((proxy, recorded));
        running
    }

    /// A client that keeps its stream, and reads nothing of it before
    /// [`hear_the_end`](Running::hear_the_end).
    pub(crate) fn last_words(
        server: &Address,
        stream: Stream,
        last: LastWords,
    ) -> io::Result<Running> {
        let mut running = Running::over(server, name(&stream)?);
        running.streams = Arc::new(vec![stream]);
        running.last_words = Some(last);
        Ok(running)
    }

    /// A fault that is over: `peer` has done what it does.
    pub(crate) fn over(server: &Address, peer: String) -> Running {
        Running::judged(server, vec![peer], Ok("has done what it does".into()))
    }

    /// A fault that is over, with what its peers have seen.
    pub(crate) fn judged(
        server: &Address,
        peers: Vec<String>,
        verdict: Result<String, String>,
    ) -> Running {
        Running {
            address: server.clone(),
            peers,
            streams: Arc::default(),
            socket: None,
            relay: None,
            thread: None,
            ended: None,
            outlasted: Arc::default(),
            verdict,
            last_words: None,
            ears: None,
            third_party: None,
        }
    }

    /// Nothing at all: what happens is not done by a peer.
    pub(crate) fn nothing(server: &Address) -> Running {
        Running::judged(server, Vec::new(), Ok("has nothing to do".into()))
    }

    /// A client that keeps its socket until this is dropped.
    pub(crate) fn keeping(server: &Address, socket: UdpSocket) -> io::Result<Running> {
        let mut running = Running::over(server, socket.local_addr()?.to_string());
        running.socket = Some(socket);
        Ok(running)
    }

    /// A fault that `play`s on its streams in a thread of its own. Whatever they say
    /// ends it; only the end of its own time is not taken for the server's doing.
    pub(crate) fn playing(
        server: &Address,
        streams: Vec<Stream>,
        play: impl FnOnce(&[Stream]) -> io::Result<()> + Send + 'static,
    ) -> io::Result<Running> {
        let peers = streams.iter().map(name).collect::<io::Result<_>>()?;
        let streams = Arc::new(streams);
        let mine = streams.clone();
        let outlasted = Arc::new(AtomicBool::new(false));
        let outlasts = outlasted.clone();
        let (ends, ended) = mpsc::channel();
        let thread = thread::Builder::new().name("fault".into()).spawn(move || {
            let _ends = ends;
            // Before the channel is closed, so that whoever hears of the end can ask why. What ends
            // the time of a socket of the standard library is WouldBlock on Unix.
            let over = play(&mine).is_err_and(|error| {
                matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
            });
            outlasts.store(over, Ordering::SeqCst);
            end(&mine);
        })?;
        let mut running = Running::judged(server, peers, Ok("goes on".into()));
        running.streams = streams;
        running.thread = Some(thread);
        running.ended = Some(ended);
        running.outlasted = outlasted;
        Ok(running)
    }

    /// A relay that `play`s on `socket`, before the server, until the flag that it is
    /// handed is set.
    pub(crate) fn relaying(
        socket: UdpSocket,
        play: impl FnOnce(&UdpSocket, &AtomicBool) -> io::Result<()> + Send + 'static,
    ) -> io::Result<Running> {
        let address = socket.local_addr()?;
        let ending = Arc::new(AtomicBool::new(false));
        let flag = ending.clone();
        let thread = thread::Builder::new().name("relay".into()).spawn(move || {
            let _ = play(&socket, &flag);
        })?;
        let mut running = Running::over(&address.into(), address.to_string());
        running.relay = Some(Relay { address, ending });
        running.thread = Some(thread);
        Ok(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ends whatever the thread is blocked in.
        end(&self.streams);
        if let Some(relay) = &self.relay {
            relay.end();
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Relay {
    fn end(&self) {
        self.ending.store(true, Ordering::SeqCst);
        // If this one were lost, the relay would end at its lifetime.
        if let Ok(socket) = UdpSocket::bind((self.address.ip(), 0)) {
            let _ = socket.send_to(&[], self.address);
        }
    }
}

fn end(streams: &[Stream]) {
    for stream in streams {
        // Fails only where the server has closed already.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

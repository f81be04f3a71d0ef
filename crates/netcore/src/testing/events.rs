//! The log as a source of events: a test waits for a line of it, or has the server fail
//! or wait where it writes one.

use std::collections::BTreeSet;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError};

use log::{LevelFilter, Log, Metadata, Record};

use super::GENEROUS;

/// What a server says in its log when it has read something of a client, behind the
/// client's address. What it does with it comes next.
const RECEIVED: &str = " received ";

/// What it says when it hands a reply over, behind the client's address.
const SENDING: &str = " sending ";

/// What happens to the server when it has read something of a client.
#[derive(Debug, Clone)]
enum Fault {
    /// It meets a bug.
    Panic,
    /// It works on the reply until the test lets go.
    Hold { held: Sender<()>, released: Arc<Mutex<Receiver<()>>> },
}

/// The work of a server on one client's question, which goes on when this is dropped.
#[derive(Debug)]
pub struct Hold {
    held: Receiver<()>,
    _release: Sender<()>,
}

impl Hold {
    /// Waits until the server has read something of the client, and works on it.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn wait_until_held(&self) {
        self.held.recv_timeout(GENEROUS).expect("the server reads what the client has sent");
    }
}

struct Events {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    lines: Vec<String>,
    /// The addresses of the clients that a test has.
    known: BTreeSet<String>,
    /// By the address of the client.
    faults: Vec<(String, Fault)>,
}

static EVENTS: Events = Events {
    state: Mutex::new(State { lines: Vec::new(), known: BTreeSet::new(), faults: Vec::new() }),
    changed: Condvar::new(),
};

/// Begins to listen to the log of this process.
///
/// # Panics
/// When the process has another log already.
pub fn listen() {
    static LISTEN: Once = Once::new();
    LISTEN.call_once(|| {
        log::set_logger(&EVENTS).expect("no test of this file starts a log of its own");
        log::set_max_level(LevelFilter::Debug);
    });
}

/// Waits for a line that holds all of `parts`.
///
/// # Panics
/// When it does not come.
#[track_caller]
pub fn expect(parts: &[&str]) {
    let mut seen = 0;
    let is_missing = |state: &mut State| {
        let new = state.lines[seen..].iter();
        seen = state.lines.len();
        !new.into_iter().any(|line| parts.iter().all(|part| line.contains(part)))
    };
    let waited = EVENTS.changed.wait_timeout_while(EVENTS.state(), GENEROUS, is_missing);
    assert!(!waited.is_ok_and(|(_, waited)| waited.timed_out()), "no log line with {parts:?}");
}

/// The bytes of each message that the server has handed over to the client at `peer`.
pub fn handed_over(peer: &str) -> Vec<usize> {
    let state = EVENTS.state();
    let sent = state.lines.iter().filter_map(|line| of(line, peer)?.strip_prefix(SENDING));
    sent.filter_map(|rest| rest.split(' ').next()?.parse().ok()).collect()
}

/// Has the server panic when it has read something of the client at `peer`.
pub fn panic_at(peer: &str) {
    EVENTS.state().faults.push((peer.into(), Fault::Panic));
}

/// Has the server work for as long as the test likes on what the client at `peer` sends.
pub fn hold_at(peer: &str) -> Hold {
    let (holds, held) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let released = Arc::new(Mutex::new(released));
    EVENTS.state().faults.push((peer.into(), Fault::Hold { held: holds, released }));
    Hold { held, _release: release }
}

/// Keeps the address `peer` for one client, until [`forget`].
pub fn know(peer: &str) {
    EVENTS.state().known.insert(peer.into());
}

/// Whether the address is kept.
pub fn is_known(peer: &str) -> bool {
    EVENTS.state().known.contains(peer)
}

/// Forgets the client at `peer`: the next one may have the same address.
pub fn forget(peer: &str) {
    let mut state = EVENTS.state();
    state.known.remove(peer);
    state.faults.retain(|(other, _)| other != peer);
    // Emptied and not removed: somebody else counts them.
    state.lines.iter_mut().filter(|line| line.starts_with(peer)).for_each(String::clear);
}

/// What a line says of the client at `peer`, behind its address and the name that it may
/// have proven: `127.0.0.1:50001/ann`.
fn of<'a>(line: &'a str, peer: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(peer)?;
    match rest.strip_prefix('/') {
        Some(named) => named.find(' ').map(|end| &named[end..]),
        None => Some(rest),
    }
}

impl Events {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn fault(&self, line: &str) -> Option<Fault> {
        let is_meant = |peer: &str| of(line, peer)?.strip_prefix(RECEIVED);
        self.faults.iter().find_map(|(peer, fault)| is_meant(peer).map(|_| fault.clone()))
    }
}

impl Log for Events {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = record.args().to_string();
        let mut state = self.state();
        let fault = state.fault(&line);
        state.lines.push(line);
        self.changed.notify_all();
        // A server that is held must be able to write other lines.
        drop(state);
        match fault {
            Some(Fault::Panic) => panic!("a bug of the test's: this line is expected"),
            Some(Fault::Hold { held, released }) => {
                let _ = held.send(());
                // Ends when the test has dropped the other end.
                let _ = released.lock().unwrap_or_else(PoisonError::into_inner).recv();
            }
            None => {}
        }
    }

    fn flush(&self) {}
}

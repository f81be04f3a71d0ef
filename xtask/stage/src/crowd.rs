//! A crowd that comes to the server all at once, and says nothing.

use std::net::UdpSocket;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use ladder::Address;
use netfault::{LIFETIME, Transport};

use crate::event::What;
use crate::feed::Teller;

/// How many come at most.
pub const MOST: usize = 1_000;

/// Between two of them, so that an eye can follow.
const APART: Duration = Duration::from_millis(2);

/// After so many the page is told how many there are.
const TOLD: usize = 20;

/// Sends `number` clients to `server`, straight and not through a proxy, which leave when what
/// is returned is dropped. Over UDP each says `hello`, since there is nothing else that it
/// could do.
pub fn come(
    server: &Address,
    transport: Transport,
    hello: &[u8],
    number: usize,
    teller: &Teller,
) -> Sender<()> {
    let (here, leaves) = channel();
    let (server, hello, teller) = (server.clone(), hello.to_vec(), teller.clone());
    let asked = number.min(MOST);
    thread::spawn(move || match transport {
        Transport::Tcp => gather(asked, &leaves, &teller, || netfault::connection(&server).ok()),
        Transport::Udp => gather(asked, &leaves, &teller, || asker(&server, &hello)),
    });
    here
}

fn gather<T>(
    asked: usize,
    leaves: &Receiver<()>,
    teller: &Teller,
    mut one: impl FnMut() -> Option<T>,
) {
    let mut all = Vec::new();
    let mut refused = 0;
    let tell = |came, refused, here| teller.now(&What::Crowd { asked, came, refused, here });
    tell(0, 0, true);
    for number in 1..=asked {
        match one() {
            Some(client) => all.push(client),
            None => refused += 1,
        }
        if number % TOLD == 0 || number == asked {
            tell(all.len(), refused, true);
        }
        // The pause is what makes it a crowd that comes.
        if leaves.recv_timeout(APART) == Err(RecvTimeoutError::Disconnected) {
            break;
        }
    }
    let _ = leaves.recv_timeout(LIFETIME);
    let came = all.len();
    drop(all);
    tell(came, refused, false);
}

fn asker(server: &Address, hello: &[u8]) -> Option<UdpSocket> {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).ok()?;
    socket.connect(server.inet().ok()?).ok()?;
    socket.send(hello).ok()?;
    Some(socket)
}

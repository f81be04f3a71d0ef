//! A crowd that comes to the server all at once, and says nothing.

use std::net::UdpSocket;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use ladder::{Address, Failure};
use netfault::{LIFETIME, Transport};

use crate::event::What;
use crate::feed::Teller;
use crate::system::aside;

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
) -> Result<Sender<()>, Failure> {
    let (here, leaves) = channel();
    let (server, hello, teller) = (server.clone(), hello.to_vec(), teller.clone());
    let asked = number.min(MOST);
    let come = move || match transport {
        Transport::Tcp => gather(asked, &leaves, &teller, || netfault::connection(&server).ok()),
        Transport::Udp => gather(asked, &leaves, &teller, || asker(&server, &hello)),
    };
    aside("crowd", come)?;
    Ok(here)
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::Arc;

    use super::*;
    use crate::feed::{Feed, tests::session};

    #[test]
    fn a_crowd_is_here_until_it_is_told_to_leave() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::Inet(listener.local_addr().unwrap());
        let feed = Arc::new(Feed::default());
        let teller = feed.begin(session());
        let crowd = come(&address, Transport::Tcp, b"", 3, &teller).unwrap();
        let mut clients: Vec<_> = (0..3).map(|_| listener.accept().unwrap().0).collect();
        drop(crowd);
        for client in &mut clients {
            client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            assert_eq!(std::io::Read::read(client, &mut [0]).unwrap(), 0);
        }
        assert!(feed.events().iter().any(|event| event.contains("\"asked\":3")));
    }
}

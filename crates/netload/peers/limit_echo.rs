//! The limit line: the least that a TCP echo can do for each message. One thread,
//! epoll, one read and one write.
//!
//! What a server for people needs is left out on purpose: no limits, no log, no orderly
//! end.
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{self, ErrorKind, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;

    use netcore::listen;
    use rustix::buffer::spare_capacity;
    use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
    use socket2::SockRef;

    /// Bytes that one call reads at most.
    const BUFFER: usize = 64 << 10;

    /// The listener's mark in an event; those of the clients are their descriptors.
    const LISTENER: u64 = u64::MAX;

    struct Visit {
        stream: TcpStream,
        /// The rest of a reply that the socket did not take. Nothing is read before it
        /// has gone.
        unsent: Vec<u8>,
    }

    pub fn run() -> io::Result<()> {
        let listener = listen::tcp("127.0.0.1", 0).map_err(io::Error::other)?;
        listener.set_nonblocking(true)?;
        // Linux hands it on to the connections.
        SockRef::from(&listener).set_tcp_nodelay(true)?;
        println!("listening on {}", listener.local_addr()?);

        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        let mut visits: Vec<Option<Visit>> = Vec::new();
        let mut events = Vec::with_capacity(1024);
        let mut buf = vec![0; BUFFER];
        loop {
            epoll::wait(&epoll, spare_capacity(&mut events), None)?;
            for event in events.drain(..) {
                let (mark, flags) = (event.data.u64(), event.flags);
                if mark == LISTENER {
                    accept_all(&listener, &epoll, &mut visits)?;
                    continue;
                }
                let Some(place) = visits.get_mut(mark as usize) else { continue };
                let Some(visit) = place else { continue };
                let closing =
                    flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
                if !visit.turn(&mut buf, closing) {
                    // Closing the descriptor takes it out of epoll as well.
                    *place = None;
                }
            }
        }
    }

    fn accept_all(
        listener: &TcpListener,
        epoll: &impl std::os::fd::AsFd,
        visits: &mut Vec<Option<Visit>>,
    ) -> io::Result<()> {
        loop {
            let stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            stream.set_nonblocking(true)?;
            let mark = stream.as_raw_fd() as usize;
            let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
            epoll::add(epoll, &stream, EventData::new_u64(mark as u64), flags)?;
            if visits.len() <= mark {
                visits.resize_with(mark + 1, || None);
            }
            visits[mark] = Some(Visit { stream, unsent: Vec::new() });
        }
    }

    impl Visit {
        /// Reads and writes what can be. Returns whether the connection stays.
        fn turn(&mut self, buf: &mut [u8], closing: bool) -> bool {
            loop {
                while !self.unsent.is_empty() {
                    match self.stream.write(&self.unsent) {
                        Ok(n) => drop(self.unsent.drain(..n)),
                        Err(error) => return error.kind() == ErrorKind::WouldBlock,
                    }
                }
                let n = match self.stream.read(buf) {
                    Ok(0) => return false,
                    Ok(n) => n,
                    Err(error) => return error.kind() == ErrorKind::WouldBlock,
                };
                let written = match self.stream.write(&buf[..n]) {
                    Ok(written) => written,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                    Err(_) => return false,
                };
                self.unsent.extend_from_slice(&buf[written..n]);
                // A read that did not fill the buffer has emptied the socket.
                if n < buf.len() && !closing && self.unsent.is_empty() {
                    return true;
                }
            }
        }
    }
}

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    linux::run()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("error: epoll is Linux only");
    std::process::exit(1);
}

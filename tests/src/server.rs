//! A rung's server on a port of its own, ready before a test speaks to it and gone when
//! the test ends.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Deref;

use ladder::Address;

use crate::ladder::Rung;
use crate::peer::Peer;
use crate::place::SocketFile;
use crate::process::{Finished, Process};
use crate::tls;

/// A running server. It reads as the [`Process`] in it does.
#[derive(Debug)]
pub struct Server {
    rung: &'static Rung,
    process: Process,
    /// What the ready line says.
    pub address: Address,
    // After the process, which may still listen there.
    _file: Option<SocketFile>,
}

impl Server {
    /// Starts `rung server --port 0 args...`, or the same on a file, and waits for its
    /// ready line.
    ///
    /// # Panics
    /// When it does not become ready.
    #[track_caller]
    pub fn start(rung: &'static Rung, args: &[&str]) -> Server {
        Server::start_at(rung, &rung.free_address(), args)
    }

    /// As [`start`](Server::start), where nobody listens when it has ended.
    ///
    /// # Panics
    /// When it does not become ready.
    #[track_caller]
    pub fn start_lasting(rung: &'static Rung, args: &[&str]) -> Server {
        Server::start_at(rung, &rung.lasting_address(), args)
    }

    /// As [`start`](Server::start), on a port that the test knows to be free.
    ///
    /// # Panics
    /// When it does not become ready.
    #[track_caller]
    pub fn start_on(rung: &'static Rung, port: u16, args: &[&str]) -> Server {
        Server::start_at(rung, &Address::port(port), args)
    }

    /// As [`start`](Server::start), at this address.
    ///
    /// # Panics
    /// When it does not become ready.
    #[track_caller]
    pub fn start_at(rung: &'static Rung, address: &Address, args: &[&str]) -> Server {
        let _file = SocketFile::of(address);
        let [option, value] = address.option();
        let process = rung.start(&[&["server", &option, &value], args].concat());
        let ready = process.expect_stdout(&["listening on "]);
        let Some(address) = ladder::ready::address(&ready) else {
            panic!("{}: not a ready line: {ready:?}", rung.name)
        };
        Server { rung, process, address, _file }
    }

    /// Where a client on this machine finds it, also when it listens on every
    /// interface.
    pub fn reachable(&self) -> Address {
        let Address::Inet(address) = self.address else { return self.address.clone() };
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, address.port()).into()
    }

    /// Its address, where that is one of the internet.
    ///
    /// # Panics
    /// Where it is a file.
    #[track_caller]
    pub fn inet(&self) -> SocketAddr {
        self.address.inet().expect("it listens on a port")
    }

    /// Its port.
    ///
    /// # Panics
    /// Where it listens on a file.
    #[track_caller]
    pub fn port(&self) -> u16 {
        self.inet().port()
    }

    /// A connection to it, encrypted where it wants that.
    #[track_caller]
    pub fn connect(&self) -> Peer {
        Server::connect_to(self.rung, self.reachable())
    }

    /// The same, to a server of this rung that somebody else has started.
    ///
    /// # Panics
    /// When nobody listens there.
    #[track_caller]
    pub fn connect_to(rung: &Rung, address: Address) -> Peer {
        match (tls::speaks(rung), &address) {
            (true, Address::Inet(address)) => Peer::encrypted(tls::connect(rung, *address)),
            _ => Peer::connect(address),
        }
    }

    /// The same, with next to no room for replies, for a test that will not read them.
    #[track_caller]
    pub fn connect_deaf(&self) -> Peer {
        match tls::speaks(self.rung) {
            true => Peer::encrypted(tls::connect_with_little_room(self.rung, self.inet())),
            false => Peer::connect_deaf(self.reachable()),
        }
    }

    /// Runs the rung's own client against it, to its end.
    #[track_caller]
    pub fn client(&self, args: &[&str]) -> Finished {
        self.client_with_input(args, b"")
    }

    /// As [`client`](Server::client), with `input` to read.
    #[track_caller]
    pub fn client_with_input(&self, args: &[&str], input: &[u8]) -> Finished {
        match self.reachable() {
            Address::Inet(address) => self.client_at(&address.ip().to_string(), args, input),
            file => {
                let [option, value] = file.option();
                let args = [&["client", &option, &value], args].concat();
                self.rung.run_with_input(&args, input)
            }
        }
    }

    /// As [`client_with_input`](Server::client_with_input), under another of the
    /// server's addresses or names.
    #[track_caller]
    pub fn client_at(&self, host: &str, args: &[&str], input: &[u8]) -> Finished {
        let port = self.port().to_string();
        self.rung
            .run_with_input(&[&["client", "--host", host, "--port", &port], args].concat(), input)
    }

    /// Waits for a log line that holds all of `parts`, and returns it.
    #[track_caller]
    pub fn expect_log(&self, parts: &[&str]) -> String {
        self.process.expect_stderr(parts)
    }

    /// Waits for the server to end by itself.
    #[track_caller]
    pub fn wait(self) -> Finished {
        self.process.wait()
    }

    /// Asks it to stop, as `kill` and process managers do, and waits for its end.
    #[cfg(unix)]
    #[track_caller]
    pub fn stop(self) -> Finished {
        self.process.signal(rustix::process::Signal::TERM);
        self.process.wait()
    }
}

impl Deref for Server {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

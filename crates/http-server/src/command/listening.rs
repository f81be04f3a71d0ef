//! Where the command line's server listens: on both loopback addresses, on others,
//! everywhere, or on a socket file; and under which of these a person finds it.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs, UdpSocket};

use httpcore::head::host;
use netcore::address::Address;
use netcore::unix::{self, Claim, Mode};
use netcore::{Error, listen};
use socket2::Socket;

use crate::PORT;

/// The last port that is tried when nobody has asked for one.
const LAST_PORT: u16 = 8010;

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub enum Where<'a> {
    /// 127.0.0.1 and ::1.
    Loopback,
    /// Every interface.
    Everywhere,
    /// These addresses, names and socket files.
    On(&'a [String]),
}

/// Sockets that listen.
#[derive(Debug)]
pub struct Listening {
    /// At least one.
    pub sockets: Vec<Socket>,
    /// How a browser on this machine gets there.
    pub url: String,
    /// What a person should know.
    pub notes: Vec<String>,
    /// The files of those that have one.
    pub claims: Vec<Claim>,
}

impl Listening {
    /// Listens on `port`; where nobody has asked for one, on 8000 or the next that is
    /// free. Socket files are made with `mode`. `scheme` is `http` or `https`, for the
    /// addresses that people are told.
    ///
    /// # Errors
    /// As [`listen::tcp`] and [`unix::listen`]; [`Error::Usage`] for a place that is given
    /// twice.
    pub fn open(
        place: Where<'_>,
        port: Option<u16>,
        mode: Mode,
        scheme: &str,
    ) -> Result<Listening, Error> {
        let (wanted, last) = match port {
            Some(port) => (port, port),
            None => (PORT, LAST_PORT),
        };
        let mut port = wanted;
        let mut listening = loop {
            match Listening::on(place, port, mode) {
                Err(Error::Listen { address, source })
                    if source.kind() == io::ErrorKind::AddrInUse
                        && !address.starts_with(unix::PREFIX)
                        && port < last =>
                {
                    port += 1;
                }
                opened => break opened?,
            }
        };
        if port != wanted {
            listening.notes.push(format!("port {wanted} is busy; this is the next free one"));
        }
        listening.describe(scheme);
        Ok(listening)
    }

    /// Listens on sockets that somebody else has opened, whose files are theirs as well.
    pub fn handed_over(sockets: Vec<Socket>, scheme: &str) -> Listening {
        let file = sockets.iter().find_map(|socket| {
            let address = Address::of(&socket.local_addr().ok()?);
            address.filter(|address| matches!(address, Address::Unix(_))).map(|at| at.word())
        });
        let url = file.unwrap_or_else(|| "a socket without a name".into());
        let mut listening = Listening { sockets, url, notes: Vec::new(), claims: Vec::new() };
        listening.describe(scheme);
        listening
    }

    fn on(place: Where<'_>, port: u16, mode: Mode) -> Result<Listening, Error> {
        let mut listening = Listening {
            sockets: Vec::new(),
            url: String::new(),
            notes: Vec::new(),
            claims: Vec::new(),
        };
        match place {
            Where::Loopback => listening.sockets = loopback(port)?,
            Where::Everywhere => {
                listening.sockets.push(everywhere(port)?);
            }
            Where::On(hosts) => {
                for (at, host) in hosts.iter().enumerate() {
                    let before = &hosts[..at];
                    let opened = listening.add(host, port, mode);
                    opened.map_err(|error| not_by_others(error, host, before))?;
                }
            }
        }
        Ok(listening)
    }

    fn add(&mut self, host: &str, port: u16, mode: Mode) -> Result<(), Error> {
        match host.strip_prefix(unix::PREFIX) {
            Some(path) => self.add_file(path, mode),
            None => {
                // With port 0, all addresses get the one that the first of them got.
                let port =
                    self.sockets.iter().find_map(address).map_or(port, |address| address.port());
                self.sockets.push(listen::tcp(host, port)?.into());
                Ok(())
            }
        }
    }

    fn add_file(&mut self, path: &str, mode: Mode) -> Result<(), Error> {
        let (socket, claim) = unix::listen(path.as_ref(), mode.0)?.into_parts();
        self.url = unix::word(path.as_ref());
        self.sockets.push(socket);
        self.claims.push(claim);
        Ok(())
    }

    fn describe(&mut self, scheme: &str) {
        let addresses: Vec<SocketAddr> = self.sockets.iter().filter_map(address).collect();
        if let Some(first) = addresses.first() {
            self.url = match first.ip().to_canonical().is_unspecified() {
                true => format!("{scheme}://127.0.0.1:{}/", first.port()),
                false => format!("{scheme}://{}/", host::of(*first)),
            };
        }
        for socket in &self.sockets {
            let Some(address) = address(socket).filter(|address| !is_loopback(*address)) else {
                continue;
            };
            if !address.ip().to_canonical().is_unspecified() {
                self.notes
                    .push(format!("listening on {address}: whoever can reach it can read this"));
                continue;
            }
            let note = "listening on every interface: whoever can reach this machine can read this";
            self.notes.push(note.to_string());
            for ip in lan_addresses().into_iter().filter(|ip| takes(socket, *ip)) {
                let there = host::of(SocketAddr::new(ip, address.port()));
                self.notes.push(format!("from other machines: {scheme}://{there}/"));
            }
        }
    }
}

/// Where a place is busy because an earlier word has it, no other server is in the way.
fn not_by_others(error: Error, host: &str, before: &[String]) -> Error {
    let is_busy =
        matches!(&error, Error::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse);
    match before.iter().find(|other| is_busy && overlap(host, other)) {
        Some(other) => {
            Error::Usage(format!("--bind {host} has an address that --bind {other} has already"))
        }
        None => error,
    }
}

/// Whether two words mean one place, or one of them is every address of the other's family.
fn overlap(one: &str, other: &str) -> bool {
    let ips = |host: &str| {
        let addresses = (host, 0).to_socket_addrs().into_iter().flatten();
        addresses.map(|address| address.ip().to_canonical()).collect::<Vec<_>>()
    };
    let covers =
        |a: IpAddr, b: IpAddr| a == b || (a.is_unspecified() && (a.is_ipv6() || b.is_ipv4()));
    let is_file = [one, other].iter().any(|host| host.starts_with(unix::PREFIX));
    if is_file {
        return one == other;
    }
    let others = ips(other);
    ips(one).iter().any(|a| others.iter().any(|b| covers(*a, *b) || covers(*b, *a)))
}

/// Whether only this machine gets there. An IPv4 address may be written as IPv6, and is
/// judged as what it is.
pub fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// Whether clients that come to `ip` get to a socket that listens on every interface: it has
/// one family, or both.
fn takes(socket: &Socket, ip: IpAddr) -> bool {
    match (address(socket).map(|address| address.ip()), ip) {
        (Some(IpAddr::V6(here)), IpAddr::V4(_)) => {
            here.to_ipv4_mapped().is_some() || !socket.only_v6().unwrap_or(true)
        }
        (Some(IpAddr::V6(here)), IpAddr::V6(_)) => here.to_ipv4_mapped().is_none(),
        (Some(IpAddr::V4(_)), ip) => ip.is_ipv4(),
        (None, _) => false,
    }
}

/// Every interface, of both families where there are both.
fn everywhere(port: u16) -> Result<Socket, Error> {
    match listen::tcp("::", port) {
        Err(error) if is_without_ipv6(&error) => Ok(listen::tcp("0.0.0.0", port)?.into()),
        // Whatever else it is, IPv6 is there, and may be another program's.
        listening => Ok(listening?.into()),
    }
}

/// Whether listening has failed because this machine has no IPv6, or none that is switched on.
fn is_without_ipv6(error: &Error) -> bool {
    let Error::Listen { source, .. } = error else { return false };
    #[cfg(unix)]
    let has_no_family =
        rustix::io::Errno::from_io_error(source) == Some(rustix::io::Errno::AFNOSUPPORT);
    // WSAEAFNOSUPPORT.
    #[cfg(not(unix))]
    let has_no_family = source.raw_os_error() == Some(10_047);
    has_no_family || source.kind() == io::ErrorKind::AddrNotAvailable
}

/// 127.0.0.1 and ::1, since `localhost` may be either; one of them where the machine
/// has no other.
fn loopback(port: u16) -> Result<Vec<Socket>, Error> {
    // A free port of one family may be taken in the other; then another one is tried.
    const ATTEMPTS: usize = 8;
    let mut attempt = 1;
    loop {
        let v4 = listen::tcp("127.0.0.1", port)?;
        let real = v4.local_addr().map_or(port, |address| address.port());
        match listen::tcp("::1", real) {
            Ok(v6) => return Ok(vec![v4.into(), v6.into()]),
            Err(error) if is_without_ipv6(&error) => {
                log::debug!("serving IPv4 only: {error}");
                return Ok(vec![v4.into()]);
            }
            Err(Error::Listen { source, .. })
                if source.kind() == io::ErrorKind::AddrInUse && port == 0 && attempt < ATTEMPTS =>
            {
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

fn address(listener: &Socket) -> Option<SocketAddr> {
    listener.local_addr().ok()?.as_socket()
}

/// The addresses of this machine in its networks: those that it would send from. A UDP
/// socket that is connected sends nothing.
pub fn lan_addresses() -> Vec<IpAddr> {
    // Addresses for documentation (RFC 5737, RFC 3849): whatever has a route there is the
    // way out.
    [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")]
        .into_iter()
        .filter_map(|(from, to)| {
            let socket = UdpSocket::bind(from).ok()?;
            socket.connect(to).ok()?;
            Some(socket.local_addr().ok()?.ip())
        })
        .collect()
}

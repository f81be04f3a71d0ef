//! What stands between the client and the server of a rung, and sees what passes.

use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::Path;

use ladder::{Address, Failure, Rung, failure};
use netfault::Transport;
use netfault::proxy::{Network, Proxy, Recorder};

use crate::faults::Faults;

/// A proxy to `server`, on a port of its own or, where `here` is a file, on that.
pub fn between(
    rung: &Rung,
    here: &Address,
    server: &Address,
    network: &Network,
    recorder: Recorder,
) -> Result<Proxy, Failure> {
    let loopback = (Ipv4Addr::LOCALHOST, 0);
    let proxy = match (rung.speaks().transport(), here) {
        (Transport::Tcp, Address::Inet(_)) => TcpListener::bind(loopback)
            .and_then(|listener| Proxy::streams(listener, server, network, Some(recorder))),
        (Transport::Tcp, Address::Unix(path)) => on_file(path)
            .and_then(|listener| Proxy::streams(listener, server, network, Some(recorder))),
        (Transport::Udp, _) => UdpSocket::bind(loopback)
            .and_then(|socket| Proxy::udp(socket, server.inet()?, network, Some(recorder))),
    };
    proxy.map_err(|error| failure!("cannot stand between client and server: {error}"))
}

#[cfg(unix)]
fn on_file(path: &Path) -> io::Result<std::os::fd::OwnedFd> {
    std::os::unix::net::UnixListener::bind(path).map(Into::into)
}

#[cfg(not(unix))]
fn on_file(_: &Path) -> io::Result<TcpListener> {
    Err(io::ErrorKind::Unsupported.into())
}

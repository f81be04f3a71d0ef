//! What every server and every client can be told.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use clap::{Arg, ArgAction, Args};

use super::{Connects, Listens, duration, ready};
use crate::log::init;
use crate::{Error, connect, listen};

/// Where a server listens. `PORT` is the rung's own default.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs<const PORT: u16> {
    /// Address or name to listen on
    #[arg(short, long, value_name = "HOST", default_value = "127.0.0.1")]
    pub bind: String,
    /// Port to listen on; 0 takes a free one
    #[arg(short, long, value_name = "N", default_value_t = PORT)]
    pub port: u16,
    /// Log what is received and sent; twice for more
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

/// For how long a server keeps a client.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// Drop a client that sends nothing, or takes too little of a reply, for this long, as in
    /// 500ms, 5s or 2m
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5s")]
    pub idle: Duration,
    /// Drop a client after this long in all, however busy it is
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1m")]
    pub total: Duration,
    /// After a signal, let clients finish for this long
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5s")]
    pub drain: Duration,
}

/// The words of `--total` where a client may ask for one thing after another.
pub fn each_request(total: Arg) -> Arg {
    total.help("Drop a client after this long with one request or one response, however busy it is")
}

/// Where a client connects and what it sends. `PORT` is the default of the rung's own
/// server.
#[derive(Debug, Clone, Args)]
pub struct ClientArgs<const PORT: u16> {
    /// Address or name of the server
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    pub host: String,
    /// Port of the server
    #[arg(short, long, value_name = "N", default_value_t = PORT)]
    pub port: u16,
    /// Keep trying for this long until the server is up, as in 5s
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub wait: Option<Duration>,
    /// Log what is received and sent; twice for more
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// What to send; without any, the lines of standard input
    #[arg(value_name = "MESSAGE")]
    pub messages: Vec<OsString>,
}

/// For a role that has no options of its own.
#[derive(Debug, Clone, Args)]
pub struct NoOptions {}

impl<const PORT: u16> ServerArgs<PORT> {
    /// Starts the log, opens the TCP socket and prints the ready line.
    ///
    /// # Errors
    /// As [`listen::tcp`].
    pub fn listen(&self) -> Result<TcpListener, Error> {
        init(self.verbose);
        let listener = listen::tcp(&self.bind, self.port)?;
        ready(listener.local_addr())?;
        Ok(listener)
    }

    /// As [`listen`](ServerArgs::listen), with a socket that `open` makes for the first
    /// address of the host.
    ///
    /// # Errors
    /// [`Error::Resolve`]; [`Error::Listen`] with what `open` says.
    pub fn listen_by(
        &self,
        open: impl FnOnce(SocketAddr) -> io::Result<TcpListener>,
    ) -> Result<TcpListener, Error> {
        init(self.verbose);
        let address = listen::resolve(&self.bind, self.port)?[0];
        let listener = open(address)
            .map_err(|source| Error::Listen { address: address.to_string(), source })?;
        ready(listener.local_addr())?;
        Ok(listener)
    }

    /// As [`listen`](ServerArgs::listen), for UDP.
    ///
    /// # Errors
    /// As [`listen::udp`].
    pub fn listen_udp(&self) -> Result<UdpSocket, Error> {
        init(self.verbose);
        let socket = listen::udp(&self.bind, self.port)?;
        ready(socket.local_addr())?;
        Ok(socket)
    }
}

impl<const PORT: u16> ClientArgs<PORT> {
    /// Starts the log and connects to the server over TCP.
    ///
    /// # Errors
    /// As [`connect::tcp`].
    pub fn connect(&self) -> Result<TcpStream, Error> {
        init(self.verbose);
        match self.wait {
            Some(patience) => connect::tcp_when_up(&self.host, self.port, patience),
            None => connect::tcp(&self.host, self.port, connect::CONNECT_TIMEOUT),
        }
    }

    /// Starts the log and makes a UDP socket for each address of the server. Nothing is
    /// sent yet, so `--wait` is not applied here but by
    /// [`exchange`](ClientArgs::exchange).
    ///
    /// # Errors
    /// As [`connect::udp`].
    pub fn connect_udp(&self) -> Result<Vec<UdpSocket>, Error> {
        init(self.verbose);
        connect::udp(&self.host, self.port)
    }

    /// Exchanges one datagram for another, again while nobody listens and `--wait` is
    /// not over.
    ///
    /// # Errors
    /// [`Error::Reply`] with what `exchange` said last.
    pub fn exchange<T>(&self, mut exchange: impl FnMut() -> io::Result<T>) -> Result<T, Error> {
        connect::when_up(self.wait.unwrap_or_default(), || {
            exchange().map_err(|source| Error::Reply {
                address: listen::join(&self.host, self.port),
                source,
            })
        })
    }

    /// Whether a person types the messages, and can go on with the next when one has
    /// failed.
    pub fn at_prompt(&self) -> bool {
        self.messages.is_empty() && io::stdin().is_terminal()
    }
}

impl<const PORT: u16> Listens for ServerArgs<PORT> {
    type Client = ClientArgs<PORT>;
    const ELSEWHERE: &'static str = "--port 0";
}

impl<const PORT: u16> Connects for ClientArgs<PORT> {
    type Socket = TcpStream;

    fn connect(&self) -> Result<TcpStream, Error> {
        ClientArgs::connect(self)
    }

    fn messages(&self) -> &[OsString] {
        &self.messages
    }
}

//! The command line of the server: what it serves, where, and how that becomes a [`Server`].

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgAction, Args};
use netcore::Error;
use netcore::cli::duration;
use netcore::listen;
use socket2::Socket;

use crate::PORT;
use crate::builder::Server;
use crate::files::{DotFiles, Files};
use crate::head::Method;
use crate::locate::Links;
use crate::request::Request;
use crate::response::{IntoResponse, Response};
use crate::service::{AccessLog, Cors, Limits};
use crate::status::Status;

/// The last port that is tried when nobody has asked for one.
const LAST_PORT: u16 = 8010;

/// The text of the tutorial's own handler.
const GREETING: &str = "Привет, мир!";

/// What the server can be told.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// A folder, or a file, and a port, in any order [default: this folder, 8000]
    #[arg(value_name = "DIR|FILE|PORT")]
    pub words: Vec<String>,
    /// The folder to serve
    #[arg(short, long, value_name = "DIR", conflicts_with = "words")]
    pub directory: Option<PathBuf>,
    /// Port to listen on; 0 takes a free one [default: 8000, or the next free one up to 8010]
    #[arg(short, long, value_name = "N")]
    pub port: Option<u16>,
    /// Address or name to listen on; may be given again [default: 127.0.0.1 and ::1]
    #[arg(short, long, value_name = "HOST", conflicts_with = "lan")]
    pub bind: Vec<String>,
    /// Listen on every interface, and say under which addresses
    #[arg(long)]
    pub lan: bool,
    /// Answer every path with a greeting instead of files
    #[arg(long, conflicts_with_all = ["words", "directory"])]
    pub hello: bool,
    /// Answer to this name in Host as well, on loopback; * for any
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,
    /// Serve names that begin with a dot
    #[arg(long)]
    pub hidden: bool,
    /// Follow symbolic links that lead out of the folder
    #[arg(long)]
    pub follow_symlinks: bool,
    /// Let clients keep a file for so long without asking again
    #[arg(long, value_name = "SECONDS")]
    pub cache: Option<u32>,
    /// Let pages of every origin read what is served
    #[arg(long)]
    pub cors: bool,
    /// One more header on every response, as in 'X-Robots-Tag: none'; may be given again
    #[arg(long = "header", value_name = "K: V", value_parser = header)]
    pub headers: Vec<(String, String)>,
    /// Close a connection that has been idle for this long
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "30s")]
    pub idle: Duration,
    /// Time for the head of a request
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10s")]
    pub head: Duration,
    /// Time for what is under way at a stop
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10s")]
    pub drain: Duration,
    /// Connections at a time [default: 512, fewer where descriptors are few]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub max_clients: Option<u16>,
    /// No line on standard error for each response
    #[arg(short, long)]
    pub quiet: bool,
    /// Log connections and what is received and sent; twice for more
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

/// A server that is ready to run, and what to say about it.
pub struct Prepared {
    /// It listens already.
    pub server: Server,
    /// The first line of output: what is served, and where.
    pub ready: String,
    /// More lines, for people.
    pub notes: Vec<String>,
}

/// Why there is no server.
#[derive(Debug)]
pub enum Unprepared {
    /// What was asked for makes no sense: exit code 2.
    Usage(String),
    /// It makes sense, but cannot be had: exit code 1.
    Failed(Error),
}

impl From<Error> for Unprepared {
    fn from(error: Error) -> Unprepared {
        Unprepared::Failed(error)
    }
}

impl Options {
    /// Looks at what is to be served and opens the sockets.
    ///
    /// # Errors
    /// See [`Unprepared`].
    pub fn prepare(&self) -> Result<Prepared, Unprepared> {
        let (path, port) = self.place()?;
        let files = if self.hello { None } else { Some(self.files(&path)?) };
        let served = match &files {
            Some(files) => files.root().display().to_string(),
            None => "a greeting".to_string(),
        };
        let (listeners, mut notes) = self.listen(port)?;
        let mut server = Server::on(listeners).limits(self.limits()).access_log(if self.quiet {
            AccessLog::Hidden
        } else {
            AccessLog::Shown
        });
        for name in &self.allow_host {
            server = server.allow_host(name);
        }
        if self.cors {
            server = server.cors(Cors::AnyOrigin);
        }
        for (name, value) in &self.headers {
            server = server.header(name, value).map_err(|error| Unprepared::Usage(error.to_string()))?;
        }
        server = match files {
            Some(files) => server.mount("/", files),
            None => server.mount("/", hello),
        };
        let addresses = server.addresses();
        let ready = format!("Serving {served} at {}", url(addresses.first()));
        notes.extend(self.lan_notes(&addresses));
        Ok(Prepared { server, ready, notes })
    }

    /// Digits alone are a port, anything else is what to serve.
    fn place(&self) -> Result<(PathBuf, Option<u16>), Unprepared> {
        let mut path = self.directory.clone();
        let mut port = self.port;
        for word in &self.words {
            if word.bytes().all(|byte| byte.is_ascii_digit()) && !word.is_empty() {
                let number = word
                    .parse()
                    .map_err(|_| Unprepared::Usage(format!("{word} is not a port below 65536")))?;
                if port.replace(number).is_some() {
                    return Err(Unprepared::Usage(format!("two ports are given, one of them {word}")));
                }
            } else if path.replace(word.into()).is_some() {
                return Err(Unprepared::Usage(format!("two things to serve are given, one of them {word}")));
            }
        }
        Ok((path.unwrap_or_else(|| ".".into()), port))
    }

    fn files(&self, path: &Path) -> Result<Files, Unprepared> {
        let files = Files::new(path).map_err(|error| {
            Unprepared::Usage(format!("cannot serve {}: {}", path.display(), netcore::error::reason(&error)))
        })?;
        let files = files
            .links(if self.follow_symlinks { Links::Anywhere } else { Links::Inside })
            .dot_files(if self.hidden { DotFiles::Shown } else { DotFiles::Hidden });
        Ok(match self.cache {
            Some(seconds) => files.cache(seconds),
            None => files,
        })
    }

    fn limits(&self) -> Limits {
        let usual = Limits::default();
        Limits {
            head: self.head,
            idle: self.idle,
            drain: self.drain,
            clients: self.max_clients.map_or(usual.clients, usize::from),
            ..usual
        }
    }

    /// The sockets, and what there is to say about them.
    fn listen(&self, port: Option<u16>) -> Result<(Vec<Socket>, Vec<String>), Error> {
        let (wanted, last) = match port {
            Some(port) => (port, port),
            None => (PORT, LAST_PORT),
        };
        let mut port = wanted;
        loop {
            match self.listen_on(port) {
                Ok(listeners) if port == wanted => return Ok((listeners, Vec::new())),
                Ok(listeners) => {
                    return Ok((
                        listeners,
                        vec![format!("port {wanted} is busy; this is the next free one")],
                    ));
                }
                Err(Error::Listen { source, .. })
                    if source.kind() == io::ErrorKind::AddrInUse && port < last =>
                {
                    port += 1
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn listen_on(&self, port: u16) -> Result<Vec<Socket>, Error> {
        if self.lan {
            return Ok(vec![listen::tcp("::", port).or_else(|_| listen::tcp("0.0.0.0", port))?.into()]);
        }
        if self.bind.is_empty() {
            return listen_on_loopback(port);
        }
        let mut listeners: Vec<Socket> = Vec::new();
        for host in &self.bind {
            // With port 0, all addresses get the one that the first of them got.
            let port = listeners.first().and_then(port_of).unwrap_or(port);
            listeners.push(listen::tcp(host, port)?.into());
        }
        Ok(listeners)
    }

    fn lan_notes(&self, addresses: &[SocketAddr]) -> Vec<String> {
        let mut notes = Vec::new();
        for address in addresses.iter().filter(|address| address.ip().is_unspecified()) {
            notes.push(
                "listening on every interface: whoever can reach this machine can read this".to_string(),
            );
            notes.extend(
                lan_address().map(|ip| format!("from other machines: http://{ip}:{}/", address.port())),
            );
        }
        notes
    }
}

/// 127.0.0.1 and ::1, since `localhost` may be either; one of them where the machine has no other.
fn listen_on_loopback(port: u16) -> Result<Vec<Socket>, Error> {
    // A free port of one family may be taken in the other; then another one is tried.
    const ATTEMPTS: usize = 8;
    let mut attempt = 1;
    loop {
        let v4 = listen::tcp("127.0.0.1", port)?;
        let real = v4.local_addr().map_or(port, |address| address.port());
        match listen::tcp("::1", real) {
            Ok(v6) => return Ok(vec![v4.into(), v6.into()]),
            Err(Error::Listen { source, .. }) if source.kind() == io::ErrorKind::AddrInUse => {
                if port != 0 || attempt == ATTEMPTS {
                    let address = format!("[::1]:{real}");
                    return Err(Error::Listen { address, source });
                }
                attempt += 1;
            }
            Err(error) => {
                log::debug!("serving IPv4 only: {error}");
                return Ok(vec![v4.into()]);
            }
        }
    }
}

fn port_of(listener: &Socket) -> Option<u16> {
    listener.local_addr().ok()?.as_socket().map(|address| address.port())
}

/// The address of this machine in its network: the one that it would send from. A UDP socket that is connected sends
/// nothing.
fn lan_address() -> Option<std::net::IpAddr> {
    // An address for documentation (RFC 5737): whatever has a route there is the way out.
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// How a browser on this machine gets there.
fn url(address: Option<&SocketAddr>) -> String {
    match address {
        Some(address) if address.ip().is_unspecified() => format!("http://127.0.0.1:{}/", address.port()),
        Some(address) => format!("http://{address}/"),
        None => "a Unix socket".to_string(),
    }
}

/// The tutorial's own handler: a fixed text on every path. Methods that it does not have are 501 there.
fn hello(request: &mut Request<'_>) -> Response {
    match request.method() {
        Method::Get | Method::Head => Response::text(GREETING),
        _ => Status::NOT_IMPLEMENTED.into_response(),
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header is written as 'Name: value'")?;
    let value = value.trim_matches([' ', '\t']);
    crate::response::field_line(name, value).map_err(|error| error.to_string())?;
    Ok((name.into(), value.into()))
}

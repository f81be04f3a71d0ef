//! A server of one's own: where it listens, what it answers, and how it is run or
//! tested.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::thread::{self, JoinHandle};

use netcore::address::Address;
use netcore::shutdown::Shutdown;
use netcore::{Error, cli, listen};
use socket2::Socket;

use httpcore::handler::{Handler, Request, Router};
use httpcore::head::Method;
use httpcore::reply::{Cors, IntoResponse, field_line};

use super::engine;
use super::handed_over::handed_over;
use super::metrics::Metrics;
use super::service::{AccessLog, Hosts, Limits, Operator, Service};
use super::tls::Tls;
use crate::PORT;

/// Fields that responses have already, or that belong to one of them, and of which
/// there may be only one.
const SINGLE: [&str; 8] = [
    "cache-control",
    "content-encoding",
    "content-range",
    "content-type",
    "etag",
    "last-modified",
    "location",
    "retry-after",
];

/// A server that is being put together.
///
/// ```
/// use http_server::{Server, Response, Status};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::bind("127.0.0.1:0")?
///     .get("/hello/{name}", |req| format!("hi {}\n", req.param("name")))
///     .post("/echo", |req| req.body_text())
///     .get("/teapot", |_| Response::text("short and stout\n").with_status(Status(418)))
///     .spawn()?;
/// println!("http://{}/hello/world", server.address());
/// server.stop()?;
/// # Ok(())
/// # }
/// ```
pub struct Server {
    listeners: Vec<Socket>,
    service: Service,
    at_stop: Vec<Box<dyn FnOnce() + Send>>,
}

impl Server {
    /// A server on `address`, as in `127.0.0.1:8000`; port 0 takes a free one, and no
    /// port is [`PORT`].
    ///
    /// # Errors
    /// As [`listen::tcp`], and where the port is no number.
    pub fn bind(address: &str) -> Result<Server, Error> {
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) => (host, port.parse()),
            None => (address, Ok(PORT)),
        };
        let port = port.map_err(|_| {
            let why =
                io::Error::new(io::ErrorKind::InvalidInput, "the port is not a number below 65536");
            Error::Listen { address: address.into(), source: why }
        })?;
        let listener = listen::tcp(host, port).map_err(|error| match error {
            Error::Listen { address, source } => in_code(address, source),
            other => other,
        })?;
        Ok(Server::on(vec![listener.into()]))
    }

    /// A server on the sockets that systemd, or whatever speaks its protocol
    /// ([sd_listen_fds(3)](https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html)),
    /// has handed over to this process; `None` where there are none, and everywhere but on
    /// Linux. It is asked for once, at the start, before there are threads: the sockets are
    /// gone for a second caller.
    ///
    /// ```no_run
    /// use http_server::Server;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::from_systemd()?.map_or_else(|| Server::bind("127.0.0.1:8000"), Ok)?;
    /// server.get("/", |_| "ready\n").run()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When one of them is not a stream socket that listens.
    pub fn from_systemd() -> Result<Option<Server>, Error> {
        Ok(handed_over()?.map(Server::on))
    }

    /// A server on sockets that listen already.
    pub fn on(listeners: Vec<Socket>) -> Server {
        let mut addresses = listeners.iter().filter_map(address);
        let is_local = addresses.all(|address| address.ip().to_canonical().is_loopback());
        let hosts = if is_local { Hosts::LocalAnd(Vec::new()) } else { Hosts::Any };
        let service = Service {
            router: Router::default(),
            limits: Limits::default(),
            hosts,
            access_log: AccessLog::Hidden,
            cors: Cors::SameOrigin,
            tls: None,
            extra: Vec::new(),
            metrics: None,
            operator: Operator::Library,
        };
        Server { listeners, service, at_stop: Vec::new() }
    }

    /// Answers GET, and so HEAD, of a path: `/hello/{name}`. The part in braces is
    /// `req.param("name")`; `{rest..}` at the end stands for all that is left of
    /// the path. A slash at the end makes no difference.
    ///
    /// Braces stand for whole names: with a pattern such as `/pre-{x}` or `/{rest..}/x`
    /// the server does not start.
    pub fn get<R: IntoResponse>(
        self,
        pattern: &str,
        handler: impl Fn(&mut Request<'_>) -> R + Send + Sync + 'static,
    ) -> Server {
        self.route(Method::Get, pattern, handler)
    }

    /// Answers POST of a path.
    pub fn post<R: IntoResponse>(
        self,
        pattern: &str,
        handler: impl Fn(&mut Request<'_>) -> R + Send + Sync + 'static,
    ) -> Server {
        self.route(Method::Post, pattern, handler)
    }

    /// Answers PUT of a path.
    pub fn put<R: IntoResponse>(
        self,
        pattern: &str,
        handler: impl Fn(&mut Request<'_>) -> R + Send + Sync + 'static,
    ) -> Server {
        self.route(Method::Put, pattern, handler)
    }

    /// Answers DELETE of a path.
    pub fn delete<R: IntoResponse>(
        self,
        pattern: &str,
        handler: impl Fn(&mut Request<'_>) -> R + Send + Sync + 'static,
    ) -> Server {
        self.route(Method::Delete, pattern, handler)
    }

    /// Answers PATCH of a path.
    pub fn patch<R: IntoResponse>(
        self,
        pattern: &str,
        handler: impl Fn(&mut Request<'_>) -> R + Send + Sync + 'static,
    ) -> Server {
        self.route(Method::Patch, pattern, handler)
    }

    /// Answers any method of a path with any handler. Of several routes that match, the
    /// first one answers.
    ///
    /// A closure has to name the type of its argument here, since other types may be
    /// handlers too:
    ///
    /// ```
    /// use http_server::{Method, Request, Server};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::bind("127.0.0.1:0")?
    ///     .route(Method::Trace, "/", |req: &mut Request<'_>| format!("{:?}\n", req.fields()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn route(
        mut self,
        method: Method,
        pattern: &str,
        handler: impl Handler + 'static,
    ) -> Server {
        self.service.router.add(method, pattern, handler);
        self
    }

    /// Answers everything below `prefix` that no route answers, with any method.
    pub fn mount(mut self, prefix: &str, handler: impl Handler + 'static) -> Server {
        self.service.router.mount(prefix, handler);
        self
    }

    /// Other limits than the usual ones.
    pub fn limits(mut self, limits: Limits) -> Server {
        self.service.limits = limits;
        self
    }

    /// The names in Host that are answered.
    pub fn hosts(mut self, hosts: Hosts) -> Server {
        self.service.hosts = hosts;
        self
    }

    /// One more name in Host that is answered, where names are looked at.
    pub fn allow_host(mut self, name: &str) -> Server {
        if let Hosts::LocalAnd(names) = &mut self.service.hosts {
            names.push(name.into());
        }
        self
    }

    /// Whether responses are logged on standard error; not so unless told here.
    pub fn access_log(mut self, log: AccessLog) -> Server {
        self.service.access_log = log;
        self
    }

    /// Whether pages of other origins may read what is served.
    pub fn cors(mut self, cors: Cors) -> Server {
        self.service.cors = cors;
        self
    }

    /// Encrypts every connection over TCP.
    pub fn tls(mut self, tls: Tls) -> Server {
        self.service.tls = Some(tls);
        self
    }

    /// Counts connections and responses here.
    pub fn count_in(mut self, metrics: Metrics) -> Server {
        self.service.metrics = Some(metrics);
        self
    }

    /// Calls `end` once, when the server is told to stop, for streams that would not end by
    /// themselves. It must not block.
    pub fn on_stop(mut self, end: impl FnOnce() + Send + 'static) -> Server {
        self.at_stop.push(Box::new(end));
        self
    }

    /// What its errors advise is for somebody with a command line.
    pub(crate) fn for_command_line(mut self) -> Server {
        self.service.operator = Operator::CommandLine;
        self
    }

    /// One more header field on every response.
    ///
    /// # Errors
    /// `InvalidInput` for what could be taken for more than one field, and for one that
    /// the server or its handlers set themselves: a client that meets two of them
    /// takes either.
    pub fn header(mut self, name: &str, value: &str) -> io::Result<Server> {
        let line = field_line(name, value)?;
        if SINGLE.iter().any(|single| name.eq_ignore_ascii_case(single)) {
            let why = format!("{name} is set by the server itself");
            return Err(io::Error::new(ErrorKind::InvalidInput, why));
        }
        self.service.extra.extend_from_slice(line.as_bytes());
        Ok(self)
    }

    /// The addresses that it listens on; none for a Unix socket.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(address).collect()
    }

    /// Says on standard output where it listens, and serves until SIGINT or SIGTERM, or
    /// Ctrl-C. What goes wrong is told on standard error, unless the program has a logger of
    /// its own.
    ///
    /// # Errors
    /// When signals cannot be waited for, a pattern makes no sense, standard output cannot
    /// be written, or no further client could be accepted.
    pub fn run(self) -> Result<(), Error> {
        netcore::log::init(0);
        self.check()?;
        // Before the ready lines: whoever reads them may stop us at once.
        let shutdown = Shutdown::on_signals(self.service.limits.drain)?;
        let scheme = if self.service.tls.is_some() { "https" } else { "http" };
        for listener in &self.listeners {
            let address = listener.local_addr().map_err(Error::failed("tell where it listens"))?;
            match Address::of(&address) {
                Some(Address::Inet(at)) => {
                    if !at.ip().is_loopback() {
                        log::warn!("listening on {at}: whoever can reach it can connect");
                    }
                    cli::listening_on(format_args!("{scheme}://{at}/"))?;
                }
                Some(file) => cli::listening_on(file.word())?,
                None => cli::listening_on("a socket without a name")?,
            }
        }
        self.serve(&shutdown)
    }

    /// Serves until `shutdown` is told to stop.
    ///
    /// # Errors
    /// When a pattern makes no sense, no worker can be started, or no further client
    /// could be accepted.
    pub fn serve(self, shutdown: &Shutdown) -> Result<(), Error> {
        self.check()?;
        self.at_stop.into_iter().for_each(|end| shutdown.on_stop(end));
        engine::serve(self.listeners, self.service, shutdown)
            .map_err(Error::failed("accept clients"))
    }

    /// Serves in a thread of its own until it is told to stop: for tests, and for
    /// servers inside other programs.
    ///
    /// # Errors
    /// When a pattern makes no sense, or the thread cannot be started.
    pub fn spawn(self) -> Result<Running, Error> {
        self.check()?;
        let shutdown = Shutdown::new(self.service.limits.drain)?;
        let addresses = self.addresses();
        let handle = shutdown.clone();
        let thread =
            thread::Builder::new().name("http-server".into()).spawn(move || self.serve(&handle));
        let thread = thread.map_err(Error::failed("start a thread"))?;
        Ok(Running { addresses, shutdown, thread: Some(thread) })
    }

    fn check(&self) -> Result<(), Error> {
        self.service.router.check().map_err(Error::failed("route requests"))
    }
}

/// As the error of [`listen::tcp`], with advice for whoever writes the program.
fn in_code(address: String, source: io::Error) -> Error {
    let hint = match source.kind() {
        ErrorKind::AddrInUse => {
            "another program has this port; give Server::bind another one, or 0 for a free one"
        }
        ErrorKind::PermissionDenied => {
            "ports below 1024 need privileges; give Server::bind a higher one"
        }
        ErrorKind::AddrNotAvailable => {
            "Server::bind takes an address of this machine, such as 127.0.0.1"
        }
        _ => return Error::Listen { address, source },
    };
    Error::Failed { attempted: format!("listen on {address}"), source, hint: Some(hint) }
}

fn address(listener: &Socket) -> Option<SocketAddr> {
    listener.local_addr().ok()?.as_socket()
}

/// A server that runs in a thread of its own. It is stopped and waited for when this is
/// dropped.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<SocketAddr>,
    shutdown: Shutdown,
    thread: Option<JoinHandle<Result<(), Error>>>,
}

impl Running {
    /// Where it listens: the first of its addresses, with the port that it really has.
    pub fn address(&self) -> SocketAddr {
        self.addresses.first().copied().unwrap_or_else(|| ([0, 0, 0, 0], 0).into())
    }

    /// Tells it to stop, from any thread.
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// Stops it and waits until it has ended.
    ///
    /// # Errors
    /// What ended it, if it was not this.
    pub fn stop(mut self) -> Result<(), Error> {
        self.end()
    }

    fn end(&mut self) -> Result<(), Error> {
        self.shutdown.stop();
        match self.thread.take().map(JoinHandle::join) {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(error),
            Some(Err(_)) => {
                Err(Error::failed("serve")(io::Error::other("the server's thread panicked")))
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            log::warn!("{error}");
        }
    }
}

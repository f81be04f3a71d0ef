//! The command line of the server: what it serves, where, and how that becomes a
//! [`Server`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgAction, Args};
use netcore::Error;
use netcore::cli::{count, duration};
use netcore::log::harmless;
use netcore::unix::{self, Claim, Mode};

use httpcore::Status;
use httpcore::handler::{AtOnce, Handler, Request};
use httpcore::head::Method;
use httpcore::reply::{Cors, IntoResponse, Response};

use super::listening::{Listening, Where, is_loopback, lan_addresses};
use super::words::{header, host_name};
use super::{credentials, place};
use crate::files::{DotFiles, Files, Links, Missing, Precompressed};
use crate::serve::{AccessLog, Guarded, Limits, Metrics, Server, Tls, handed_over};

/// The text of the tutorial's own handler.
const GREETING: &str = "Привет, мир!";

/// A socket file is for its owner alone, unless told otherwise.
const PRIVATE: Mode = Mode(0o600);

/// Where `--health` answers.
const HEALTH: &str = "/healthz";

/// Where `--metrics` does.
const METRICS: &str = "/metrics";

/// What the server can be told.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// A folder, or a file, and a port, in any order [default: this folder, 8000]
    #[arg(value_name = "DIR|FILE|PORT")]
    pub words: Vec<OsString>,
    /// The folder to serve
    #[arg(short, long, value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Port to listen on; 0 takes a free one [default: 8000, or the next free one up to
    /// 8010]
    #[arg(short, long, value_name = "N")]
    pub port: Option<u16>,
    /// Address or name to listen on, or unix:PATH; may be given again [default:
    /// 127.0.0.1 and ::1]
    #[arg(short, long, value_name = "HOST", conflicts_with = "lan")]
    pub bind: Vec<String>,
    /// Who may connect to a unix:PATH: permissions of the file, in octal [default: 600]
    #[arg(long, value_name = "MODE")]
    pub mode: Option<Mode>,
    /// Listen on every interface, and say under which addresses
    #[arg(long)]
    pub lan: bool,
    /// Answer every path with a greeting instead of files
    #[arg(long, conflicts_with = "directory")]
    pub hello: bool,
    /// Answer to this name in Host as well, on loopback; * for any
    #[arg(long, value_name = "NAME", value_parser = host_name)]
    pub allow_host: Vec<String>,
    /// Serve names that begin with a dot
    #[arg(long, conflicts_with = "hello")]
    pub hidden: bool,
    /// Follow symbolic links that lead out of the folder
    #[arg(long, conflicts_with = "hello")]
    pub follow_symlinks: bool,
    /// Answer addresses that are no files with index.html: for an app of a single page
    #[arg(long, conflicts_with = "hello")]
    pub spa: bool,
    /// Send FILE.br, FILE.zst or FILE.gz for FILE to clients that take it
    #[arg(long, conflicts_with = "hello")]
    pub precompressed: bool,
    /// Ask for a name and a password; @FILE has one of these on each line; may be given
    /// again
    #[arg(long, value_name = "USER:PASSWORD")]
    pub auth: Vec<String>,
    /// Speak TLS with a certificate made at the start (in a build with the feature tls)
    #[arg(long, conflicts_with = "tls_cert")]
    pub tls: bool,
    /// Speak TLS with this certificate, and those that vouch for it (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Answer /healthz with 200 and no password, for whoever watches the server
    #[arg(long)]
    pub health: bool,
    /// Show counters of connections and responses at /metrics, in the text form that
    /// Prometheus reads; behind --auth where there is one
    #[arg(long)]
    pub metrics: bool,
    /// Let clients keep a file for so long without asking again
    #[arg(long, value_name = "SECONDS", conflicts_with = "hello")]
    pub cache: Option<u32>,
    /// Let pages of every origin read what is served
    #[arg(long)]
    pub cors: bool,
    /// One more header on every response, as in 'X-Robots-Tag: none'; may be given
    /// again
    #[arg(long = "header", value_name = "K: V", value_parser = header)]
    pub headers: Vec<(String, String)>,
    /// Close a connection that has been idle for this long
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "30s")]
    pub idle: Duration,
    /// Time for the head of a request
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10s")]
    pub head: Duration,
    /// Close a connection that takes nothing of its response for this long
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "60s")]
    pub write: Duration,
    /// Time for what is under way at a stop
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10s")]
    pub drain: Duration,
    /// Connections at a time [default: 10000, fewer where descriptors are few]
    #[arg(long, value_name = "N", value_parser = count::<u32>)]
    pub max_clients: Option<u32>,
    /// Threads for what may take its time, as files that are not at hand; started when they
    /// are needed
    #[arg(long, value_name = "N", value_parser = count::<u16>, default_value = "128")]
    pub workers: u16,
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
    /// The files of sockets, to be kept until it stops: they are removed when this is
    /// dropped.
    pub claims: Vec<Claim>,
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
        let asked = place::Asked {
            words: &self.words,
            directory: self.directory.as_deref(),
            port: self.port,
            hello: self.hello,
        };
        let (path, port) = place::of(&asked).map_err(Unprepared::Usage)?;
        self.check_files(port).map_err(|why| Unprepared::Usage(why.into()))?;
        let files = if self.hello { None } else { Some(self.files(&path)?) };
        let served = match &files {
            Some(files) => files.root_for_people(),
            None => "a greeting".to_string(),
        };
        let content: Box<dyn Handler> = match files {
            Some(files) => Box::new(files),
            None => Box::new(AtOnce(hello)),
        };
        let credentials = credentials::read(&self.auth).map_err(Unprepared::Usage)?;
        let guarded = |handler: Box<dyn Handler>| -> Result<Box<dyn Handler>, Unprepared> {
            if credentials.is_empty() {
                return Ok(handler);
            }
            let why = || Unprepared::Usage("--auth takes a name, a colon and a password".into());
            Ok(Box::new(Guarded::new(handler, &credentials).ok_or_else(why)?))
        };
        let content = guarded(content)?;
        let place = match (self.lan, self.bind.as_slice()) {
            (true, _) => Where::Everywhere,
            (false, []) => Where::Loopback,
            (false, hosts) => Where::On(hosts),
        };
        let tls = self.certificate()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let listening = match handed_over()? {
            Some(sockets) if port.is_none() && matches!(place, Where::Loopback) => {
                Listening::handed_over(sockets, scheme)
            }
            Some(_) => {
                let why = "the sockets are handed over; a port, --bind and --lan have no say then";
                return Err(Unprepared::Usage(why.into()));
            }
            None => Listening::open(place, port, self.mode.unwrap_or(PRIVATE), scheme)?,
        };
        let mut server = Server::on(listening.sockets)
            .for_command_line()
            .limits(self.limits())
            .access_log(if self.quiet { AccessLog::Hidden } else { AccessLog::Shown });
        if let Some(tls) = tls {
            server = server.tls(tls);
        }
        for name in &self.allow_host {
            server = server.allow_host(name);
        }
        if self.cors {
            server = server.cors(Cors::AnyOrigin);
        }
        for (name, value) in &self.headers {
            server =
                server.header(name, value).map_err(|error| Unprepared::Usage(error.to_string()))?;
        }
        if self.health {
            server = server.route(Method::Get, HEALTH, AtOnce(health));
        }
        if self.metrics {
            let metrics = Metrics::default();
            server = server.count_in(metrics.clone()).route(
                Method::Get,
                METRICS,
                guarded(Box::new(metrics))?,
            );
        }
        let mut notes = listening.notes;
        let is_seen = server.addresses().into_iter().any(|address| !is_loopback(address));
        if !credentials.is_empty() && scheme == "http" && is_seen {
            notes.push("passwords cross the network readable; --tls hides them".into());
        }
        if self.tls {
            notes.push(
                "the certificate is made anew at each start, and nobody vouches for it: browsers warn".into(),
            );
        }
        Ok(Prepared {
            server: server.mount("/", content),
            ready: harmless(&format!("Serving {served} at {}", listening.url)),
            notes,
            claims: listening.claims,
        })
    }

    /// A wish that nothing comes of would be taken for granted.
    fn check_files(&self, port: Option<u16>) -> Result<(), &'static str> {
        let is_file = |host: &String| host.starts_with(unix::PREFIX);
        if self.mode.is_some() && !self.bind.iter().any(is_file) {
            return Err("--mode is for the file of a --bind unix:PATH, and there is none");
        }
        if port.is_some() && !self.bind.is_empty() && self.bind.iter().all(is_file) {
            return Err("a port has no say where every --bind is a unix:PATH");
        }
        Ok(())
    }

    fn files(&self, path: &Path) -> Result<Files, Unprepared> {
        let files = Files::new(path).map_err(|error| {
            Unprepared::Usage(format!(
                "cannot serve {}: {}",
                path.display(),
                netcore::error::reason(&error)
            ))
        })?;
        if self.spa && !files.root().join("index.html").is_file() {
            let why = format!("--spa needs an index.html in {}", files.root_for_people());
            return Err(Unprepared::Usage(why));
        }
        let files = files
            .missing(if self.spa { Missing::App } else { Missing::NotFound })
            .precompressed(if self.precompressed {
                Precompressed::Sent
            } else {
                Precompressed::Ignored
            })
            .links(if self.follow_symlinks { Links::Anywhere } else { Links::Inside })
            .dot_files(if self.hidden { DotFiles::Shown } else { DotFiles::Hidden });
        Ok(match self.cache {
            Some(seconds) => files.cache(seconds),
            None => files,
        })
    }

    fn certificate(&self) -> Result<Option<Tls>, Error> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificates), Some(key)) => Tls::from_pem(certificates, key).map(Some),
            _ if self.tls => {
                let mut names = vec!["localhost".to_string(), "127.0.0.1".into(), "::1".into()];
                names.extend(self.allow_host.iter().filter(|name| *name != "*").cloned());
                names.extend(lan_addresses().iter().filter(|_| self.lan).map(ToString::to_string));
                Tls::self_signed(names).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn limits(&self) -> Limits {
        let usual = Limits::default();
        Limits {
            head: self.head,
            idle: self.idle,
            write: self.write,
            drain: self.drain,
            clients: self.max_clients.map_or(usual.clients, |most| most as usize),
            workers: self.workers.into(),
            ..usual
        }
    }
}

fn health(_: &mut Request<'_>) -> Response {
    Response::text("ok\n").header("Cache-Control", "no-store")
}

/// The tutorial's own handler: a fixed text on every path. Methods that it does not
/// have are 501 there.
fn hello(request: &mut Request<'_>) -> Response {
    match request.method() {
        Method::Get | Method::Head => Response::text(GREETING),
        _ => Status::NOT_IMPLEMENTED.into_response(),
    }
}

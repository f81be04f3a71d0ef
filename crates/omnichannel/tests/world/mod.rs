//! Real servers and what is said to them, channel by channel.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use netcore::codec::{Codec, DEPTH, MAX_BYTES};
use netcore::request::{Message, Session};
use omnichannel::message::{Ask, Draft, Reply, Request, Secret, VERSION, Why};
use tempfile::TempDir;

#[cfg(all(unix, feature = "nats"))]
pub mod nats;

/// Ends a test that would otherwise hang.
pub const GENEROUS: Duration = Duration::from_secs(60);

const CODEC: Codec = Codec::new(VERSION, MAX_BYTES, DEPTH);

/// A folder with a store and tokens.
pub struct World {
    pub folder: TempDir,
}

/// A server, ended with the test.
pub struct Server {
    pub child: Child,
    pub address: SocketAddr,
    log: Option<JoinHandle<Vec<u8>>>,
}

impl World {
    pub fn new() -> World {
        World { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn program(&self) -> Command {
        let mut command = Command::new(env!(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME"))));
        command.current_dir(self.folder.path()).env_remove("RUST_LOG").stdin(Stdio::null());
        command
    }

    /// On a free port, with tokens for three accounts.
    pub fn server(&self, args: &[&str]) -> Server {
        let tokens = ["--account", "ann", "--account", "bob", "--account", "replica"];
        self.server_with(&[&["--port", "0"], &tokens[..], args].concat())
    }

    /// With nothing but these arguments, and the engine that is tested.
    pub fn server_with(&self, args: &[&str]) -> Server {
        let mut command = self.program();
        command.arg("server").args(args).args(self.engine(args));
        Server::start(&mut command)
    }

    /// A bucket of its own for each folder, where the tests are those of the other engine.
    #[cfg(all(unix, feature = "nats"))]
    pub fn engine(&self, args: &[&str]) -> Vec<String> {
        let has_its_own = ["--follow", "--memory", "--engine"];
        if !is_shared() || args.iter().any(|arg| has_its_own.contains(arg)) {
            return Vec::new();
        }
        let folder = self.folder.path().file_name().unwrap().to_str().unwrap();
        let bucket = folder.trim_start_matches('.').to_string();
        vec!["--engine".into(), nats::shared(), "--bucket".into(), bucket]
    }

    #[cfg(not(all(unix, feature = "nats")))]
    pub fn engine(&self, _: &[&str]) -> Vec<String> {
        Vec::new()
    }

    pub fn client(&self, server: &Server, args: &[&str]) -> Output {
        ended(&mut self.client_command(server, args))
    }

    pub fn client_command(&self, server: &Server, args: &[&str]) -> Command {
        let mut command = self.program();
        command.args(["client", "--port", &server.address.port().to_string()]).args(args);
        command
    }

    pub fn token(&self, account: &str) -> Secret {
        let tokens = fs::read_to_string(self.path("omnichannel.tokens")).unwrap();
        let line = tokens.lines().find(|line| line.starts_with(&format!("{account}.")));
        Secret(line.unwrap().to_string())
    }
}

/// Whether the tests are run once more, by `tests/nats.rs`, with the other engine. Where that
/// is not here, they are run as they are.
pub fn is_shared() -> bool {
    #[cfg(all(unix, feature = "nats"))]
    if env!("CARGO_CRATE_NAME") == "nats" {
        return *nats::IS_HERE;
    }
    false
}

impl Server {
    pub fn start(command: &mut Command) -> Server {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").and_then(|it| it.parse().ok());
        let log = read_aside(child.stderr.take().unwrap());
        let Some(address) = address else {
            let _ = child.kill();
            panic!("no ready line but {line:?} and {}", text(log));
        };
        Server { child, address, log: Some(log) }
    }

    /// `kill -9`, and what the log says.
    pub fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        text(self.log.take().unwrap())
    }

    #[cfg(unix)]
    pub fn stop(mut self) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(&id).status().unwrap().success());
        let code = self.child.wait().unwrap().code();
        (code, text(self.log.take().unwrap()))
    }

    /// Waits for its end.
    pub fn wait(mut self) -> (Option<i32>, String) {
        eventually("the server ends", || self.child.try_wait().unwrap().is_some());
        let code = self.child.wait().unwrap().code();
        (code, text(self.log.take().unwrap()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a program prints that ends by itself, and soon.
#[track_caller]
pub fn ended(command: &mut Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let [stdout, stderr] =
        [read_aside(child.stdout.take().unwrap()), read_aside(child.stderr.take().unwrap())];
    let began = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if began.elapsed() > GENEROUS => {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("{command:?} does not end");
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    Output { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

fn text(bytes: JoinHandle<Vec<u8>>) -> String {
    String::from_utf8_lossy(&bytes.join().unwrap()).into_owned()
}

fn read_aside(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        bytes
    })
}

/// Waits for what comes by itself.
#[track_caller]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < GENEROUS, "never: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The channels, each as a test speaks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    Tcp,
    Udp,
    Http,
}

pub const ALL: [Over; 3] = [Over::Tcp, Over::Udp, Over::Http];

impl Over {
    /// One request on a connection of its own; `None` where there is no answer, as when the
    /// server is killed.
    pub fn try_ask(
        self,
        address: SocketAddr,
        token: &Secret,
        key: Option<&str>,
        ask: &Ask,
    ) -> Option<Reply> {
        let request =
            Request { token: token.clone(), key: key.map(String::from), ask: ask.clone() };
        match self {
            Over::Tcp => {
                let mut stream = connect(address)?;
                stream.write_all(&frame(&request)).ok()?;
                read_frame(&mut BufReader::new(stream))
            }
            Over::Udp => {
                let datagram = Session::new().request(&encoded(&request)).encode();
                let reply = exchange(address, &datagram)?;
                CODEC.decode(Message::decode(&reply)?.payload).ok()
            }
            Over::Http => {
                let answer = http(address, http_request(token, key, ask))?;
                Some(reply_in(&answer))
            }
        }
    }

    #[track_caller]
    pub fn ask(self, address: SocketAddr, token: &Secret, ask: &Ask) -> Reply {
        self.try_ask(address, token, None, ask).expect("there is an answer")
    }
}

pub fn put(revision: u64, text: &str) -> Ask {
    Ask::Put { revision, text: text.into() }
}

pub fn draft(revision: u64, text: &str) -> Draft {
    Draft { revision, text: Some(text.into()) }
}

pub fn connect(address: SocketAddr) -> Option<TcpStream> {
    let stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    Some(stream)
}

pub fn encoded(request: &Request) -> Vec<u8> {
    let mut message = Vec::new();
    CODEC.encode(request, &mut message).unwrap();
    message
}

pub fn frame(request: &Request) -> Vec<u8> {
    let message = encoded(request);
    [&(message.len() as u32).to_be_bytes()[..], &message].concat()
}

pub fn read_frame(stream: &mut impl BufRead) -> Option<Reply> {
    CODEC.read::<Reply>(stream, &mut Vec::new()).ok()??.ok()
}

/// Sends the same datagram until there is an answer, or nobody is there.
pub fn exchange(address: SocketAddr, datagram: &[u8]) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(address).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut buf = vec![0; 65_536];
    for _ in 0..30 {
        socket.send(datagram).ok()?;
        match socket.recv(&mut buf) {
            Ok(n) => return Some(buf[..n].to_vec()),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => return None,
            Err(_) => {}
        }
    }
    None
}

pub fn http_request(token: &Secret, key: Option<&str>, ask: &Ask) -> String {
    let key = key.map_or(String::new(), |key| format!("Idempotency-Key: {key}\r\n"));
    let (method, revision) = match ask {
        Ask::Put { revision, .. } => ("PUT", Some(revision)),
        Ask::Delete { revision } => ("DELETE", Some(revision)),
        _ => ("GET", None),
    };
    let tag = revision.map_or(String::new(), |revision| format!("If-Match: \"{revision}\"\r\n"));
    format!(
        "{method} /draft HTTP/1.1\r\nAuthorization: Bearer {}\r\nHost: localhost\r\n\
         Connection: close\r\n{key}{tag}Content-Length: {}\r\n\r\n{}",
        token.0,
        ask.text().len(),
        ask.text()
    )
}

/// What comes back, to the end of the connection.
pub fn http(address: SocketAddr, request: impl AsRef<[u8]>) -> Option<String> {
    let mut stream = connect(address)?;
    stream.write_all(request.as_ref()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.contains("\r\n\r\n").then_some(answer)
}

pub fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines().find_map(|line| {
        let (known, value) = line.split_once(": ")?;
        known.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// What an answer of HTTP says, in the words of the other channels.
pub fn reply_in(answer: &str) -> Reply {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let tag = field(answer, "etag").map(|tag| tag.trim_matches('"').parse().unwrap());
    let text = (field(answer, "draft") == Some("yes")).then(|| body.to_string());
    let revision = tag.unwrap_or_default();
    match answer.split(' ').nth(1).unwrap() {
        "200" => Reply::Draft(Draft { revision, text }),
        "204" => Reply::Done(revision),
        "412" => Reply::Conflict(Draft { revision, text }),
        "401" => Reply::Refused(Why::NotProven),
        "422" => Reply::Refused(Why::KeyReused),
        "503" => Reply::Refused(Why::Unavailable),
        other => panic!("{other}: {answer}"),
    }
}

/// A program's output, as text.
pub fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
}

/// A port that nobody has just now, for a server that comes back on it.
pub fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

/// Changes of one draft, on one channel after the other.
pub fn write(server: &Server, token: &Secret, from: u64, to: u64) {
    for revision in from..to {
        let over = ALL[revision as usize % 3];
        let reply = over.ask(server.address, token, &put(revision, &format!("text {revision}")));
        assert_eq!(reply, Reply::Done(revision + 1));
    }
}

//! `http-server`, requests to it byte by byte, and its responses taken apart.

use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::Path;
use std::process::Stdio;

use crate::ladder::{Rung, rung};
use ladder::Address;

use crate::peer::Peer;
use crate::process::{Finished, Process};

/// A running `http-server`. It reads as the [`Process`] in it does.
#[derive(Debug)]
pub struct HttpServer {
    process: Process,
    /// What the ready line says.
    pub address: SocketAddr,
}

/// A response that has been read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The code of the status line.
    pub status: u16,
    /// The whole head, for what no method here tells.
    pub head: String,
    /// The content, chunks put together.
    pub body: Vec<u8>,
}

impl HttpServer {
    /// Starts `http-server --port 0 args...` and waits for its ready line.
    ///
    /// # Panics
    /// When it does not become ready.
    #[track_caller]
    pub fn start(args: &[&str]) -> HttpServer {
        let process = rung("http-server").start(&[&["--port", "0"], args].concat());
        HttpServer::of(process)
    }

    /// Waits for the ready line of a server that was started otherwise.
    ///
    /// # Panics
    /// When it does not become ready.
    #[track_caller]
    pub fn of(process: Process) -> HttpServer {
        let ready = process.expect_stdout(&["Serving ", " at http://"]);
        match ladder::ready::address(&ready) {
            Some(Address::Inet(address)) => HttpServer { process, address },
            _ => panic!("not a ready line: {ready:?}"),
        }
    }

    /// The server of any rung that speaks HTTP, out of a `command` that says no port: most
    /// have the ready line of the other rungs.
    ///
    /// # Panics
    /// When it does not become ready.
    #[track_caller]
    pub fn of_rung(rung: &Rung, args: &[&str], folder: &Path) -> HttpServer {
        let is_program_of_its_own = rung.passes("http");
        let role: &[&str] = if is_program_of_its_own { &[] } else { &["server"] };
        let mut command = rung.command(&[role, &["--port", "0"], args].concat());
        command.current_dir(folder).stdin(Stdio::null());
        let process = Process::start(&rung.name, &mut command);
        if is_program_of_its_own {
            return HttpServer::of(process);
        }
        let ready = process.expect_stdout(&["listening on "]);
        let address = ready.strip_prefix("listening on ").and_then(|address| address.parse().ok());
        let Some(address) = address else { panic!("not a ready line: {ready:?}") };
        HttpServer { process, address }
    }

    /// A connection to it.
    #[track_caller]
    pub fn connect(&self) -> Peer {
        Peer::connect(self.address)
    }

    /// Sends `request` on a connection of its own and reads one response, which it must
    /// be the end of.
    #[track_caller]
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Response {
        let mut peer = self.connect();
        peer.send(request.as_ref());
        peer.response_to(request.as_ref())
    }

    /// GET with more header lines, each with its CRLF, on a connection of its own.
    #[track_caller]
    pub fn get_with(&self, path: &str, fields: &str) -> Response {
        self.ask(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"))
    }

    /// GET on a connection of its own.
    #[track_caller]
    pub fn get(&self, path: &str) -> Response {
        self.get_with(path, "")
    }

    /// Asks it to stop and waits for its end.
    #[cfg(unix)]
    #[track_caller]
    pub fn stop(self) -> Finished {
        self.process.signal(rustix::process::Signal::TERM);
        self.process.wait()
    }

    /// Waits for the server to end by itself.
    #[track_caller]
    pub fn wait(self) -> Finished {
        self.process.wait()
    }
}

impl Deref for HttpServer {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl Response {
    /// The value of a field; the names of fields have no case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The content as text.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("the content is text")
    }

    /// # Panics
    /// When the status is another.
    #[track_caller]
    pub fn expect_status(self, status: u16) -> Response {
        assert_eq!(self.status, status, "{}\n{}", self.head, String::from_utf8_lossy(&self.body));
        self
    }

    /// # Panics
    /// When the field is missing or has another value.
    #[track_caller]
    pub fn expect_field(self, name: &str, value: &str) -> Response {
        assert_eq!(self.field(name), Some(value), "{name} in {}", self.head);
        self
    }

    /// # Panics
    /// When the field is there.
    #[track_caller]
    pub fn expect_no_field(self, name: &str) -> Response {
        assert_eq!(self.field(name), None, "{name} in {}", self.head);
        self
    }

    /// # Panics
    /// When the content is another.
    #[track_caller]
    pub fn expect_body(self, body: impl AsRef<[u8]>) -> Response {
        let body = body.as_ref();
        assert!(
            self.body == body,
            "{:?} is not {:?}",
            self.body.escape_ascii().to_string(),
            body.escape_ascii().to_string()
        );
        self
    }
}

impl Peer {
    /// Reads one response to `request`, by the framing that its head says, and nothing
    /// behind it.
    ///
    /// # Panics
    /// When what comes is no response.
    #[track_caller]
    pub fn response_to(&mut self, request: &[u8]) -> Response {
        let head = self.read_head();
        let Some(status) = head.get(9..12).and_then(|code| code.parse().ok()) else {
            panic!("not a response: {head:?}")
        };
        let mut response = Response { status, head, body: Vec::new() };
        if request.starts_with(b"HEAD ") || status < 200 || matches!(status, 204 | 304) {
            return response;
        }
        if response.field("transfer-encoding") == Some("chunked") {
            response.body = self.read_chunks();
        } else if let Some(length) = response.field("content-length") {
            let length: u64 = length.parse().expect("Content-Length is a number");
            self.stream().take(length).read_to_end(&mut response.body).expect("the content comes");
            assert_eq!(response.body.len() as u64, length, "the content is cut short");
        } else {
            self.stream().read_to_end(&mut response.body).expect("the content comes");
        }
        response
    }

    /// Reads one response to a GET.
    ///
    /// # Panics
    /// As [`response_to`](Peer::response_to).
    #[track_caller]
    pub fn response(&mut self) -> Response {
        self.response_to(b"GET ")
    }

    /// Byte by byte, so that nothing behind the head is taken.
    #[track_caller]
    fn read_head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match self.stream().read(&mut byte) {
                Ok(0) => panic!("the stream ended in a head: {:?}", String::from_utf8_lossy(&head)),
                Ok(_) => head.push(byte[0]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("{error} in a head: {:?}", String::from_utf8_lossy(&head)),
            }
        }
        String::from_utf8(head).expect("the head is text")
    }

    #[track_caller]
    fn read_chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let mut line = Vec::new();
            while !line.ends_with(b"\r\n") {
                let mut byte = [0];
                self.stream().read_exact(&mut byte).expect("the size of a chunk comes");
                line.push(byte[0]);
            }
            let size = str::from_utf8(&line).expect("it is text").trim_end();
            let size = u64::from_str_radix(size, 16).expect("it is a number");
            let mut chunk = Vec::new();
            self.stream().take(size + 2).read_to_end(&mut chunk).expect("the chunk comes");
            assert!(chunk.ends_with(b"\r\n"), "a chunk is cut short");
            body.extend_from_slice(&chunk[..chunk.len() - 2]);
            if size == 0 {
                return body;
            }
        }
    }
}

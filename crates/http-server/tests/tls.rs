//! The server behind TLS, with a client that checks the certificate: `cargo test -p
//! http-server --features tls`.
#![cfg(feature = "tls")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use http_server::{Files, Limits, Response, Running, Server, Tls};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(30);

/// Short beside [`GENEROUS`], so that a limit which did not work could not be mistaken
/// for a slow machine.
const SHORT: Duration = Duration::from_millis(300);

/// More than one record, and more than the buffers between two ends hold.
const LARGE: usize = 8 << 20;

type TlsStream = StreamOwned<ClientConnection, TcpStream>;

fn tls() -> Tls {
    Tls::self_signed(vec!["localhost".into()]).unwrap()
}

fn tcp(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(GENEROUS)).unwrap();
    socket
}

/// A client that trusts this certificate and no other.
fn connect(address: SocketAddr, certificate: &[u8], protocols: &[&str]) -> TlsStream {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(certificate.to_vec())).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let session = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    StreamOwned::new(session, tcp(address))
}

fn exchange(stream: &mut TlsStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    // An end without a word (no close_notify) would be an error here.
    stream.read_to_string(&mut response).unwrap();
    response
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

fn start(server: Server) -> (Running, Vec<u8>) {
    let tls = tls();
    let certificate = tls.certificate().to_vec();
    (server.tls(tls).spawn().unwrap(), certificate)
}

#[test]
fn requests_and_bodies_pass_through() {
    let server = Server::bind("127.0.0.1:0")
        .unwrap()
        .post("/echo", |req| req.body_text())
        .get("/", |_| "hi");
    let (server, certificate) = start(server);
    let mut stream = connect(server.address(), &certificate, &["h2", "http/1.1"]);
    let body = "я".repeat(100_000);
    let post = format!(
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let responses = exchange(&mut stream, &[post, get("/")].concat());
    assert_eq!(stream.conn.alpn_protocol(), Some(b"http/1.1".as_slice()));
    assert!(
        responses.contains(&body) && responses.ends_with("\r\n\r\nhi"),
        "{} bytes",
        responses.len()
    );
}

/// Clients that are far away are in the middle of their handshakes for as long as it takes
/// to go there and back: they do not drive each other out.
#[test]
fn more_clients_than_places_who_shake_hands_at_once_are_all_served() {
    let limits = Limits { clients: 3, workers: 1, ..Limits::default() };
    let (server, certificate) =
        start(Server::bind("127.0.0.1:0").unwrap().limits(limits).get("/", |_| "hi"));
    let mut crowd: Vec<TlsStream> =
        (0..20).map(|_| connect(server.address(), &certificate, &[])).collect();
    // Each has sent its hello, then each has the server's, before any of them goes on.
    for client in &mut crowd {
        client.conn.write_tls(&mut client.sock).unwrap();
    }
    for client in &crowd {
        client.sock.peek(&mut [0]).unwrap();
    }
    for client in &mut crowd {
        assert!(exchange(client, &get("/")).ends_with("\r\n\r\nhi"));
    }
}

#[test]
fn handshakes_that_stall_hold_no_worker() {
    let limits = Limits { workers: 1, ..Limits::default() };
    let (server, certificate) =
        start(Server::bind("127.0.0.1:0").unwrap().limits(limits).get("/", |_| "hi"));
    let mut stalled: Vec<TlsStream> =
        (0..20).map(|_| connect(server.address(), &certificate, &[])).collect();
    for (place, client) in stalled.iter_mut().enumerate() {
        let mut hello = Vec::new();
        client.conn.write_tls(&mut hello).unwrap();
        // Nothing, the first byte, a half, or all of it.
        client.sock.write_all(&hello[..[0, 1, hello.len() / 2, hello.len()][place % 4]]).unwrap();
    }
    let mut client = connect(server.address(), &certificate, &[]);
    assert!(exchange(&mut client, &get("/")).ends_with("\r\n\r\nhi"));
}

/// RFC 8446 section 6.1: the end is said, so that a client knows that it has all of it.
#[test]
fn files_streams_and_parts_come_whole_and_the_end_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..LARGE).map(|n| b'a' + (n / 7 % 26) as u8).collect();
    fs::write(folder.path().join("large"), &content).unwrap();
    fs::write(folder.path().join("small"), "small").unwrap();
    let server = Server::bind("127.0.0.1:0").unwrap();
    let server = server.get("/stream", |_| Response::stream(std::io::repeat(b'x').take(200_000)));
    let (server, certificate) = start(server.mount("/", Files::new(folder.path()).unwrap()));
    let ask =
        |request: String| exchange(&mut connect(server.address(), &certificate, &[]), &request);
    assert!(ask(get("/large")).as_bytes().ends_with(&content));
    assert!(ask(get("/small")).ends_with("\r\n\r\nsmall"));
    let part =
        ask(get("/large").replace("Connection", "Range: bytes=5000000-5999999\r\nConnection"));
    assert!(
        part.starts_with("HTTP/1.1 206 ")
            && part.as_bytes().ends_with(&content[5_000_000..6_000_000])
    );
    assert!(ask(get("/stream")).ends_with("\r\n0\r\n\r\n"));
    // What cannot be served is answered and ended in the same way.
    assert!(ask("nonsense\r\n\r\n".into()).starts_with("HTTP/1.1 400 "));
}

#[test]
fn a_client_without_tls_is_told_so() {
    let (server, _) = start(Server::bind("127.0.0.1:0").unwrap().get("/", |_| "hi"));
    let mut socket = tcp(server.address());
    socket.write_all(get("/").as_bytes()).unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).unwrap();
    let (head, content) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 400 ") && content.contains("https://"), "{response}");
    assert!(head.contains(&format!("Content-Length: {}\r\n", content.len())), "{response}");
}

/// The handshake counts against the time for the head.
#[test]
fn a_handshake_that_does_not_come_is_given_up_and_holds_up_nobody() {
    let limits = Limits { head: SHORT, ..Limits::default() };
    let (server, certificate) =
        start(Server::bind("127.0.0.1:0").unwrap().limits(limits).get("/", |_| "hi"));
    let mut silent = tcp(server.address());
    let mut halfway = tcp(server.address());
    // The first bytes of a handshake record, and then nothing.
    halfway.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).unwrap();
    assert!(exchange(&mut connect(server.address(), &certificate, &[]), &get("/")).ends_with("hi"));
    let mut rest = Vec::new();
    assert_eq!(silent.read_to_end(&mut rest).unwrap(), 0);
    halfway.read_to_end(&mut rest).unwrap();
}

#[test]
fn a_stop_ends_idle_connections_with_a_word() {
    let (server, certificate) = start(Server::bind("127.0.0.1:0").unwrap().get("/", |_| "hi"));
    let mut stream = connect(server.address(), &certificate, &[]);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    // To the end of the content, or the server might still be busy with it.
    let mut response = Vec::new();
    while !response.ends_with(b"hi") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        response.extend_from_slice(&byte);
    }
    server.stop().unwrap();
    // Without the word, this would be an error: somebody could have cut the connection.
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}

/// A process that is gone when the test ends, panic or not.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_program(args: &[&str]) -> (Program, SocketAddr) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_http-server"));
    let child = command
        .args(["-q", "-p", "0"])
        .args(args)
        .stdout(Stdio::piped())
        .stdin(Stdio::null())
        .spawn();
    let mut program = Program(child.unwrap());
    let mut ready = String::new();
    BufReader::new(program.0.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let address = ready
        .trim_end()
        .rsplit_once("https://")
        .and_then(|(_, rest)| rest.trim_end_matches('/').parse().ok());
    (program, address.unwrap_or_else(|| panic!("not a ready line: {ready:?}")))
}

#[test]
fn the_program_takes_a_certificate_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let pem = |label: &str, der: &[u8]| {
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    };
    fs::write(&certificate, pem("CERTIFICATE", made.cert.der())).unwrap();
    fs::write(&key, pem("PRIVATE KEY", &made.signing_key.serialize_der())).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_string();
    let (_program, address) =
        start_program(&["--hello", "--tls-cert", &text(&certificate), "--tls-key", &text(&key)]);
    let response = exchange(&mut connect(address, made.cert.der(), &[]), &get("/"));
    assert!(response.ends_with("Привет, мир!"), "{response}");
    // The key of another certificate.
    fs::write(&key, pem("PRIVATE KEY", &rcgen::KeyPair::generate().unwrap().serialize_der()))
        .unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_http-server"));
    let refused = command.args([
        "--hello",
        "-p",
        "0",
        "--tls-cert",
        &text(&certificate),
        "--tls-key",
        &text(&key),
    ]);
    let refused = refused.output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    // Where others can read the key, a warning of it comes first.
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    let mut lines = told.lines();
    assert!(lines.any(|line| line.starts_with("error: cannot use this certificate: ")), "{told}");
}

#[test]
fn the_program_makes_a_certificate_by_itself() {
    let (_program, address) = start_program(&["--hello", "--tls"]);
    let mut socket = tcp(address);
    socket.write_all(get("/").as_bytes()).unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).unwrap();
    assert!(response.contains("400: this port speaks TLS"), "{response}");
}

//! Sockets that another process has opened: the program is started as systemd starts it.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(30);

/// Ended on every way out.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the program with `socket` as descriptor 3. The number of the process is known in
/// it alone, so a shell says it and becomes the program. `whose` is what it says.
fn start(socket: impl Into<OwnedFd>, whose: &str, args: &[&str]) -> Server {
    let script = format!("LISTEN_PID={whose} LISTEN_FDS=1 exec \"$0\" \"$@\" 3<&0 0</dev/null");
    let child = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_http-server"), "--hello", "--quiet"])
        .args(args)
        .stdin(Stdio::from(socket.into()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    Server(child.unwrap())
}

fn ready_line(server: &mut Server) -> String {
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    line
}

fn answer(mut stream: impl Read + Write) -> String {
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

fn connect(address: std::net::SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    stream
}

/// The point of it all: a server that is not there yet loses nobody.
#[test]
fn a_client_that_came_before_the_server_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let early = connect(address);
    let mut server = start(listener, "$$", &[]);
    assert_eq!(ready_line(&mut server), format!("Serving a greeting at http://{address}/\n"));
    for stream in [early, connect(address)] {
        assert!(answer(stream).starts_with("HTTP/1.1 200 "));
    }
}

#[test]
fn a_socket_file_is_handed_over_as_well_and_stays_when_the_server_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let mut server = start(UnixListener::bind(&path).unwrap(), "$$", &[]);
    let line = ready_line(&mut server);
    assert_eq!(line, format!("Serving a greeting at unix:{}\n", path.display()));
    let stream = UnixStream::connect(&path).unwrap();
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    assert!(answer(stream).starts_with("HTTP/1.1 200 "));
    drop(server);
    assert!(path.exists());
}

#[test]
fn what_does_not_listen_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    for socket in
        [OwnedFd::from(client), datagrams.into(), std::fs::File::open("/dev/null").unwrap().into()]
    {
        let mut server = start(socket, "$$", &[]);
        let mut said = String::new();
        server.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(said.starts_with("error: cannot serve on socket 1 of those"), "{said}");
        assert_eq!(server.0.wait().unwrap().code(), Some(1));
    }
}

/// What is in the environment of a child was meant for its parent.
#[test]
fn what_was_handed_over_to_another_process_is_left_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    for whose in ["1", ""] {
        let mut server = start(listener.try_clone().unwrap(), whose, &["--port", "0"]);
        let line = ready_line(&mut server);
        assert!(line.starts_with("Serving ") && !line.contains(&address.to_string()), "{line}");
    }
}

#[test]
fn an_address_beside_sockets_that_are_handed_over_is_wrong_usage() {
    for args in [["--port", "0"], ["--bind", "127.0.0.1"], ["--lan", "--health"]] {
        let mut server = start(TcpListener::bind("127.0.0.1:0").unwrap(), "$$", &args);
        assert_eq!(server.0.wait().unwrap().code(), Some(2), "{args:?}");
    }
}

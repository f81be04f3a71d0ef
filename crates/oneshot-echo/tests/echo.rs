//! What makes this server an echo, and its client: whoever makes another of it takes this
//! file away.

use std::net::{SocketAddr, TcpStream};
use std::thread;

use oneshot_echo::{Echo, client, server};

fn start(upper: bool) -> SocketAddr {
    let listener = server::listen(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || server::serve(listener, &Echo { upper }));
    address
}

fn exchange(address: SocketAddr, message: &[u8]) -> Vec<u8> {
    client::exchange(TcpStream::connect(address).unwrap(), message).unwrap()
}

#[test]
fn a_message_comes_back() {
    for message in ["Привет, сервер!".as_bytes(), b"", b"\0\xff\xfe"] {
        assert_eq!(exchange(start(false), message), message);
    }
}

#[test]
fn upper_case_leaves_everything_but_ascii_letters_as_it_was() {
    let reply = exchange(start(true), "hello, мир!".as_bytes());
    assert_eq!(String::from_utf8(reply).unwrap(), "HELLO, мир!");
}

//! The site, started in the test and asked over a real connection.

use std::net::TcpStream;

use http_server::client;
use my_site::server;

#[test]
fn a_route_a_file_and_a_path_that_is_neither_are_answered() {
    let server = server("127.0.0.1:0").unwrap().spawn().unwrap();
    let stream = TcpStream::connect(server.address()).unwrap();
    let get = |path| client::get(&stream, path).unwrap();
    assert_eq!(get("/hello/world").content, b"hi world\n");
    assert!(String::from_utf8(get("/").content).unwrap().contains("<h1>"));
    assert_eq!(get("/nothing/here").status, 404);
}

//! The site, started in the test or as a program, and asked over a real connection.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use http_server::{Server, Status, TestClient};
use my_site::site;

#[test]
fn a_route_a_file_and_a_path_that_is_neither_are_answered() {
    let server = site(Server::bind("127.0.0.1:0").unwrap()).unwrap().spawn().unwrap();
    let get = |path| server.client().get(path).send().unwrap();
    assert_eq!(get("/hello/world").text(), "hi world\n");
    assert!(get("/").text().contains("<h1>"));
    assert_eq!(get("/nothing/here").status(), Status::NOT_FOUND);
}

#[test]
fn the_program_says_where_it_listens() {
    let program = env!(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME")));
    let mut child =
        Command::new(program).arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let read = BufReader::new(child.stdout.take().unwrap()).read_line(&mut line);
    let address = line.trim().strip_prefix("listening on http://");
    let address = address.and_then(|address| address.strip_suffix('/')?.parse().ok());
    let reply = address.map(|address| TestClient::new(address).get("/healthz").send());
    child.kill().unwrap();
    child.wait().unwrap();
    read.unwrap();
    assert_eq!(reply.expect(&line).unwrap().text(), "ok\n");
}

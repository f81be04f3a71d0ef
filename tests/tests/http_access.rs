//! Who gets at `http-server`: passwords, whoever watches its health, and clients of a
//! socket file. Sections of four digits are of RFC 9110, others say where they are
//! from.

use std::fs;

use ladder_tests::rung;
use ladder_tests::site::Site;

/// `ada:engine`, `x:` and `я:ю` as they come in a header.
const ADA: &str = "YWRhOmVuZ2luZQ==";
const EMPTY_PASSWORD: &str = "eDo=";
const UNICODE: &str = "0Y860Y4=";

/// RFC 9110 section 15.5.2; RFC 7617 section 2.
#[test]
fn nothing_is_shown_without_the_password() {
    let site = Site::new();
    site.write("a.txt", "hello").write("404.html", "lost");
    let server = site.start(&["--auth", "ada:engine", "--auth", "я:ю", "--auth", "x:"]);
    let asks = |fields: &str| server.get_with("/a.txt", fields);
    for token in [ADA, UNICODE, EMPTY_PASSWORD] {
        asks(&format!("Authorization: Basic {token}\r\n")).expect_status(200).expect_body("hello");
    }
    asks(&format!("authorization: bAsIc {ADA}\r\n")).expect_status(200);
    for fields in [
        String::new(),
        "Authorization: Basic\r\n".into(),
        "Authorization: Basic YWRhOmVuZ2luZ\r\n".into(),
        "Authorization: Basic YWRhOndyb25n\r\n".into(),
        "Authorization: Basic ====\r\n".into(),
        format!("Authorization: Bearer {ADA}\r\n"),
        format!("Authorization: {ADA}\r\n"),
        // Two of them: the first one counts, whatever follows.
        format!("Authorization: Basic x\r\nAuthorization: Basic {ADA}\r\n"),
    ] {
        let refused = asks(&fields).expect_status(401);
        let refused = refused
            .expect_field("www-authenticate", "Basic realm=\"http-server\", charset=\"UTF-8\"");
        refused.expect_field("cache-control", "no-store").expect_no_field("etag");
    }
    // What is there and what is not looks the same from outside.
    for path in ["/", "/missing", "/%zz", "/404.html"] {
        assert_eq!(server.get(path).status, 401, "{path}");
    }
    server
        .ask("POST /a.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        .expect_status(401);
    server
        .get_with("/missing", &format!("Authorization: Basic {ADA}\r\n"))
        .expect_status(404)
        .expect_body("lost");
}

#[test]
fn passwords_can_stand_in_a_file_instead_of_the_list_of_processes() {
    let site = Site::new();
    site.write("a.txt", "hello");
    let file = site.outside().join("passwords");
    let given = format!("@{}", file.display());
    // The third as some editors on Windows leave it.
    for text in ["bob:builder\nada:engine\n", "ada:engine", "\u{feff}ada:engine\r\nbob:builder\r\n"]
    {
        fs::write(&file, text).unwrap();
        let server = site.start(&["--auth", &given]);
        server.get("/a.txt").expect_status(401);
        server.get_with("/a.txt", &format!("Authorization: Basic {ADA}\r\n")).expect_status(200);
    }
    fs::write(&file, "\n").unwrap();
    for given in [given.as_str(), "no-colon", "", "@/nowhere/at/all"] {
        let finished = rung("http-server")
            .run(&["--auth", given, site.path().to_str().unwrap()])
            .expect_code(2);
        // Behind the warning of a file that others can read.
        let last = finished.stderr.lines().last();
        assert!(last.is_some_and(|line| line.starts_with("error: ")), "{}", finished.stderr);
    }
}

/// RFC 7617 section 4.
#[test]
fn a_password_that_others_could_read_on_the_way_is_warned_about() {
    let site = Site::new();
    let readable = "passwords cross the network readable";
    site.start(&["--auth", "ada:engine", "--lan"]).expect_stderr(&[readable]);
    let local = site.start(&["--auth", "ada:engine"]);
    local.get("/").expect_status(401);
    // The log line comes after whatever is said at the start.
    local.expect_stderr(&["\"GET / HTTP/1.1\" 401 "]);
    assert!(!local.stderr_so_far().contains(readable));
}

/// The watcher has no password, and asks by address.
#[test]
fn health_is_told_to_everybody_and_nothing_else_is() {
    let site = Site::new();
    site.write("a.txt", "hello");
    let server = site.start(&["--auth", "ada:engine", "--health"]);
    let healthy = server.ask("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").expect_status(200);
    healthy.expect_body("ok\n").expect_field("cache-control", "no-store");
    server.ask("HEAD /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").expect_status(200);
    server.get("/a.txt").expect_status(401);
    site.start(&[]).get("/healthz").expect_status(404);
}

#[cfg(unix)]
mod socket_files {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::path::{Path, PathBuf};

    use ladder_tests::{Process, rung};
    use rustix::process::Signal;

    use super::*;

    fn start(site: &Site, socket: &Path, more: &[&str]) -> Process {
        let bind = format!("unix:{}", socket.display());
        let server = rung("http-server")
            .start(&[&[site.path().to_str().unwrap(), "-b", &bind], more].concat());
        server.expect_stdout(&["Serving "]);
        server
    }

    fn site_and_socket() -> (Site, PathBuf) {
        let site = Site::new();
        site.write("a.txt", "hello");
        let socket = site.outside().join("socket");
        (site, socket)
    }

    fn get(socket: &Path, path: &str) -> String {
        let mut stream = UnixStream::connect(socket).unwrap();
        // Nobody's page can reach it, so that any Host will do.
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: any.example\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    }

    #[test]
    fn a_socket_file_is_listened_on_and_gone_at_the_end() {
        let (site, socket) = site_and_socket();
        let server = start(&site, &socket, &[]);
        assert!(server.stdout_so_far().ends_with(&format!(" at unix:{}\n", socket.display())));
        let response = get(&socket, "/a.txt");
        assert!(
            response.starts_with("HTTP/1.1 200 ") && response.ends_with("\r\n\r\nhello"),
            "{response}"
        );
        // Who came is known by the system, and in the log: we did. Only Linux tells the process.
        let mut who = format!("uid={}", rustix::process::geteuid().as_raw());
        if cfg!(target_os = "linux") {
            who.push_str(&format!(",pid={}", std::process::id()));
        }
        let line = format!("{who} - - [");
        server.expect_stderr(&[&line, "\"GET /a.txt HTTP/1.1\" 200 5 "]);
        server.signal(Signal::TERM);
        server.wait().expect_code(0);
        assert!(!socket.exists());
    }

    #[test]
    fn a_socket_file_that_was_left_behind_is_taken_over_and_one_in_use_is_not() {
        let (site, socket) = site_and_socket();
        let killed = start(&site, &socket, &[]);
        killed.signal(Signal::KILL);
        killed.wait();
        assert!(socket.exists());
        let server = start(&site, &socket, &[]);
        assert!(get(&socket, "/a.txt").ends_with("hello"));
        let bind = format!("unix:{}", socket.display());
        let second =
            rung("http-server").run(&[site.path().to_str().unwrap(), "-b", &bind]).expect_code(1);
        assert!(second.stderr.contains("address already in use"), "{}", second.stderr);
        assert!(get(&socket, "/a.txt").ends_with("hello"));
        drop(server);
    }

    #[test]
    fn the_mode_of_a_socket_file_is_the_one_that_was_asked_for() {
        use std::os::unix::fs::MetadataExt;

        let (site, socket) = site_and_socket();
        for (args, mode) in
            [(&[][..], 0o600), (&["--mode", "666"], 0o666), (&["--mode", "660"], 0o660)]
        {
            let server = start(&site, &socket, args);
            assert_eq!(std::fs::symlink_metadata(&socket).unwrap().mode() & 0o777, mode);
            assert!(get(&socket, "/a.txt").ends_with("hello"));
            server.signal(Signal::TERM);
            server.wait().expect_code(0);
        }
        let folder = site.path();
        let folder = folder.to_str().unwrap();
        let wrong = rung("http-server").run(&[folder, "-b", "unix:x", "--mode", "rw"]);
        assert!(wrong.expect_code(2).stderr.contains("a mode is written as 600"));
    }

    #[test]
    fn of_two_starts_at_once_on_a_socket_file_exactly_one_lives_and_can_be_reached() {
        let (site, socket) = site_and_socket();
        let bind = format!("unix:{}", socket.display());
        let folder = site.path();
        let args = [folder.to_str().unwrap(), "-b", &bind];
        for round in 0..50 {
            let both = [(); 2].map(|()| rung("http-server").start(&args));
            let ready = both.each_ref().map(|server| server.prints(&["Serving "]));
            assert_eq!(ready.iter().filter(|ready| **ready).count(), 1, "round {round}: {ready:?}");
            assert!(get(&socket, "/a.txt").ends_with("hello"));
            // What a killed one leaves is where the next round begins.
            for server in both {
                server.signal(Signal::KILL);
                server.wait();
            }
        }
    }

    #[test]
    fn what_is_no_socket_file_is_left_alone() {
        let (site, socket) = site_and_socket();
        std::fs::write(&socket, "mine").unwrap();
        let bind = format!("unix:{}", socket.display());
        let refused = rung("http-server").run(&[site.path().to_str().unwrap(), "-b", &bind]);
        refused.expect_error(
            &format!("cannot listen on {bind}: something else has this name, and it is no socket"),
            "it is left as it is; choose another file",
        );
        assert_eq!(std::fs::read(&socket).unwrap(), b"mine");
    }

    #[test]
    fn a_socket_file_and_an_address_can_be_had_together() {
        let (site, socket) = site_and_socket();
        let server = start(&site, &socket, &["-b", "127.0.0.1", "-p", "0"]);
        let server = ladder_tests::http::HttpServer::of(server);
        assert!(get(&socket, "/a.txt").ends_with("hello"));
        server.get("/a.txt").expect_status(200);
        // A web page can reach the address: there a strange name is refused.
        server.ask("GET /a.txt HTTP/1.1\r\nHost: evil.example\r\n\r\n").expect_status(421);
    }
}

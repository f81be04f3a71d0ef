//! The rows of the tutorials: what each sample does there, the rung that names the row
//! does here. The whole of HTTP is in the files that begin with `http_`.
//! T2.8, T2.9, T2.11 and T2.12 are with the rest of their protocols, in
//! `object_exchange.rs`, `udp_echo.rs` and `framed_echo.rs`.

use std::path::Path;

use ladder_tests::http::HttpServer;
use ladder_tests::peer::{assert_refused, lasting_port};
use ladder_tests::{Server, rungs_of_row, stream_rungs};

#[test]
fn t1_1_a_server_for_one_client_tells_who_came_serves_to_the_end_and_ends() {
    for rung in rungs_of_row("T1.1") {
        let server = Server::start_on(rung, lasting_port(), &["-v"]);
        let mut client = server.connect();
        server.expect_log(&[&client.address(), "connected"]);
        // More than the 1024 bytes that the sample reads at a time.
        let long = "x".repeat(3000);
        client.send(long.as_bytes());
        client.expect_bytes(long.as_bytes());
        client.half_close();
        client.expect_end_of_stream();
        let address = server.address.clone();
        let finished = server.wait().expect_code(0);
        assert!(
            finished.stderr.contains(&format!("{} closed", client.address())),
            "{}",
            finished.stderr
        );
        assert_refused(address);
    }
}

#[test]
fn t1_2_the_27_bytes_of_a_russian_greeting_come_back() {
    for rung in rungs_of_row("T1.2") {
        let server = Server::start(rung, &["-v"]);
        server.client(&["Привет, сервер!"]).expect_code(0).expect_stdout("Привет, сервер!\n");
        server.expect_log(&["received 27 bytes", r#""Привет, сервер!""#]);
        server.expect_log(&["sending 27 bytes", r#""Привет, сервер!""#]);
    }
}

#[test]
fn t1_3_and_t1_4_a_udp_server_tells_sender_and_text_and_answers_with_its_prefix() {
    for rung in rungs_of_row("T1.3") {
        let server = Server::start(rung, &["-v", "--prefix", "Ответ: "]);
        for _ in 0..2 {
            server.client(&["Hello UDP!"]).expect_code(0).expect_stdout("Ответ: Hello UDP!\n");
        }
        server.expect_log(&["127.0.0.1:", "received 10 bytes", r#""Hello UDP!""#]);
        // 12 bytes of the prefix, although it has 7 letters and signs.
        server.expect_log(&["127.0.0.1:", "sending 22 bytes", r#""Ответ: Hello UDP!""#]);
    }
}

#[test]
fn t1_5_the_current_folder_is_served_by_default() {
    let site = tempfile::tempdir().expect("a folder can be made");
    std::fs::write(site.path().join("page.html"), "<p>Привет</p>").expect("a file can be written");
    for rung in rungs_of_row("T1.5") {
        let server = HttpServer::of_rung(rung, &[], site.path());
        assert!(server.get("/").expect_status(200).text().contains("page.html"), "a listing");
        let page = server.get("/page.html").expect_status(200).expect_body("<p>Привет</p>");
        assert!(
            page.field("content-type").is_some_and(|kind| kind.starts_with("text/html")),
            "{}",
            page.head
        );
        server.get("/../Cargo.toml").expect_no_field("last-modified");
        server.get("/nothing").expect_status(404);
    }
}

#[test]
fn t1_6_the_handler_greets_on_any_path_and_has_no_other_method() {
    for rung in rungs_of_row("T1.6") {
        let args: &[&str] = if rung.passes("http") { &["--hello"] } else { &[] };
        let server = HttpServer::of_rung(rung, args, Path::new("."));
        for path in ["/", "/any/path?at=all"] {
            let greeting = server.get(path).expect_status(200).expect_body("Привет, мир!");
            let greeting = greeting.expect_field("content-length", "21");
            greeting.expect_field("content-type", "text/plain; charset=utf-8");
        }
        server
            .ask("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            .expect_status(501);
    }
}

#[test]
fn t2_1_one_client_is_answered_in_upper_case_and_the_server_ends() {
    for rung in rungs_of_row("T2.1") {
        let server = Server::start(rung, &["--upper"]);
        server.client(&["hello, world!"]).expect_code(0).expect_stdout("HELLO, WORLD!\n");
        server.wait().expect_code(0);
    }
}

#[test]
fn t2_2_the_greeting_comes_back() {
    for rung in rungs_of_row("T2.2") {
        Server::start(rung, &[])
            .client(&["hello, world!"])
            .expect_code(0)
            .expect_stdout("hello, world!\n");
    }
}

/// That each limit stands until then, and is lifted there, is in `limits.rs`.
#[test]
fn t2_3_the_limits_are_lifted_in_the_tutorials_order() {
    let lifted = ["second-visit", "silent", "second-client"].map(|limit| {
        let first = stream_rungs()
            .into_iter()
            .position(|rung| !rung.serves_once() && !rung.has_limit(limit));
        first.unwrap_or_else(|| panic!("no rung lifts {limit}"))
    });
    assert!(lifted[0] > 0 && lifted.is_sorted_by(|a, b| a < b), "{lifted:?}");
}

#[test]
fn t2_4_the_same_client_and_a_new_one_may_come_back() {
    for rung in rungs_of_row("T2.4") {
        let server = Server::start(rung, &[]);
        for visit in ["first", "second", "third"] {
            server
                .client(&[visit, "again"])
                .expect_code(0)
                .expect_stdout(&format!("{visit}\nagain\n"));
        }
    }
}

#[test]
fn t2_5_each_step_of_a_visit_is_logged_with_the_peer_in_order() {
    for rung in rungs_of_row("T2.5") {
        let server = Server::start(rung, &["-v"]);
        let (mut log, mut expected) = (String::new(), Vec::new());
        for visit in ["first", "second"] {
            let mut client = server.connect();
            client.send(visit.as_bytes());
            client.expect_bytes(visit.as_bytes());
            client.half_close();
            client.expect_end_of_stream();
            let peer = client.address();
            server.expect_log(&[&peer, "closed"]);
            log = server.stderr_so_far();
            expected.extend([
                "waiting for a client".to_string(),
                format!("{peer} connected"),
                format!("{peer} received {} bytes \"{visit}\"", visit.len()),
                format!("{peer} sending {} bytes \"{visit}\"", visit.len()),
                format!("{peer} closed"),
            ]);
        }
        // Each line is the time, the level and the event.
        let event =
            |line: &str| line.splitn(3, ' ').nth(2).unwrap_or_default().trim_start().to_string();
        let events: Vec<String> = log.lines().map(event).take(expected.len()).collect();
        assert_eq!(events, expected, "{}", rung.name);
    }
}

#[test]
fn t2_6_a_silent_client_is_reported_and_dropped_and_the_server_lives() {
    for rung in rungs_of_row("T2.6") {
        let server = Server::start(rung, &["--idle", "1s"]);
        let mut silent = server.connect();
        silent.expect_end_of_stream();
        server.expect_log(&["warn", &silent.address(), "dropped: timed out"]);
        server.client(&["still here"]).expect_code(0).expect_stdout("still here\n");
    }
}

#[test]
fn t2_6_a_server_that_nobody_comes_to_ends_in_time() {
    for rung in rungs_of_row("T2.6") {
        let server = Server::start(rung, &["--accept-timeout", "300ms"]);
        server.expect_log(&["nobody came in time"]);
        server.wait().expect_code(0);
    }
}

#[test]
fn t2_7_nothing_yet_is_told_apart_from_data_end_of_stream_and_error() {
    for rung in rungs_of_row("T2.7") {
        let server = Server::start(rung, &["-v", "--idle", "1s"]);

        let mut silent = server.connect();
        silent.expect_end_of_stream();
        server.expect_log(&[&silent.address(), "dropped: timed out"]);

        let mut polite = server.connect();
        polite.exchange(b"data", b"data");
        polite.half_close();
        server.expect_log(&[&polite.address(), r#"received 4 bytes "data""#]);
        server.expect_log(&[&polite.address(), "closed"]);

        let mut rude = server.connect();
        rude.exchange(b"data", b"data");
        let address = rude.address();
        rude.reset();
        server.expect_log(&[&address, "dropped: connection reset by the other end"]);
    }
}

#[test]
fn t2_10_a_udp_server_echoes_without_a_prefix_and_logs_the_data() {
    for rung in rungs_of_row("T2.10") {
        let server = Server::start(rung, &["-v"]);
        server.client(&["Hello UDP!"]).expect_code(0).expect_stdout("Hello UDP!\n");
        server.expect_log(&[r#"received 10 bytes "Hello UDP!""#]);
        server.expect_log(&[r#"sending 10 bytes "Hello UDP!""#]);
    }
}

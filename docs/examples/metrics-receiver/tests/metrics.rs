//! What the receiver answers, and what it promises.

use std::thread;

use metrics_receiver::{Echo, Patience, client, server};
use netcore::testing::udp::{Running, Suite};
use netcore::testing::{GENEROUS, Setup};

fn metrics(options: &[&str]) -> Echo {
    Setup::default().service(options)
}

fn ask(metrics: &Echo, text: &str) -> String {
    String::from_utf8(metrics.reply(text.as_bytes())).unwrap()
}

fn suite() -> Suite {
    Suite::new(b"show a".to_vec(), |socket, shutdown| {
        server::serve(socket, &metrics(&[]), shutdown)
    })
}

netcore::promises! { suite(), of netcore::testing::udp =>
    a_stop_ends_the_server_while_it_waits_for_a_datagram,
    a_stop_ends_the_server_while_datagrams_keep_coming,
    what_is_no_question_does_not_stop_the_server,
}

#[test]
fn counts_add_up_and_values_are_replaced() {
    let metrics = metrics(&[]);
    for (text, reply) in [
        ("add requests 2", "ok"),
        ("add requests 3", "ok"),
        ("set load 0.5", "ok"),
        ("set load 0.25", "ok"),
        ("show load", "0.25"),
        ("show requests", "5"),
        ("show others", "none"),
    ] {
        assert_eq!(ask(&metrics, text), reply, "{text}");
    }
}

#[test]
fn the_client_takes_a_reply_that_is_no_echo() {
    let server = Running::start(|socket, shutdown| server::serve(socket, &metrics(&[]), shutdown));
    let patience = Patience { timeout: GENEROUS };
    let ask =
        |text: &str| client::exchange(&mut [server.connect()], text.as_bytes(), &patience).unwrap();
    assert_eq!((ask("add a 2"), ask("show a")), (b"ok".to_vec(), b"2".to_vec()));
}

#[test]
fn what_is_no_number_or_no_request_changes_nothing() {
    let metrics = metrics(&[]);
    let numbers = ["one", "NaN", "inf", "1e300", "1e-300"].map(|it| format!("add a {it}"));
    for text in ["", "show", "add a", "sing a 1"].map(String::from).iter().chain(&numbers) {
        assert_eq!(ask(&metrics, text), "?", "{text}");
    }
    assert_eq!(ask(&metrics, "show a"), "none");
}

#[test]
fn what_strangers_can_make_the_server_hold_is_bounded() {
    let metrics = metrics(&["--max-names", "1"]);
    assert_eq!(ask(&metrics, &format!("add {} 1", "x".repeat(65))), "no room");
    assert_eq!(ask(&metrics, "add a 1"), "ok");
    assert_eq!(ask(&metrics, "add b 1"), "no room");
    assert_eq!(ask(&metrics, "add a 1"), "ok");
}

/// A forged address would be flooded otherwise.
#[test]
fn no_answer_is_much_longer_than_what_was_asked() {
    let metrics = metrics(&[]);
    for name in ["a", "b", "c"] {
        for _ in 0..100 {
            ask(&metrics, &format!("add {name} 123456789012345"));
            ask(&metrics, &format!("add {name} -0.000000123"));
        }
    }
    for text in ["", "?", "show", "show a", "add a", "set a 1"] {
        let answer = ask(&metrics, text);
        assert!(answer.len() <= text.len() + 40, "{text}: {answer}");
    }
}

#[test]
fn programs_that_tell_at_once_are_all_counted() {
    let server = Running::start(|socket, shutdown| server::serve(socket, &metrics(&[]), shutdown));
    thread::scope(|scope| {
        for _ in 0..4 {
            let socket = server.connect();
            scope.spawn(move || {
                for _ in 0..25 {
                    socket.send(b"add requests 1").unwrap();
                    // It has been counted by then, so that none is lost in a full buffer.
                    assert_eq!(socket.recv(&mut [0; 64]).unwrap(), 2);
                }
            });
        }
    });
    let (socket, mut buf) = (server.connect(), [0; 64]);
    socket.send(b"show requests").unwrap();
    let n = socket.recv(&mut buf).unwrap();
    assert_eq!(&buf[..n], b"100");
}

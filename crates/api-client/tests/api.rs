//! What is asked again, and what not: against third parties that do what they should not.

mod canned;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use api_client::api::{ANSWER_LIMIT, Api, NoAnswer, Request, Secret};
use api_client::policy::{REQUESTS_PER_REPEAT, RESERVE};
use canned::{GENEROUS, canned, json, says};
use netcore::tls::ServerSide;
use serde_json::{Value, json};

/// Far more than what a test waits for, and short beside [`GENEROUS`].
const PATIENCE: Duration = Duration::from_secs(8);

/// A patience that is meant to run out.
const SHORT: Duration = Duration::from_secs(2);

fn api(address: SocketAddr, patience: Duration) -> Api {
    let base = format!("http://{address}/").parse().unwrap();
    let secret = Secret { field: "X-Api-Key".into(), value: "s3cret".into() };
    Api::new(base, Some(secret), patience, 1000)
}

fn get(api: &mut Api) -> Result<Value, NoAnswer> {
    api.ask(Request { path: "notes", body: None, key: None })
}

fn post(api: &mut Api, key: Option<&str>) -> Result<Value, NoAnswer> {
    api.ask(Request { path: "notes", body: Some(&json!({ "text": "a" })), key })
}

#[track_caller]
fn refused(answer: Result<Value, NoAnswer>) -> String {
    match answer {
        Err(NoAnswer::Refused(why)) => why,
        other => panic!("not refused but {other:?}"),
    }
}

#[track_caller]
fn gave_up(answer: Result<Value, NoAnswer>) -> String {
    match answer {
        Err(NoAnswer::GaveUp(why)) => why,
        other => panic!("not given up but {other:?}"),
    }
}

#[test]
fn a_request_that_reads_is_sent_again_until_there_is_an_answer() {
    let passing = [503, 502, 504, 429].map(|status| json(status, "", "{}"));
    let [a, b, c, d] = &passing;
    let (address, requests) = says(&[a, b, c, d, &json(200, "", "[1]")]);
    assert_eq!(get(&mut api(address, PATIENCE)).unwrap(), json!([1]));
    assert_eq!(requests.lock().unwrap().len(), 5);
}

#[test]
fn one_that_is_lost_on_a_connection_that_breaks_is_sent_again() {
    // No byte of an answer; half a head; less than the length said; half a chunk.
    let (address, requests) = says(&[
        "",
        "HTTP/1.1 200 OK\r\nContent-",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[1",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n[1",
        &json(200, "", "[1]"),
    ]);
    assert_eq!(get(&mut api(address, PATIENCE)).unwrap(), json!([1]));
    assert_eq!(requests.lock().unwrap().len(), 5);
}

#[test]
fn with_a_key_it_is_the_same_key_in_all_tries() {
    let (address, requests) = says(&[&json(503, "", "{}"), "", &json(201, "", "{\"number\":1}")]);
    post(&mut api(address, PATIENCE), Some("key-1")).unwrap();
    let requests = requests.lock().unwrap();
    assert_eq!(requests.len(), 3);
    for request in requests.iter() {
        assert!(request.to_lowercase().contains("\r\nidempotency-key: key-1\r\n"), "{request}");
        assert_eq!(request, &requests[0]);
    }
}

#[test]
fn without_a_key_it_is_sent_once_whatever_comes() {
    for answer in [json(502, "", "{}"), json(503, "Retry-After: 0\r\n", "{}"), String::new()] {
        let (address, requests) = says(&[&answer]);
        let why = gave_up(post(&mut api(address, PATIENCE), None));
        assert!(why.contains("could do it twice"), "{why}");
        assert_eq!(requests.lock().unwrap().len(), 1, "{answer}");
    }
}

/// Whichever of the tries it was that may have been done.
#[test]
fn what_is_not_known_is_told_of_what_has_an_effect() {
    const NOT_KNOWN: &str = "; whether it took effect is not known";
    let (refused_for_now, gone) = (json(503, "Retry-After: 3600\r\n", "{}"), json(410, "", "{}"));
    for lost in [json(502, "", "{}"), json(504, "", "{}"), String::new()] {
        let ends_with = |answer: &str| says(&[&lost, answer]).0;
        let why = gave_up(post(&mut api(ends_with(&refused_for_now), PATIENCE), Some("key")));
        assert!(why.ends_with(NOT_KNOWN), "{why}");
        let why = refused(post(&mut api(ends_with(&gone), PATIENCE), Some("key")));
        assert!(why.ends_with(NOT_KNOWN), "{why}");
        let why = gave_up(post(&mut api(says(&[&lost]).0, PATIENCE), None));
        assert!(why.ends_with(NOT_KNOWN), "{why}");
        let why = gave_up(get(&mut api(ends_with(&refused_for_now), PATIENCE)));
        assert!(!why.contains(NOT_KNOWN), "{why}");
    }
    let why = gave_up(post(&mut api(says(&[&refused_for_now]).0, PATIENCE), Some("key")));
    assert!(!why.contains(NOT_KNOWN), "{why}");
    let why = gave_up(get(&mut api(says(&[""]).0, SHORT)));
    assert!(!why.contains(NOT_KNOWN), "{why}");
}

#[test]
fn what_was_sent_and_redirected_is_not_sent_again_where_nobody_is() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let there = format!("Location: http://{free}/\r\n");
    let (address, requests) = says(&[&json(303, &there, "{}")]);
    let why = gave_up(post(&mut api(address, PATIENCE), None));
    assert!(why.contains("whether it took effect is not known"), "{why}");
    assert_eq!(requests.lock().unwrap().len(), 1);
}

#[test]
fn where_a_name_has_no_address_nothing_was_sent() {
    // Longer than a label of a name may be, so that nobody has to be asked.
    let base = format!("http://{}.invalid/", "a".repeat(64)).parse().unwrap();
    let why = gave_up(post(&mut Api::new(base, None, SHORT, 1000), None));
    assert!(why.contains("the time is up") && !why.contains("not known"), "{why}");
}

#[test]
fn what_is_refused_is_asked_once() {
    for status in [400, 401, 403, 404, 409, 422, 500, 501] {
        let (address, requests) = says(&[&json(status, "Retry-After: 1\r\n", "{}")]);
        let why = refused(post(&mut api(address, PATIENCE), Some("k")));
        assert!(why.contains(&status.to_string()), "{why}");
        assert_eq!(requests.lock().unwrap().len(), 1, "{status}");
    }
}

#[test]
fn the_other_side_says_when_and_it_is_not_asked_sooner() {
    let (address, requests) =
        says(&[&json(503, "Retry-After: 1\r\n", "{}"), &json(200, "", "[1]")]);
    let began = Instant::now();
    get(&mut api(address, PATIENCE)).unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(requests.lock().unwrap().len(), 2);
}

#[test]
fn beyond_the_deadline_it_is_given_up_at_once_and_told_when_to_come_back() {
    // Not much beyond it: who waits nevertheless fails soon.
    let (address, requests) = says(&[&json(429, "Retry-After: 25\r\n", "{}")]);
    let began = Instant::now();
    let why = gave_up(get(&mut api(address, GENEROUS)));
    assert!(why.contains("come back in 25 s"), "{why}");
    assert!(began.elapsed() < GENEROUS / 2);
    assert_eq!(requests.lock().unwrap().len(), 1);
    // At once is no time to come back at.
    let (address, _) = says(&[&json(503, "Retry-After: 0\r\n", "{}")]);
    let why = gave_up(get(&mut api(address, SHORT)));
    assert!(why.contains("the time is up"), "{why}");
}

#[test]
fn one_deadline_holds_for_silence_for_drops_and_for_all_tries_together() {
    // Says nothing; a head that drips; a body that drips, each byte in good time.
    for start in ["", "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"] {
        let (address, _) = canned(move |_, stream| {
            if stream.write_all(start.as_bytes()).is_err() || start.is_empty() {
                // Until the client has gone.
                let _ = stream.read(&mut [0]);
                return;
            }
            // A pace that no wait for a single read would notice.
            while stream.write_all(b"1").is_ok() {
                thread::sleep(Duration::from_millis(20));
            }
        });
        let began = Instant::now();
        gave_up(get(&mut api(address, SHORT)));
        assert!(began.elapsed() < GENEROUS, "{start:?}");
    }
    let (address, requests) = says(&[&json(503, "", "{}")]);
    let began = Instant::now();
    gave_up(get(&mut api(address, SHORT)));
    assert!(began.elapsed() < GENEROUS);
    assert!(requests.lock().unwrap().len() > 1);
}

#[test]
fn what_the_first_try_has_taken_is_not_there_for_the_second() {
    // Most of the time goes by before the first answer; the second never comes.
    let most = PATIENCE * 3 / 4;
    let (address, _) = canned(move |number, stream| match number {
        0 => {
            thread::sleep(most);
            let _ = stream.write_all(json(503, "", "{}").as_bytes());
        }
        _ => drop(stream.read(&mut [0])),
    });
    let began = Instant::now();
    gave_up(get(&mut api(address, PATIENCE)));
    assert!(began.elapsed() < most + PATIENCE, "the second try had as long as the first");
}

#[test]
fn an_answer_that_makes_no_sense_or_is_too_long_is_an_error_and_not_asked_for_again() {
    let long = format!("HTTP/1.1 200 OK\r\n\r\n[{}", " ".repeat(2 * ANSWER_LIMIT as usize));
    let many_fields = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(100_000));
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n<p>Everything's fine",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        // Compressed although nobody has asked for it, as is a bomb.
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x08aa",
        &long,
        &many_fields,
    ] {
        let (address, requests) = says(&[answer]);
        refused(get(&mut api(address, PATIENCE)));
        let shown = &answer[..answer.len().min(60)];
        assert_eq!(requests.lock().unwrap().len(), 1, "{shown}");
    }
}

#[test]
fn a_redirect_to_another_origin_carries_no_secret_of_any_name() {
    let (elsewhere, there) = says(&[&json(200, "", "[1]")]);
    let to = format!("Location: http://{elsewhere}/x\r\n");
    for status in [301, 302, 303, 307, 308] {
        let (address, _) = says(&[&json(status, &to, "{}")]);
        get(&mut api(address, PATIENCE)).unwrap();
    }
    let (address, _) = says(&[&json(303, &to, "{}")]);
    post(&mut api(address, PATIENCE), Some("key-1")).unwrap();
    for request in there.lock().unwrap().iter() {
        let request = request.to_lowercase();
        assert!(request.starts_with("get "), "{request}");
        assert!(!request.contains("s3cret") && !request.contains("key-1"), "{request}");
    }
    assert_eq!(there.lock().unwrap().len(), 6);
    // Within the origin, they go along.
    let (address, requests) = says(&[&json(307, "Location: /b\r\n", "{}"), &json(200, "", "[1]")]);
    post(&mut api(address, PATIENCE), Some("key-1")).unwrap();
    let requests = requests.lock().unwrap();
    assert!(requests[1].starts_with("POST /b "), "{requests:?}");
    assert!(requests[1].contains("s3cret") && requests[1].contains("key-1"), "{requests:?}");
}

#[test]
fn a_redirect_that_leads_nowhere_good_is_an_error() {
    for location in ["ftp://a/", "http://", "//evil.example/x\\", "/loop"] {
        let (address, requests) = says(&[&json(307, &format!("Location: {location}\r\n"), "{}")]);
        let why = refused(post(&mut api(address, PATIENCE), Some("k")));
        assert!(why.contains("redirect"), "{location}: {why}");
        assert!(requests.lock().unwrap().len() <= 6, "{location}");
    }
}

#[test]
fn nobody_is_fed_with_repeats_while_everything_fails() {
    const REQUESTS: usize = 200;
    let (address, requests) = says(&[&json(503, "Retry-After: 0\r\n", "{}")]);
    let mut api = api(address, SHORT);
    let sent = || requests.lock().unwrap().len();
    for asked in 1..=REQUESTS {
        gave_up(get(&mut api));
        // At each of them: where nothing bounds it, all would take minutes.
        let most = asked + (asked / REQUESTS_PER_REPEAT as usize).max(RESERVE as usize);
        assert!(sent() <= most, "{} for {asked}", sent());
    }
    assert!(sent() > REQUESTS, "nothing was asked again");
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_not_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://{}/", listener.local_addr().unwrap()).parse().unwrap();
    thread::spawn(move || {
        let own = ServerSide::made_now().unwrap();
        for stream in listener.incoming() {
            let _ = own.session().unwrap().handshake(&mut stream.unwrap());
        }
    });
    let why = refused(post(&mut Api::new(base, None, PATIENCE, 1000), None));
    assert!(why.contains("certificate"), "{why}");
}

#[test]
fn to_a_place_that_proves_nothing_no_secret_goes_over_https() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let came = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(GENEROUS)).unwrap();
        let mut came = vec![0; 4096];
        let n = stream.read(&mut came).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[1]").unwrap();
        came.truncate(n);
        let _ = stream.read_to_end(&mut came);
        came
    });
    let secret = Secret { field: "X-Api-Key".into(), value: "s3cret".into() };
    assert!(get(&mut Api::new(base, Some(secret), SHORT, 10)).is_err());
    let came = came.join().unwrap();
    // A handshake begins so (RFC 8446 section 5.1).
    assert_eq!(came[0], 22);
    assert!(!came.windows(6).any(|part| part == b"s3cret"));
}

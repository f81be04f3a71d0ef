//! The clock, asked over a real socket, and its calendar.

use std::time::{SystemTime, UNIX_EPOCH};

use clock_service::client::exchange;
use clock_service::{Clock, Patience, calendar, server};
use netcore::request::Session;
use netcore::testing::udp::{GENEROUS, Running};

fn ask(question: &str) -> String {
    let clock = Clock::default();
    let server = Running::start(move |socket, shutdown| server::serve(socket, &clock, shutdown));
    let patience = Patience { timeout: GENEROUS, tries: 1.try_into().unwrap() };
    let mut session = Session::new();
    let request = session.request(question.as_bytes());
    let reply = exchange(&mut [server.connect()], request, &patience).unwrap();
    String::from_utf8(reply).unwrap()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn the_time_is_told_as_a_number() {
    let before = now();
    let time: u64 = ask("unix").parse().unwrap();
    assert!((before..=now()).contains(&time), "{time}");
}

#[test]
fn the_time_is_told_as_a_date() {
    let before = calendar::rfc3339(now());
    let date = ask("utc");
    // Dates written so are in order as texts too.
    assert!((before..=calendar::rfc3339(now())).contains(&date), "{date}");
}

#[test]
fn any_other_question_gets_a_question_mark() {
    for question in ["", "UTC", "utc\n", "what time is it"] {
        assert_eq!(ask(question), "?");
    }
}

#[test]
fn the_calendar_knows_its_leap_years() {
    for (seconds, date) in [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_399, "2000-02-28T23:59:59Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (951_868_800, "2000-03-01T00:00:00Z"),
        (1_234_567_890, "2009-02-13T23:31:30Z"),
        (1_709_164_800, "2024-02-29T00:00:00Z"),
        (4_107_542_399, "2100-02-28T23:59:59Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
    ] {
        assert_eq!(calendar::rfc3339(seconds), date);
    }
}

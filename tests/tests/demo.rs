//! What `cargo xtask demo` and `cargo xtask faults` show beside the usual, as a person
//! sees it.

use std::fs;
use std::process::{Command, Stdio};

use ladder_tests::{Finished, Process, binaries, rung};

/// Runs xtask. It builds the rungs where we do, so that there is little left to build.
fn xtask(args: &[&str]) -> Finished {
    let (xtask, target) = binaries::xtask();
    let mut command = Command::new(xtask);
    command.args(args).env("CARGO_TARGET_DIR", target).stdin(Stdio::null());
    Process::start(&format!("xtask {}", args.join(" ")), &mut command).wait()
}

#[test]
fn a_conversation_is_shown_byte_by_byte_and_drawn() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("exchange.svg");
    let args = ["demo", "reusable-echo", "--plain", "--wire", "--svg", &file.to_string_lossy()];
    let shown = xtask(&args).expect_code(0);
    let told = shown.printed();
    let svg = fs::read_to_string(&file).expect("it is text");
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg}");
    let runs = &rung("reusable-echo").demo;
    let messages: Vec<&String> = runs.iter().flat_map(|run| &run.args).collect();
    assert!(messages.len() > 1, "{messages:?}");
    for message in &messages {
        let first: Vec<String> =
            message.bytes().take(4).map(|byte| format!("{byte:02x}")).collect();
        // There and back, and none before the client has come.
        assert_eq!(
            told.matches(&format!("0000  {}", first.join(" "))).count(),
            2,
            "{message}: {told}"
        );
        let arrow = format!(">{} bytes \"{message}\"</text>", message.len());
        assert_eq!(svg.matches(&arrow).count(), 2, "{message}: {svg}");
    }
    // The end of the stream is an arrow each way as well, and to connect is one.
    let each_way = messages.len() + runs.len();
    assert_eq!(svg.matches("<path class=\"there\"").count(), each_way + runs.len(), "{svg}");
    assert_eq!(svg.matches("<path class=\"back\"").count(), each_way, "{svg}");
}

/// The lines of the demo of a rung, up to what is said of it.
fn played(rung: &str) -> String {
    let shown = xtask(&["demo", rung, "--plain"]).expect_code(0);
    let told = shown.printed();
    told.split("\n\n").nth(1).unwrap_or_else(|| panic!("no play of it: {told}")).into()
}

#[test]
fn each_demo_shows_the_idea_of_its_rung() {
    let threaded = played("threaded-echo");
    let head = threaded.lines().next().unwrap_or_default();
    let names: Vec<&str> = head.split_whitespace().collect();
    assert_eq!(names, ["ms", "ann", "bob", "server"]);
    let from = |name: &str| head.find(name).expect("a column");
    let starts = |line: &str, at: usize, text: &str| {
        line.chars().skip(at).collect::<String>().starts_with(text)
    };
    // An arrow goes from each to the server, and comes back to the one that it is for.
    for name in ["ann", "bob"] {
        let sends = threaded
            .lines()
            .any(|line| starts(line, from(name), "sending") && line.trim_end().ends_with("──>"));
        let gets = threaded.lines().any(|line| {
            starts(line, from(name), "<──") && line.contains(&format!("{name}: sending"))
        });
        assert!(sends && gets, "{name}: {threaded}");
    }
    let framed = played("framed-echo");
    assert!(framed.contains("── [00 00 00 1b] \"Привет, сервер!\" ──"), "{framed}");
    let hello = played("http-hello");
    let asked =
        hello.lines().any(|line| line.contains("── GET / HTTP/1.1 ") && line.ends_with('>'));
    assert!(asked && hello.contains("Content-Type: text/plain; charset=utf-8"), "{hello}");
    let once = played("udp-once");
    assert!(once.contains("once more: [1, try 1]"), "{once}");
    let (there, back) = ("─✗", "✗─");
    assert!(once.contains(there) && once.contains(back), "{once}");
}

#[test]
fn lines_appear_one_after_the_other_where_they_are_to() {
    let (xtask, target) = binaries::xtask();
    let mut command = Command::new(xtask);
    // A line behind the first one comes ten seconds after it, and a demo has many.
    command.args(["demo", "oneshot-echo", "--pace", "1s"]).env("CARGO_TARGET_DIR", target);
    let process = Process::start("xtask demo", command.stdin(Stdio::null()));
    let so_far = process.expect_stdout(&["listening on"]);
    assert!(!so_far.contains("exit code"), "{so_far}");
}

#[test]
fn a_drawing_that_cannot_be_written_is_told_before_anything_is_played() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("no such folder").join("exchange.svg");
    let told = xtask(&["demo", "oneshot-echo", "--svg", &file.to_string_lossy()]).expect_code(1);
    assert!(told.stderr.starts_with("error: cannot write "), "{}", told.stderr);
    assert_eq!(told.printed(), "");
}

#[test]
fn what_a_network_loses_is_shown_and_drawn_as_lost() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("lost.svg");
    // With this seed one reply is lost. Each that is takes the client a moment, and the
    // next one twice as long.
    let network = ["--loss", "0.2", "--seed", "1"];
    let args = ["demo", "udp-reliable", "--plain", "--wire", "--svg", &file.to_string_lossy()];
    let shown = xtask(&[&args[..], &network].concat()).expect_code(0);
    let told = shown.printed();
    let svg = fs::read_to_string(&file).expect("it is text");
    let lost = told.matches("lost: ").count();
    assert!(lost > 0, "{told}");
    assert_eq!(svg.matches("<path class=\"lost\"").count(), lost, "{svg}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_short_soak_tells_what_a_server_holds_when_it_begins_and_when_it_ends() {
    let shown = xtask(&["faults", "threaded-echo", "--soak", "--seconds", "1"]).expect_code(0);
    let told = shown.printed();
    let line = told.lines().find_map(|line| line.trim().strip_prefix("threaded-echo "));
    let words: Vec<&str> =
        line.unwrap_or_else(|| panic!("no line of it: {told}")).split_whitespace().collect();
    let numbers: Vec<u64> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let [
        descriptors,
        descriptors_after,
        threads,
        threads_after,
        memory,
        memory_after,
        faults,
        clients,
    ] = numbers[..]
    else {
        panic!("not eight numbers: {told}");
    };
    assert!(descriptors_after <= descriptors && threads_after <= threads, "{told}");
    // A program that is a server has three descriptors and a listener, and is not less than
    // a megabyte.
    assert!(
        descriptors >= 4 && threads >= 1 && memory > 1 << 10 && memory_after > 1 << 10,
        "{told}"
    );
    // The first round alone has more faults than clients, and both are more than none.
    assert!(clients > 1 && faults > clients, "{told}");
    assert!(told.contains("Nothing is left behind."), "{told}");
}

#[test]
fn a_file_that_no_rung_has_is_wrong_usage() {
    let told = xtask(&["diff", "timeout", "--file", "src/nosuch.rs"]).expect_code(2);
    assert!(told.stderr.contains("has a file src/nosuch.rs"), "{}", told.stderr);
}

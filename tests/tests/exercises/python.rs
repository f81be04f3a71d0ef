//! The exercises in Python: each solution prints what its file says, against the real server,
//! and what a reader begins with does not.

use std::path::PathBuf;

use ladder::exercises::{self, Exercise, Language};
use ladder::shell::words;
use ladder::workers;
use ladder_tests::http::HttpServer;
use ladder_tests::workspace::workspace;
use ladder_tests::{Server, python, rung};

/// Exercises at a time: most of them wait for a process to start.
const AT_ONCE: usize = 4;

#[test]
fn each_can_be_solved_and_is_not_solved_yet() {
    let root: PathBuf = workspace().root.clone();
    let all = workspace().rungs.iter().map(|rung| exercises::of_rung(&root, &rung.name));
    let all: Vec<Exercise> = all.flat_map(|of_rung| of_rung.expect("they can be read")).collect();
    let programs: Vec<&Exercise> =
        all.iter().filter(|it| it.language == Language::Python).collect();
    assert!(!programs.is_empty(), "no exercise is in Python; is it the right folder?");
    workers::share(AT_ONCE, &programs, |_, exercise| {
        prove(exercise);
        Ok(())
    })
    .expect("no exercise fails with words alone");
}

#[test]
fn who_reads_once_where_it_takes_several_reads_has_not_solved_it() {
    for (rung, once) in [
        ("oneshot-echo", "return conn.recv(1024)"),
        ("framed-echo", "return conn.recv(n)"),
        ("chat", "yield from conn.recv(1024).decode().splitlines()"),
        (
            "http-hello",
            "conn = socket.create_connection((\"127.0.0.1\", int(sys.argv[1])))\n\
             conn.sendall(f\"GET {path} HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n\".encode())\n\
             return conn.recv(1024).decode().split(\"\\r\\n\\r\\n\", 1)",
        ),
    ] {
        let found = exercises::of_rung(&workspace().root, rung).expect("they can be read");
        let mut wrong = found.into_iter().find(|it| it.number == 2).expect("there are two");
        wrong.solution = once.into();
        if let Some((right, printed)) = played(&wrong, &wrong.solved()) {
            assert!(!right, "{rung} is called solved: {printed}");
        }
    }
}

fn prove(exercise: &Exercise) {
    // Python has no such sockets on Windows.
    if cfg!(windows) && !rung(&exercise.rung).is_on_a_port() {
        return;
    }
    let place = format!("{} {}", exercise.rung, exercise.number);
    for (program, is_solved) in [(exercise.solved(), true), (exercise.stub.clone(), false)] {
        let Some((right, told)) = played(exercise, &program) else { return };
        assert_eq!(right, is_solved, "{place}: {told}");
        if !is_solved {
            assert!(told.contains("not yet implemented"), "{place}: {told}");
        }
    }
}

/// Whether it prints what it should, and what it says; `None` where there is no Python.
fn played(exercise: &Exercise, program: &str) -> Option<(bool, String)> {
    let args = words(&exercise.server);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let http = (exercise.rung == "http-server").then(|| HttpServer::start(&args));
    let other = http.is_none().then(|| Server::start(rung(&exercise.rung), &args));
    let address = match (&http, &other) {
        (Some(server), _) => server.address.port().to_string(),
        (_, Some(server)) => server.address.option()[1].clone(),
        (None, None) => unreachable!("it is one of the two"),
    };
    let ended = python::run_with(program, &[&address])?;
    let printed = ended.printed().replace("\r\n", "\n");
    let right = ended.code() == Some(0) && printed == exercise.prints;
    Some((right, format!("{printed}{}", ended.stderr)))
}

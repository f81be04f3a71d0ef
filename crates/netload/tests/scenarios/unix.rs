//! The TCP scenarios over a UNIX socket, against a small server and against nobody.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

/// Echoes to so many clients, each until it ends.
fn serve(path: &Path, clients: usize) -> thread::JoinHandle<()> {
    let listener = UnixListener::bind(path).unwrap();
    thread::spawn(move || {
        thread::scope(|scope| {
            for stream in listener.incoming().take(clients) {
                let mut stream = stream.unwrap();
                scope.spawn(move || {
                    let mut buf = [0; 4096];
                    while let Ok(n @ 1..) = stream.read(&mut buf) {
                        if stream.write_all(&buf[..n]).is_err() {
                            return;
                        }
                    }
                });
            }
        });
    })
}

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_netload")).args(args).output().unwrap()
}

fn report(args: &[&str]) -> serde_json::Value {
    let output = run(&[&["--json"], args].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

#[test]
fn every_scenario_of_connections_goes_to_a_file_as_well() {
    let folder = std::env::temp_dir().join(format!("netload-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    for (number, (clients, replies, args)) in [
        (3, 100, &["tcp-echo", "--connections", "3", "--count", "100"][..]),
        (100, 100, &["tcp-connect", "--connections", "1", "--count", "100"]),
        (6, 0, &["tcp-idle", "--connections", "6", "--seconds", "0.1"]),
        (1, 0, &["tcp-bulk", "--bytes", "1m"]),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.join(number.to_string());
        let server = serve(&path, clients);
        let report = report(&[args, &["--unix", path.to_str().unwrap()]].concat());
        assert_eq!(report["target"], format!("unix:{}", path.display()));
        assert_eq!(report["faults"]["first"], serde_json::Value::Null, "{report}");
        if replies > 0 {
            assert_eq!(report["replies"], replies, "{report}");
        }
        server.join().unwrap();
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_file_and_an_address_are_one_too_many_and_no_file_is_told_with_a_hint() {
    let both = run(&["tcp-echo", "127.0.0.1:9", "--unix", "x"]);
    assert_eq!(both.status.code(), Some(2));
    let nobody = run(&["tcp-echo", "--unix", "/no/such/file"]);
    assert_eq!(nobody.status.code(), Some(1));
    let told = String::from_utf8_lossy(&nobody.stderr).into_owned();
    assert!(told.contains("\nhint: no server has made it"), "{told}");
}

//! Files whose length, date or content the system does not know beforehand: what
//! `http-server` says of them is what is there when it says so. The file systems are those
//! of Linux.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use ladder_tests::http::HttpServer;

/// What the kernel makes of these while they are read is longer than what is read of a small
/// file at once.
#[test]
fn a_file_that_says_that_it_is_empty_is_sent_to_its_end() {
    let server = HttpServer::start(&["/proc"]);
    for name in ["kallsyms", "version", "self/mountinfo"] {
        let path = Path::new("/proc").join(name);
        let Ok(content) = fs::read(&path) else {
            eprintln!("skipped: no {}", path.display());
            continue;
        };
        if name == "kallsyms" && content.len() <= 64 << 10 {
            eprintln!("skipped: {} is short here", path.display());
            continue;
        }
        let response = server.get(&format!("/{name}")).expect_status(200);
        let response = response.expect_field("content-type", "text/plain; charset=utf-8");
        // Nothing is known of its version, or of where a part of it is.
        let response = response.expect_no_field("etag").expect_no_field("last-modified");
        let response = response.expect_no_field("accept-ranges");
        // The mounts are those of the server's own process, which is in the same place.
        assert_eq!(response.body.len(), content.len(), "{name}");
        assert!(response.body == content, "{name}");
        let part = server.get_with(&format!("/{name}"), "Range: bytes=0-1\r\n");
        part.expect_status(200).expect_body(&content);
        let old = server.ask(format!("GET /{name} HTTP/1.0\r\n\r\n")).expect_status(200);
        old.expect_field("connection", "close").expect_body(&content);
        let head = server.ask(format!("HEAD /{name} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        head.expect_status(200).expect_no_field("content-length").expect_body("");
    }
}

/// They have the size of a page and never a new date.
#[test]
fn a_file_that_says_more_than_it_has_is_sent_as_it_is() {
    let folder = Path::new("/sys/kernel/mm/transparent_hugepage");
    let Ok(content) = fs::read(folder.join("enabled")) else {
        eprintln!("skipped: no {}", folder.display());
        return;
    };
    let server = HttpServer::start(&[folder.to_str().unwrap()]);
    for fields in ["", "Range: bytes=0-1\r\n", "Range: bytes=4000-\r\n", "If-None-Match: *\r\n"] {
        let response = server.get_with("/enabled", fields).expect_status(200);
        response.expect_no_field("etag").expect_body(&content);
    }
}

/// A program that does as it is told, a line at a time.
struct Helper {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Helper {
    /// `None` where Python cannot be started, or `program` cannot do what it is for.
    fn start(program: &str, path: &Path) -> Option<Helper> {
        let mut command = Command::new("python3");
        command.args(["-c", program]).arg(path).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().ok()?;
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take()?);
        let mut helper = Helper { child, orders, answers };
        helper.is_done().then_some(helper)
    }

    #[track_caller]
    fn tell(&mut self, order: &str) {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
        assert!(self.is_done(), "the helper has ended");
    }

    fn is_done(&mut self) -> bool {
        let mut line = String::new();
        self.answers.read_line(&mut line).is_ok() && line == "ok\n"
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // It ends with its orders.
        drop(self.orders.take());
        let _ = self.child.wait();
    }
}

const MAPPING: &str = "
import mmap, sys
with open(sys.argv[1], 'r+b') as file, mmap.mmap(file.fileno(), 0) as mapping:
    print('ok', flush=True)
    for line in sys.stdin:
        mapping[:] = line.rstrip('\\n').encode()
        print('ok', flush=True)
";

/// Linux gives a file a new date when a page of a mapping is first written to, and then no
/// more until that page is on the disk; in memory never.
#[test]
fn an_edit_through_a_mapping_is_seen_at_once() {
    for (place, folder) in [("a disk", None), ("memory", Some("/dev/shm"))] {
        let folder = match folder {
            None => tempfile::tempdir(),
            Some(folder) => tempfile::tempdir_in(folder),
        };
        let Ok(folder) = folder else {
            eprintln!("skipped: no {place} to write to");
            continue;
        };
        for (name, size) in [("small", 500), ("large", 200_000)] {
            let path = folder.path().join(name);
            fs::write(&path, "a".repeat(size)).unwrap();
            let Some(mut mapping) = Helper::start(MAPPING, &path) else {
                eprintln!("skipped: no Python 3 here");
                return;
            };
            let server = HttpServer::start(&[folder.path().to_str().unwrap()]);
            mapping.tell(&"b".repeat(size));
            // Younger files are not kept at all: the wait is for the age itself.
            thread::sleep(Duration::from_millis(2_200));
            let path = format!("/{name}");
            for _ in 0..3 {
                server.get(&path).expect_status(200).expect_body("b".repeat(size));
            }
            mapping.tell(&"c".repeat(size));
            server.get(&path).expect_status(200).expect_body("c".repeat(size));
        }
    }
}

/// As with files on another machine: the kernel may believe for an hour what it was told.
#[test]
fn an_edit_on_the_other_side_is_seen_though_the_system_has_kept_what_it_knew() {
    if !rustix::process::geteuid().is_root() || !Path::new("/dev/fuse").exists() {
        eprintln!("skipped: only root can mount a file system");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let Some(mut other_side) = Helper::start(include_str!("cached_attributes.py"), folder.path())
    else {
        eprintln!("skipped: nothing can be mounted here, or there is no Python 3");
        return;
    };
    let server = HttpServer::start(&[folder.path().to_str().unwrap()]);
    let mut tag = String::new();
    let mut date = String::new();
    for content in ["first", "other", "a longer one", "short", "", "again"] {
        if content != "first" {
            other_side.tell(content);
        }
        let expect = |fields: &str| {
            let response = server.get_with("/a.txt", fields).expect_status(200);
            response.expect_body(content)
        };
        expect("");
        let response = expect(&format!("If-None-Match: {tag}\r\n"));
        if !date.is_empty() {
            expect(&format!("If-Modified-Since: {date}\r\n"));
        }
        expect(&format!("Range: bytes=0-1\r\nIf-Range: {tag}\r\n"));
        tag = response.field("etag").unwrap().to_string();
        date = response.field("last-modified").unwrap().to_string();
        let fresh = server.get_with("/a.txt", &format!("If-None-Match: {tag}\r\n"));
        fresh.expect_status(304);
    }
}

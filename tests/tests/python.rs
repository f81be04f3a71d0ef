//! The boxes "From Python" of the book: each program is taken out of its page, run against
//! the real rung, and prints what the page says.
//!
//! A box is a marker, a block of Python, and a block of what is printed:
//!
//! | marker, on a line of its own | what runs |
//! |---|---|
//! | `<!-- python: server RUNG ARGS -->` | the rung's server with `ARGS`, and the Python program as its client; the second block is what Python prints |
//! | `<!-- python: client RUNG ARGS -->` | the Python program as a server, and the rung's client with `ARGS`; the second block is what the rung's client prints |
//! | `<!-- python: alone -->` | the Python program, which has both ends in it |
//!
//! The Python program finds the port in `sys.argv[1]`, on 127.0.0.1, or the file of a rung
//! that listens on one. As a client it has to
//! end by itself and without an error; as a server it may go on for ever. Arguments stand
//! in single quotes where they have spaces. A line `$ command` in the second block is what
//! the reader types, and is passed over.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use ladder_tests::http::HttpServer;
use ladder_tests::place::SocketFile;
use ladder_tests::workspace::workspace;
use ladder_tests::{Process, Server, rung};

/// One box of a page.
#[derive(Debug, PartialEq, Eq)]
struct PythonBox {
    /// Page and line of the marker.
    place: String,
    /// Which side the rung is on.
    side: Side,
    /// Nothing where there is none.
    rung: String,
    args: Vec<String>,
    program: String,
    printed: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Side {
    Server,
    Client,
    Nowhere,
}

#[test]
fn every_python_program_of_the_book_prints_what_the_page_says() {
    let boxes = boxes_of_the_book();
    assert!(!boxes.is_empty(), "no page has a box; is it the right folder?");
    let Some(python) = python() else { return };
    let failures: Vec<String> = boxes.iter().filter_map(|it| it.failure(python)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_box_is_a_marker_a_program_and_what_it_prints() {
    let page = "Prose.\n<!-- python: server a-b --upper 'two words' -->\n```python\nprint(1)\n\nprint(2)\n```\n\
                It prints:\n```text\n$ python3 a.py 9090\n1\n2\n```\nMore.\n```python\nno_marker()\n```\n";
    let expected = PythonBox {
        place: "a.md:2".into(),
        side: Side::Server,
        rung: "a-b".into(),
        args: vec!["--upper".into(), "two words".into()],
        program: "print(1)\n\nprint(2)\n".into(),
        printed: "1\n2\n".into(),
    };
    assert_eq!(boxes("a.md", page), [expected]);
}

#[test]
fn a_box_that_lacks_something_is_told_with_its_place() {
    for page in [
        "<!-- python: sever a-b -->\n```python\n```\n```text\n```\n",
        "<!-- python: server a-b -->\nNo program.\n",
        "<!-- python: server a-b -->\n```rust\n```\n```text\n```\n",
        "<!-- python: server a-b -->\n```python\n```\nNothing is printed.\n",
    ] {
        let told = std::panic::catch_unwind(|| boxes("a.md", page)).unwrap_err();
        assert!(told.downcast_ref::<String>().unwrap().contains("a.md:1"), "{page}");
    }
}

impl PythonBox {
    /// Why it is not as the page says.
    fn failure(&self, python: &str) -> Option<String> {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        let printed = match self.side {
            Side::Nowhere => self.end(self.start(python, "0")),
            Side::Server if self.rung == "http-server" => {
                let server = HttpServer::start(&args);
                self.end(self.start(python, &server.address.port().to_string()))
            }
            Side::Server => {
                let server = Server::start(rung(&self.rung), &args);
                let [_, place] = server.address.option();
                self.end(self.start(python, &place))
            }
            Side::Client => {
                let address = rung(&self.rung).lasting_address();
                let _file = SocketFile::of(&address);
                let [option, place] = address.option();
                let server = self.start(python, &place);
                let wait = ["client", &option, &place, "--wait", "30s"];
                let client = self.end(rung(&self.rung).start(&[&wait, args.as_slice()].concat()));
                client.map_err(|why| format!("{why}\nPython wrote\n{}", server.stderr_so_far()))
            }
        };
        match printed {
            Ok(printed) if printed == self.printed => None,
            Ok(printed) => Some(format!(
                "{}: the page says\n{}and this was printed\n{printed}",
                self.place, self.printed
            )),
            Err(why) => Some(format!("{}: {why}", self.place)),
        }
    }

    fn start(&self, python: &str, place: &str) -> Process {
        let mut command = Command::new(python);
        // Whatever the machine's own encoding is: the pages are UTF-8.
        command.current_dir(&workspace().root);
        command.env("PYTHONUTF8", "1").args(["-u", "-c", &self.program, place]);
        Process::start(&format!("the Python of {}", self.place), command.stdin(Stdio::null()))
    }

    /// What `process` has printed, with the line ends of the page.
    fn end(&self, process: Process) -> Result<String, String> {
        let finished = process.wait();
        match finished.code() {
            Some(0) => Ok(finished.printed().replace("\r\n", "\n")),
            code => Err(format!("ended with {code:?}\n{}", finished.stderr)),
        }
    }
}

/// What Python 3 is called here, or a word about it and nothing.
fn python() -> Option<&'static str> {
    let found = ["python3", "python"].into_iter().find(|name| {
        let asked = Command::new(name).arg("--version").stdin(Stdio::null()).output();
        asked.is_ok_and(|said| said.status.success() && said.stdout.starts_with(b"Python 3"))
    });
    if found.is_none() {
        eprintln!("skipped, there is no python3 here");
    }
    found
}

fn boxes_of_the_book() -> Vec<PythonBox> {
    let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let entries = fs::read_dir(docs).expect("the book is there");
    let mut pages: Vec<PathBuf> =
        entries.map(|entry| entry.expect("an entry can be read").path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    let read = |path: PathBuf| {
        let page = fs::read_to_string(&path).expect("a page can be read");
        // On Windows, git may have checked it out with other line ends.
        boxes(&path.file_name().unwrap().to_string_lossy(), &page.replace("\r\n", "\n"))
    };
    pages.into_iter().flat_map(read).collect()
}

/// The boxes of one page.
fn boxes(name: &str, page: &str) -> Vec<PythonBox> {
    let mut boxes = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(marker) = line.strip_prefix("<!-- python:") else { continue };
        let place = format!("{name}:{}", index + 1);
        let words = words(marker.trim_end().trim_end_matches("-->"));
        let (side, rung, args) = match words.as_slice() {
            [side, rung, args @ ..] if side == "server" => (Side::Server, rung.as_str(), args),
            [side, rung, args @ ..] if side == "client" => (Side::Client, rung.as_str(), args),
            [side] if side == "alone" => (Side::Nowhere, "", &[][..]),
            _ => panic!("{place}: a marker is server RUNG ARGS, client RUNG ARGS or alone"),
        };
        let Some((language, program)) = next_block(&mut lines) else {
            panic!("{place}: no block of Python follows")
        };
        assert_eq!(language, "python", "{place}: the block that follows is in another language");
        let Some((_, printed)) = next_block(&mut lines) else {
            panic!("{place}: no block tells what is printed")
        };
        let typed = |line: &&str| !line.starts_with("$ ");
        let printed = printed.split_inclusive('\n').filter(typed).collect();
        boxes.push(PythonBox {
            place,
            side,
            rung: rung.into(),
            args: args.to_vec(),
            program,
            printed,
        });
    }
    boxes
}

/// The language and the text of the next fenced block.
fn next_block<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>) -> Option<(&'a str, String)> {
    let language = lines.find_map(|(_, line)| line.strip_prefix("```"))?;
    let text = lines.take_while(|(_, line)| *line != "```");
    Some((language, text.map(|(_, line)| format!("{line}\n")).collect()))
}

/// Words as in a shell, but for the single quotes that it alone knows.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in text.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(String::from)),
            _ => words.push(part.into()),
        }
    }
    words
}

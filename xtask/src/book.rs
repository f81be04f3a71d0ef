//! Builds the book with mdBook, serves it with the ladder's own `http-server`, and
//! builds it anew when a page changes.
//!
//! Changes are looked for twice a second, and a page in a browser asks once a second
//! whether it is still the latest. A watcher that the system wakes would be several
//! more crates for everybody's first `cargo xtask`, and this runs only while somebody
//! writes.

mod site;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

use clap::Args;
use ladder::files::entries;
use ladder::manifests::cargo;
use ladder::process::{output, run as run_to_end};
use ladder::screen::Tone;
use ladder::{Failure, Ladder, Screen};
use trial::{Cast, Stage};

use crate::list;

const VERSION: &str = "0.5.4";

const SERVER: &str = "http-server";

const LOOK: Duration = Duration::from_millis(500);

/// Ends what hangs. mdBook is built from source, which takes minutes.
const GENEROUS: Duration = Duration::from_secs(30 * 60);

#[derive(Args)]
pub struct Options {
    /// Show it in the browser
    #[arg(long)]
    open: bool,
    /// Where to serve it; 0 takes a free port
    #[arg(short, long, default_value = "3000")]
    port: u16,
    /// Build it, and serve nothing
    #[arg(long)]
    build: bool,
}

/// Builds and serves the book until it is interrupted.
pub fn run(options: &Options, screen: &Screen) -> Result<(), Failure> {
    let ladder = Ladder::load()?;
    let book = Book { root: ladder.root.clone(), mdbook: mdbook(&ladder.root, screen)? };
    if options.build {
        book.build(None)?;
        return screen.line(&format!("the book is in {}", book.folder().display()));
    }
    let mut seen = book.pages()?;
    let mut number = 1;
    book.build(Some(number))?;
    let program = ladder.program(SERVER)?;
    let args = [book.folder().display().to_string()];
    let cast = Cast { rung: list::find(&ladder, SERVER)?, program: &program, args: &args };
    let mut stage = Stage::new();
    let (server, address) = stage.start_server_on(cast, options.port)?;
    let address = format!("http://{address}/");
    screen
        .line(&format!("the book is at {}; Ctrl-C ends it", screen.paint(Tone::Bold, &address)))?;
    if options.open {
        open(&address);
    }
    while !stage.has_ended(server) {
        thread::sleep(LOOK);
        let now = book.pages()?;
        if now == seen {
            continue;
        }
        seen = now;
        number += 1;
        match book.build(Some(number)) {
            Ok(()) => screen.line("built anew")?,
            // Whoever is writing will write on.
            Err(failure) => screen.say(Tone::Bad, &failure.to_string())?,
        }
    }
    Err(Failure::new("the server has ended"))
}

struct Book {
    root: PathBuf,
    mdbook: PathBuf,
}

impl Book {
    fn folder(&self) -> PathBuf {
        self.root.join("target/book")
    }

    /// Builds it; with a number, as a book whose pages are loaded anew when there is
    /// another.
    fn build(&self, number: Option<u64>) -> Result<(), Failure> {
        let mut mdbook = Command::new(&self.mdbook);
        mdbook.args(["build", "docs"]).current_dir(&self.root).env("MDBOOK_LOG", "warn");
        run_to_end(&mut mdbook, GENEROUS, "mdbook")?;
        site::finish(&self.root, &self.folder(), number)
    }

    /// When each file of the book was last written.
    fn pages(&self) -> Result<BTreeMap<PathBuf, SystemTime>, Failure> {
        // An editor may just be replacing one; then the next look sees it.
        let written = |path: PathBuf| Some((path.clone(), path.metadata().ok()?.modified().ok()?));
        Ok(entries(&self.root.join("docs"))?.into_iter().filter_map(written).collect())
    }
}

/// mdBook, which is installed under `target` when it is first asked for: nothing else
/// of the machine changes.
fn mdbook(root: &Path, screen: &Screen) -> Result<PathBuf, Failure> {
    let folder = root.join("target/mdbook");
    let program = folder.join(format!("bin/mdbook{}", std::env::consts::EXE_SUFFIX));
    if is_right(&program) {
        return Ok(program);
    }
    screen.line(&format!(
        "installing mdBook {VERSION} under target/mdbook, which takes some minutes, once"
    ))?;
    let mut install = cargo();
    install.args(["install", "mdbook", "--version", VERSION, "--locked", "--force"]);
    // It neither watches nor serves here.
    install.args(["--no-default-features", "--features", "search", "--root"]).arg(&folder);
    run_to_end(install.current_dir(root), GENEROUS, "cargo install mdbook")?;
    Ok(program)
}

fn is_right(program: &Path) -> bool {
    output(Command::new(program).arg("--version")).is_ok_and(|said| said.contains(VERSION))
}

/// With what the system opens addresses with. Where there is no such thing, the address
/// is on the screen.
fn open(address: &str) {
    let (program, args): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    let _ = Command::new(program)
        .args(args)
        .arg(address)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
}

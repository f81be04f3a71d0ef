//! The book as a site: mdBook builds it, serves it, and builds it anew when a page
//! changes. After each build it runs us once more, for the sources that the pages link to.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use ladder::files::{create_folder, read, with_extension, with_slashes, write};
use ladder::manifests::cargo;
use ladder::process;
use ladder::programs::LONGEST;
use ladder::{Failure, Ladder, Process, Screen, Tone, port};

use crate::new::copy;

const VERSION: &str = "0.5.4";

const SOURCES: &str = "source";

/// What the book links to outside its own folder.
const LINKED: [&str; 3] = ["crates", "tests", "xtask"];

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
    /// Put the sources into what mdBook has built, which asks for it
    #[arg(long, hide = true)]
    finish: bool,
}

/// Builds and serves the book until it is interrupted.
pub fn run(options: &Options, screen: &Screen) -> Result<(), Failure> {
    let root = Ladder::load()?.root;
    // A second output beside the pages gives each a folder of its own.
    let folder = root.join("target/book/html");
    if options.finish {
        // What mdBook tells of the book. It waits until somebody has read it.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        return finish(&root, &folder);
    }
    let this = with_slashes(&process::this_program()?);
    let mut mdbook = Command::new(mdbook(&root, screen)?);
    mdbook.current_dir(&root).env("MDBOOK_LOG", "warn");
    mdbook.env("MDBOOK_OUTPUT__SOURCES__COMMAND", format!("'{this}' book --finish"));
    if options.build {
        process::run(mdbook.args(["build", "docs"]), LONGEST, "mdbook")?;
        return screen.line(&format!("the book is in {}", folder.display()));
    }
    let port = if options.port == 0 { port::lasting()? } else { options.port };
    mdbook.args(["serve", "docs", "--hostname", "127.0.0.1", "--port", &port.to_string()]);
    mdbook.args(options.open.then_some("--open"));
    let address = screen.paint(Tone::Bold, &format!("http://127.0.0.1:{port}/"));
    screen.line(&format!("the book is at {address}; Ctrl-C ends it"))?;
    Process::start_in_front(&mut mdbook)?.wait_for_person()?;
    Err(Failure::new("mdbook has ended: see above"))
}

/// mdBook, which is installed under `target` when it is first asked for: nothing else
/// of the machine changes. That it is there in this version, and with these features, cargo
/// sees by itself.
fn mdbook(root: &Path, screen: &Screen) -> Result<PathBuf, Failure> {
    let folder = root.join("target/mdbook");
    let program = folder.join(format!("bin/mdbook{}", env::consts::EXE_SUFFIX));
    if !program.exists() {
        screen.line(&format!(
            "installing mdBook {VERSION} under target/mdbook, which takes some minutes, once"
        ))?;
    }
    let mut install = cargo();
    install.args(["install", "mdbook", "--version", VERSION, "--locked", "--quiet"]);
    install.args(["--no-default-features", "--features", "search,serve,watch", "--root"]);
    process::run(install.arg(&folder).current_dir(root), LONGEST, "cargo install mdbook")?;
    Ok(program)
}

/// Puts the sources into `folder` and mends the links of every page there. That links lead
/// somewhere, `cargo xtask docs --check` has seen.
fn finish(root: &Path, folder: &Path) -> Result<(), Failure> {
    let sources = folder.join(SOURCES);
    create_folder(&sources)?;
    for linked in LINKED {
        copy(&root.join(linked), &sources.join(linked), &str::to_string)?;
    }
    for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "Cargo.toml", "deny.toml"] {
        write(&sources.join(file), read(&root.join(file))?)?;
    }
    // The book has no folders of pages. The page for what does not exist links from the root.
    for page in with_extension(folder, "html")?.iter().filter(|page| !page.ends_with("404.html")) {
        write(page, read(page)?.replace("href=\"../", &format!("href=\"{SOURCES}/")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_finished_with_its_sources() {
        let ladder = Ladder::load().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page.html");
        write(&page, "<a href=\"../crates/netcore/src/lib.rs\">x</a>").unwrap();
        finish(&ladder.root, folder.path()).unwrap();
        assert_eq!(read(&page).unwrap(), "<a href=\"source/crates/netcore/src/lib.rs\">x</a>");
        assert!(folder.path().join("source/crates/netcore/src/lib.rs").is_file());
    }
}

//! The book as a site: mdBook builds it, serves it, and builds it anew when a page
//! changes. After each build it runs us once more, for the sources that the pages link to.

use std::env;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use ladder::files::{create_folder, entries, read, with_extension, with_slashes, write};
use ladder::manifests::cargo;
use ladder::process;
use ladder::programs::LONGEST;
use ladder::{Failure, Ladder, Process, Screen, Tone, failure, port};

use crate::new::copy;
use crate::pattern::replaced;

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
    // Before what takes minutes, when it is done for the first time.
    let port = match options.port {
        0 => port::lasting()?,
        port if options.build => port,
        port => free(port)?,
    };
    let this = with_slashes(&process::this_program()?);
    let mut mdbook = Command::new(mdbook(&root, screen)?);
    mdbook.current_dir(&root).env("MDBOOK_LOG", "warn");
    mdbook.env("MDBOOK_OUTPUT__SOURCES__COMMAND", format!("'{this}' book --finish"));
    if options.build {
        process::run(mdbook.args(["build", "docs"]), LONGEST, "mdbook")?;
        return screen.line(&format!("the book is in {}", folder.display()));
    }
    mdbook.args(["serve", "docs", "--hostname", "127.0.0.1", "--port", &port.to_string()]);
    mdbook.args(options.open.then_some("--open"));
    let address = screen.paint(Tone::Bold, &format!("http://127.0.0.1:{port}/"));
    screen.line(&format!("the book is at {address}; Ctrl-C ends it"))?;
    Process::start_in_front(&mut mdbook)?.wait_for_person()?;
    Err(Failure::new("mdbook has ended: see above"))
}

/// The port, where nobody listens: mdBook would panic, once the book is built.
fn free(port: u16) -> Result<u16, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(|_| port).map_err(|error| {
        failure!("cannot serve the book on port {port}: {error}\nhint: --port 0 takes a free one")
    })
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
        list(&sources.join(linked))?;
    }
    for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "Cargo.toml", "deny.toml"] {
        write(&sources.join(file), read(&root.join(file))?)?;
    }
    // The book has no folders of pages. The page for what does not exist links from the root.
    for page in with_extension(folder, "html")?.iter().filter(|page| !page.ends_with("404.html")) {
        write(
            page,
            replaced(&read(page)?, "href=\"\\.\\./([^\"]*)\"", |found| to_source(root, &found[1]))?,
        )?;
    }
    Ok(())
}

/// The link to a source, `path` from the root of the workspace. mdBook takes every page of
/// Markdown for one of the book.
fn to_source(root: &Path, path: &str) -> String {
    let page = path.strip_suffix(".html").map(|page| format!("{page}.md"));
    let page = page.filter(|page| root.join(page).exists());
    format!("href=\"{SOURCES}/{}\"", page.as_deref().unwrap_or(path))
}

/// Gives a folder and those inside it an index, without which mdBook serves none of them.
fn list(folder: &Path) -> Result<(), Failure> {
    let mut items = String::new();
    for path in entries(folder)? {
        if path.is_dir() {
            list(&path)?;
        }
        let slash = if path.is_dir() { "/" } else { "" };
        let name = path.file_name().unwrap_or_default().display();
        items.push_str(&format!("<li><a href=\"{name}{slash}\">{name}{slash}</a></li>\n"));
    }
    let index = folder.join("index.html");
    let head = "<!DOCTYPE html><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\">";
    let title = folder.file_name().unwrap_or_default().display();
    // What a rung serves may have one.
    if index.exists() {
        return Ok(());
    }
    write(&index, format!("{head}<title>{title}</title><h1>{title}</h1>\n<ul>\n{items}</ul>\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_at_which_somebody_listens_is_told_before_anything_is_built() {
        let somebody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = somebody.local_addr().unwrap().port();
        let told = free(taken).unwrap_err().to_string();
        assert!(told.ends_with("\nhint: --port 0 takes a free one"), "{told}");
    }

    #[test]
    fn a_page_is_finished_with_its_sources() {
        let ladder = Ladder::load().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page.html");
        let links = [
            ("../crates/netcore/src/lib.rs", "source/crates/netcore/src/lib.rs"),
            ("../crates/netcore", "source/crates/netcore"),
            // As mdBook makes it of README.md.
            ("../crates/netcore/README.html", "source/crates/netcore/README.md"),
            ("../crates/http-files/site/index.html", "source/crates/http-files/site/index.html"),
        ];
        let links_to = |targets: [&str; 4]| targets.map(|it| format!("<a href=\"{it}\">")).concat();
        write(&page, links_to(links.map(|(before, _)| before))).unwrap();
        finish(&ladder.root, folder.path()).unwrap();
        assert_eq!(read(&page).unwrap(), links_to(links.map(|(_, after)| after)));
        let source = |path: &str| folder.path().join("source").join(path);
        assert!(source("crates/netcore/src/lib.rs").is_file());
        let index = read(&source("crates/netcore/index.html")).unwrap();
        assert!(index.contains("<a href=\"src/\">") && index.contains("<a href=\"README.md\">"));
        let site = "crates/http-files/site/index.html";
        assert_eq!(read(&source(site)).unwrap(), read(&ladder.root.join(site)).unwrap());
    }
}

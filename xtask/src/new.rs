//! Takes a rung out of the workspace: a project of its own, with the blocks that it needs
//! inside it, or beside it as one more rung of such a project.

mod asked;
mod beside;
pub mod check;
mod extras;
pub mod manifest;
mod name;
mod readme;
mod wishes;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf, absolute};
use std::process;

use clap::Args;
use ladder::files::{Doing, entries, read, write};
use ladder::manifests::{Package, cargo};
use ladder::process::output;
use ladder::rename::rename;
use ladder::scratch::Scratch;
use ladder::shell::command_line;
use ladder::{Failure, Ladder, Rung, Screen, Tone};

use crate::list;

/// Files at the top of the workspace that a project needs as well.
const TOP_FILES: [&str; 6] = [
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "rustfmt.toml",
    "clippy.toml",
    ".gitignore",
    ".gitattributes",
];

#[derive(Args)]
pub struct Options {
    /// The name or short name of a rung
    rung: String,
    /// A folder that is empty or does not exist yet; asked for at a terminal
    dest: Option<PathBuf>,
    /// What it is called from now on [default: the name of the folder]
    #[arg(long)]
    name: Option<String>,
    /// What it is, in a sentence, for its manifest and its README
    #[arg(long, value_name = "SENTENCE")]
    about: Option<String>,
    /// Leave out the tests that are about the old protocol alone
    #[arg(long)]
    without_old_tests: bool,
    /// Make no git repository of it
    #[arg(long)]
    no_git: bool,
    /// Ask nothing, also at a terminal
    #[arg(short, long)]
    yes: bool,
    /// As one more program of a project that was made before: DEST is a new folder inside
    /// of it, such as ../my-service/sender
    #[arg(long)]
    beside: bool,
}

/// `cargo xtask new`: copies the rung and tells what to change first.
pub fn run(options: &Options, screen: &Screen) -> Result<(), Failure> {
    let ladder = Ladder::load()?;
    let found = list::find(&ladder, &options.rung);
    let rung = found.map_err(|error| wishes::answer(&ladder, &options.rung).unwrap_or(error))?;
    let own = ladder.starter_of(rung)?;
    let dest = &asked::dest(options, screen)?;
    let name = match &options.name {
        Some(name) => name.to_string(),
        None => name_of(dest)?,
    };
    // Before anything else is asked.
    let project = if options.beside { Some(beside::project_of(dest, &name)?) } else { None };
    check(&ladder, rung, dest, &name)?;
    let wanted = asked::wanted(options, own, screen)?;
    match &project {
        Some(project) => beside::take(&ladder, rung, project, dest, &name)?,
        None => take(&ladder, rung, dest, &name)?,
    }
    for file in &wanted.without {
        let path = dest.join(file);
        fs::remove_file(&path).doing("leave out", &path)?;
        screen.line(&format!("{file} is left out"))?;
    }
    let page = dest.join("README.md");
    if !wanted.without.is_empty() {
        write(&page, readme::without_old_tests(&read(&page)?, &wanted.without))?;
    }
    if let Some(about) = &wanted.about {
        readme::say_what_it_is(dest, about)?;
    }
    let is_repository = !options.no_git && !options.beside && extras::make_repository(dest);
    let shown = dest.display();
    let repository = if is_repository { ", a git repository" } else { "" };
    screen.line(&format!(
        "{} is now {}{repository}",
        rung.name,
        screen.paint(Tone::Bold, &format!("{name} in {shown}"))
    ))?;
    let server = if rung.starter.is_some() { "" } else { " -- server" };
    let cd = command_line("cd", &[shown.to_string()]);
    screen.line(&format!("\n  {cd}\n  cargo test\n  cargo run{server}\n\nChange first:"))?;
    for step in readme::part(&read(&page)?, "Change first").filter(|line| !line.is_empty()) {
        screen.prose("  ", &step.replace('`', ""))?;
    }
    screen.line("\nREADME.md says so again, and in what order to read the files.")
}

/// Makes the project `name` of `rung` in `dest`, which is empty or does not exist. It
/// is there when it is whole: a copy that fails or is interrupted leaves nothing.
pub fn take(ladder: &Ladder, rung: &Rung, dest: &Path, name: &str) -> Result<(), Failure> {
    make(ladder, rung, dest, name, |scratch| fill(ladder, rung, scratch, name))
}

fn make(
    ladder: &Ladder,
    rung: &Rung,
    dest: &Path,
    name: &str,
    fill: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let dest = &absolute(dest).doing("find", dest)?;
    let existed = check(ladder, rung, dest, name)?;
    // A link to an empty folder stays: what it leads to is filled.
    let dest = &if existed { fs::canonicalize(dest).doing("find", dest)? } else { dest.clone() };
    // Beside it, since only there a move is certain to be no copy.
    let beside = dest.with_file_name(format!(".{name}-{}", process::id()));
    let scratch = Scratch::new(beside.clone()).doing("create", &beside)?;
    fill(scratch.path())?;
    if existed {
        fs::remove_dir(dest).doing("use", dest)?;
    }
    fs::rename(scratch.path(), dest).doing("create", dest)
}

fn fill(ladder: &Ladder, rung: &Rung, dest: &Path, name: &str) -> Result<(), Failure> {
    let own = ladder.starter_of(rung)?;
    let blocks = ladder.blocks_of(&own.name);
    let names: Vec<&str> = blocks.iter().map(|block| block.name.as_str()).collect();
    copy(&own.folder(), dest, &|text| rename(text, &own.name, name))?;
    blocks.iter().try_for_each(|block| copy_block(block, dest, &names))?;
    for file in TOP_FILES {
        write(&dest.join(file), read(&ladder.root.join(file))?)?;
    }
    let top = read(&ladder.root.join("Cargo.toml"))?;
    let manifest = rename(&read(&own.folder().join("Cargo.toml"))?, &own.name, name);
    write(&dest.join("Cargo.toml"), manifest::standalone(&manifest, &top, &names))?;
    write(&dest.join("README.md"), readme::project(rung, own, name, &names)?)?;
    extras::add(rung, own, name, dest)?;
    write(&dest.join("Cargo.lock"), read(&ladder.root.join("Cargo.lock"))?)?;
    lock(dest)?;
    format(dest);
    Ok(())
}

/// A block inside the project, and its page without links to what is not.
fn copy_block(block: &Package, project: &Path, blocks: &[&str]) -> Result<(), Failure> {
    let to = project.join(&block.name);
    // Its words on running it for good are for this folder.
    let before = ["--path ", "cp ", "-f "].map(|word| format!("{word}crates/{}", block.name));
    copy(&block.folder(), &to, &|text| {
        before
            .iter()
            .fold(text.to_string(), |text, old| text.replace(old, &old.replace("crates/", "")))
    })?;
    let own = to.join("Cargo.toml");
    write(&own, manifest::member(&read(&own)?))?;
    let page = to.join("README.md");
    match page.exists() {
        true => write(&page, readme::block(&read(&page)?, blocks)),
        false => Ok(()),
    }
}

/// Takes the packages of others out of the lock file and keeps every version.
pub fn lock(dest: &Path) -> Result<(), Failure> {
    let update = ["update", "--workspace", "--offline", "--quiet"];
    output(cargo().args(update).current_dir(dest)).map(drop)
}

/// Another name makes lines longer or shorter. Without rustfmt they stay as they are.
fn format(dest: &Path) {
    let _ = output(cargo().args(["fmt", "--all"]).current_dir(dest));
}

fn name_of(dest: &Path) -> Result<String, Failure> {
    let path = absolute(dest).doing("find", dest)?;
    let name = path.file_name().and_then(|name| name.to_str());
    name.map(String::from).ok_or_else(|| {
        Failure::Usage(format!("{} gives no name; pass one with --name", dest.display()))
    })
}

/// Whether it can be made there under this name; true where the folder exists.
fn check(ladder: &Ladder, rung: &Rung, dest: &Path, name: &str) -> Result<bool, Failure> {
    name::check(name, ladder, rung)?;
    let existed = check_empty(dest)?;
    check_outside(ladder, dest)?;
    Ok(existed)
}

/// Whether the folder exists, and is empty then.
fn check_empty(dest: &Path) -> Result<bool, Failure> {
    match fs::read_dir(dest) {
        Ok(mut entries) => match entries.next() {
            None => Ok(true),
            Some(_) => Err(Failure::Usage(format!(
                "{} is not empty; name a folder that does not exist yet",
                dest.display()
            ))),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).doing("use", dest),
    }
}

/// A project inside the workspace would be two things at once.
pub fn check_outside(ladder: &Ladder, dest: &Path) -> Result<(), Failure> {
    // What there is of the way to it, without links and dots.
    let there = dest.ancestors().find_map(|near| fs::canonicalize(near).ok()).unwrap_or_default();
    let root = fs::canonicalize(&ladder.root).doing("find", &ladder.root)?;
    match there.starts_with(&root) && !there.starts_with(root.join("target")) {
        true => Err(Failure::Usage(format!(
            "{} is inside this workspace; name a folder beside it, as in ../my-service",
            dest.display()
        ))),
        false => Ok(()),
    }
}

/// Copies a package, each file changed by `change`, without what builds have left. What is
/// as it was is as old as it was, so that cargo does not build it anew.
pub fn copy(from: &Path, to: &Path, change: &impl Fn(&str) -> String) -> Result<(), Failure> {
    match fs::create_dir(to) {
        // Not its parents: where a signal has removed them, they stay so.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(error).doing("create", to);
        }
        _ => {}
    }
    for path in entries(from)? {
        let Some(name) = path.file_name() else { continue };
        if name == "target" || name == "Cargo.lock" {
            continue;
        }
        let target = to.join(name);
        if path.is_dir() {
            copy(&path, &target, change)?;
            continue;
        }
        let old = fs::read(&path).doing("read", &path)?;
        match str::from_utf8(&old).map(change) {
            Ok(new) if new.as_bytes() != old => write(&target, new)?,
            // Where it is not text, no name is in it.
            _ => {
                fs::copy(&path, &target).doing("copy", &path)?;
                let time = fs::metadata(&path).and_then(|it| it.modified());
                let target = File::options().write(true).open(&target);
                target.and_then(|it| it.set_modified(time?)).doing("date", &path)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(rung: &str, name: &str) -> (tempfile::TempDir, PathBuf) {
        let ladder = Ladder::load().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let dest = folder.path().join(name);
        take(&ladder, list::find(&ladder, rung).unwrap(), &dest, name).unwrap();
        (folder, dest)
    }

    #[test]
    fn the_name_of_the_rung_is_left_in_one_sentence_that_tells_where_it_came_from() {
        for (rung, name) in [("object", "object-exchange"), ("omni", "omnichannel")] {
            let (_folder, dest) = taken(rung, "key-value-store");
            for path in ladder::files::all(&dest).unwrap() {
                // The inputs of the fuzz targets are no text, and have no name in them.
                let text = fs::read_to_string(&path).unwrap_or_default();
                let left = text.replace('_', "-").matches(name).count();
                // Blocks are the same in every project, and may name a rung as an example.
                let mut blocks = ["netcore", "httpcore"].iter();
                if !blocks.any(|block| path.starts_with(dest.join(block))) {
                    let wanted = usize::from(path == dest.join("README.md"));
                    assert_eq!(left, wanted, "{}", path.display());
                }
            }
            let main = read(&dest.join("src/main.rs")).unwrap();
            assert!(main.contains("use key_value_store::"), "{main}");
        }
    }

    #[test]
    fn nothing_of_the_workspace_is_left_in_a_project() {
        let (_folder, dest) = taken("http", "shop");
        let text = |file: &str| read(&dest.join(file)).unwrap();
        let manifest = text("Cargo.toml");
        for (words, there) in [
            ("metadata", false),
            ("../", false),
            ("path = \"netcore\"", true),
            ("[workspace]", true),
        ] {
            assert_eq!(manifest.contains(words), there, "{words}: {manifest}");
        }
        // netcore's optional dependencies are locked with it.
        for (name, there) in ["shop", "httparse", "bincode", "tokio"]
            .map(|it| (it, true))
            .into_iter()
            .chain(["netload", "netfault", "xtask", "threaded-echo"].map(|it| (it, false)))
        {
            let found = text("Cargo.lock").contains(&format!("name = \"{name}\"\n"));
            assert_eq!(found, there, "{name}");
        }
        for file in ["README.md", "netcore/README.md"] {
            let page = text(file);
            assert_eq!(crate::docs::links::broken(&dest.join(file), &page), [""; 0]);
            assert!(["<!--", "](..", "xtask"].iter().all(|words| !page.contains(words)), "{page}");
        }
        for file in ["README.md", "deploy/README.md", "deploy/Containerfile"] {
            let page = text(&format!("http-server/{file}"));
            assert!(page.contains(" http-server") && !page.contains("crates/"), "{page}");
        }
        assert!(TOP_FILES.iter().all(|file| dest.join(file).is_file()));
    }

    #[test]
    fn every_readme_begins_with_what_is_answered_and_tells_of_the_limits_and_the_address() {
        let ladder = Ladder::load().unwrap();
        for rung in &ladder.rungs {
            let own = ladder.starter_of(rung).unwrap();
            let steps = readme::change_first(rung, own, "mine", &[]).unwrap();
            for start in ["The limits: ", "The address: "] {
                let there = steps.iter().any(|step| step.starts_with(start));
                assert!(there, "{}: {steps:?}", rung.name);
            }
            let first = if rung.starter.is_some() { "The routes: " } else { "The protocol: " };
            assert!(steps[0].starts_with(first), "{}: {}", rung.name, steps[0]);
            // Of the echoes over a stream, only the first reads until the server ends it.
            let counts = rung.passes("tcp-echo") && !rung.serves_once() || rung.releases.is_some();
            assert_eq!(steps[0].contains("as many bytes"), counts, "{}: {}", rung.name, steps[0]);
            // Every echo over TCP has the option, and no other rung: after a login it is a right.
            let tls = rung.speaks.as_deref() == Some("tls");
            let echo = rung.passes("tcp-echo") || rung.passes("framed-echo") || tls;
            let echo = echo && rung.speaks.as_deref() != Some("login");
            assert_eq!(steps.concat().contains("--upper"), echo, "{}", rung.name);
        }
    }

    #[test]
    fn what_a_readme_has_typed_stays_in_the_project_and_begins_with_what_the_server_needs() {
        let ladder = Ladder::load().unwrap();
        for rung in &ladder.rungs {
            let own = ladder.starter_of(rung).unwrap();
            let page = readme::project(rung, own, "mine", &[]).unwrap();
            let typed: Vec<&str> = page.lines().filter(|line| line.starts_with("$ ")).collect();
            assert!(typed.iter().all(|line| !line.contains("../")), "{}: {typed:?}", rung.name);
            let certs = typed.first().is_some_and(|line| line.contains(" -- certs target/"));
            assert_eq!(certs, !rung.certs.is_empty(), "{}: {typed:?}", rung.name);
        }
    }

    #[test]
    fn a_folder_that_holds_anything_or_is_in_the_workspace_is_refused_and_left_alone() {
        let ladder = Ladder::load().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept");
        fs::write(&kept, "mine").unwrap();
        let root = |path| ladder.root.join(path);
        for (dest, why) in [
            (folder.path().to_path_buf(), "is not empty"),
            (root("mine"), "is inside"),
            (root("target/../crates/mine"), "is inside"),
        ] {
            let failure = take(&ladder, &ladder.rungs[0], &dest, "mine").unwrap_err();
            assert!(matches!(&failure, Failure::Usage(text) if text.contains(why)), "{failure}");
        }
        assert_eq!(fs::read_to_string(&kept).unwrap(), "mine");
    }

    #[test]
    fn a_copy_that_fails_leaves_an_empty_folder_empty() {
        let mut ladder = Ladder::load().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut rung = ladder.rungs.remove(0);
        rung.folder = folder.path().join("nowhere");
        let dest = folder.path().join("mine");
        fs::create_dir(&dest).unwrap();
        assert!(take(&ladder, &rung, &dest, "mine").is_err());
        assert_eq!(fs::read_dir(&dest).unwrap().count(), 0);
    }
}

//! What a project has that a rung has not: a repository of its own, its checks, and how it is
//! run for good.

use std::path::Path;
use std::process::Command;

use ladder::files::{create_folder, read, with_extension, write};
use ladder::manifests::{Carrier, Package};
use ladder::process::output;
use ladder::{Failure, Rung};
use netfault::Speaks;
use trial::Faults;

use crate::items::default_port;

const CI: &str = include_str!("files/ci.yml");
const SERVICE: &str = include_str!("files/service");
const CONTAINERFILE: &str = include_str!("files/Containerfile");
const IGNORED: &str = "# What the build makes anew.\n.git\n**/target\n";

/// What a test file says of itself whose tests are about the old protocol alone.
const GOES: [&str; 3] = ["this file away", "file away.", "goes with the"];

/// Writes them into the project.
pub fn add(rung: &Rung, own: &Package, name: &str, dest: &Path) -> Result<(), Failure> {
    create_folder(&dest.join(".github/workflows"))?;
    write(&dest.join(".github/workflows/ci.yml"), CI)?;
    if !has_deploy(rung) {
        return Ok(());
    }
    let library = read(&own.folder().join("src/lib.rs"))?;
    let port = default_port(&library).unwrap_or("0");
    let published = match rung.transport {
        Carrier::Udp => format!("{port}/udp"),
        Carrier::Tcp | Carrier::Unix => port.to_string(),
    };
    let folder = match library.contains("value_parser = netcore::cli::folder") {
        true => format!("/srv/{name}"),
        false => String::new(),
    };
    let deploy = dest.join("deploy");
    create_folder(&deploy)?;
    let unit = SERVICE.replace(" FOLDER", &format!(" {folder}")).replace("PORT", port);
    // Whoever has no such option is not told of it.
    let drains = library.contains("limits: Limits") || library.contains("drain: Duration");
    let is_so = |line: &&str| drains || !line.contains("--drain");
    let unit: Vec<&str> = unit.lines().filter(is_so).map(str::trim_end).collect();
    write(&deploy.join(format!("{name}.service")), unit.join("\n").replace("NAME", name) + "\n")?;
    let image = CONTAINERFILE
        .replace(":PORT", &format!(":{port}:{published}"))
        .replace("PORT", &published)
        .replace("NAME", name);
    write(&deploy.join("Containerfile"), image)?;
    write(&deploy.join("Containerfile.dockerignore"), IGNORED)
}

/// Whether it is a server that needs no more than a port and, for some, a folder.
pub fn has_deploy(rung: &Rung) -> bool {
    let needs_more = !rung.certs.is_empty() || rung.has_tokens() || rung.releases.is_some();
    let is_server = rung.nodes.is_empty() && rung.speaks() != Speaks::Api;
    is_server
        && !needs_more
        && !rung.serves_once()
        && rung.starter.is_none()
        && rung.transport != Carrier::Unix
}

/// The files of its tests: those that are about the old protocol alone, and the others.
pub fn tests(own: &Package) -> Result<(Vec<String>, Vec<String>), Failure> {
    let folder = own.folder().join("tests");
    let (mut gone, mut kept) = (Vec::new(), Vec::new());
    for path in with_extension(&folder, "rs").unwrap_or_default() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = read(&path)?;
        let said: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//! ")).collect();
        let said = said.join(" ");
        let goes = name == "echo.rs" || GOES.iter().any(|word| said.contains(word));
        if goes { &mut gone } else { &mut kept }.push(format!("tests/{name}"));
    }
    Ok((gone, kept))
}

/// Makes it a repository, unless it is in one already or there is no git.
pub fn make_repository(dest: &Path) -> bool {
    let git = |args: &[&str]| output(Command::new("git").args(args).current_dir(dest));
    git(&["rev-parse", "--is-inside-work-tree"]).is_err()
        && git(&["init", "--quiet", "--initial-branch=main"]).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ladder::Ladder;

    #[test]
    fn a_server_is_told_its_port_and_its_folder_and_what_is_none_has_only_the_checks() {
        let ladder = Ladder::load().unwrap();
        let added = |rung: &str| {
            let rung = ladder.find(rung).unwrap();
            let dest = tempfile::tempdir().unwrap();
            add(rung, ladder.starter_of(rung).unwrap(), "mine", dest.path()).unwrap();
            assert!(dest.path().join(".github/workflows/ci.yml").is_file());
            let text = |file: &str| read(&dest.path().join("deploy").join(file)).ok();
            (text("mine.service"), text("Containerfile"))
        };
        for (rung, start, published) in [
            ("threaded", "server --port 9090\n", "EXPOSE 9090\n"),
            ("files", "server --port 8000 /srv/mine\n", "EXPOSE 8000\n"),
            ("udp", "server --port 50007\n", "EXPOSE 50007/udp\n"),
        ] {
            let (unit, image) = added(rung);
            assert!(unit.is_some_and(|unit| unit.contains(&format!("/mine {start}"))), "{rung}");
            assert!(image.is_some_and(|image| image.contains(published)), "{rung}");
        }
        for (rung, drains) in [
            ("threaded", true),
            ("chat", true),
            ("handlers", true),
            ("udp", false),
            ("reliable", false),
        ] {
            let unit = added(rung).0.unwrap();
            assert_eq!(unit.contains("(--drain)"), drains, "{rung}");
        }
        for rung in ["oneshot", "unix", "tls", "gossip", "api", "http"] {
            assert_eq!(added(rung), (None, None), "{rung}");
        }
    }

    #[test]
    fn tests_of_the_old_protocol_are_told_from_those_that_stay_true() {
        let ladder = Ladder::load().unwrap();
        let told = |rung: &str| tests(ladder.package(rung).unwrap()).unwrap();
        let files = |names: &[&str]| names.iter().map(|it| format!("tests/{it}.rs")).collect();
        assert_eq!(told("threaded-echo"), (files(&["echo"]), files(&["limits"])));
        assert_eq!(told("object-exchange"), (files(&["exchange"]), files(&["limits"])));
        assert_eq!(told("framed-echo"), (files(&["echo"]), files(&["client", "limits"])));
        for rung in ladder.rungs.iter().filter(|rung| rung.starter.is_none()) {
            assert!(told(&rung.name).1.contains(&"tests/limits.rs".into()), "{}", rung.name);
        }
    }

    #[test]
    fn a_project_is_a_repository_once() {
        let dest = tempfile::tempdir().unwrap();
        if make_repository(dest.path()) {
            assert!(dest.path().join(".git").is_dir());
            assert!(!make_repository(dest.path()), "it is one already");
        }
    }
}

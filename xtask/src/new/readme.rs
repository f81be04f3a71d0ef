//! The pages of a project: its README from that of the rung, and those of blocks without what
//! lies outside.

use std::path::Path;

use ladder::files::{read, write};
use ladder::manifests::{Carrier, Package};
use ladder::rename::rename;
use ladder::shell::{command_line, session};
use ladder::{Failure, Rung, failure};
use regex_lite::Captures;

use super::extras;
use super::manifest::TO_CRATES;
use crate::items;
use crate::pattern::replaced;

/// What is said of a service that changes bytes in their place.
const AS_LONG: &str = " The client waits for as many bytes as it has sent, so a reply is as long as its question; one that is not has to say its length, as in `framed-echo`.";

/// What is said of tests of the old protocol, and what where they were left out.
const GOES: &str = ", and goes, but what stands before its first test serves yours as well";
const WAS_LEFT_OUT: &str = ", and was left out";

/// The same page where those tests, which are in these files, are not there any more.
pub fn without_old_tests(page: &str, gone: &[String]) -> String {
    let page = page.replace(GOES, WAS_LEFT_OUT);
    let lines = page.lines().filter_map(|line| without_links_to(gone, line));
    lines.map(|line| line + "\n").collect()
}

/// The line without what it says of these files; `None` where that is all of it.
fn without_links_to(gone: &[String], line: &str) -> Option<String> {
    let is_of_them = |said: &str| gone.iter().any(|file| said.contains(&format!("]({file})")));
    if !is_of_them(line) {
        return Some(line.into());
    }
    let (number, said) = line.trim_end_matches('.').split_once(". ")?;
    let kept: Vec<&str> = said.split("; ").filter(|said| !is_of_them(said)).collect();
    (!kept.is_empty()).then(|| format!("{number}. {}.", kept.join("; ")))
}

/// What the project's README says: what to change first, then what the README of `own`
/// says of the code. That is the rung, or what a project of it begins with.
pub fn project(rung: &Rung, own: &Package, name: &str, blocks: &[&str]) -> Result<String, Failure> {
    let mut extras = String::new();
    if extras::has_deploy(rung) {
        extras.push_str(&format!(
            "\n`deploy/{name}.service` is a unit for systemd, and `deploy/Containerfile` makes an image that holds the program and nothing else; its first lines say how.\n"
        ));
    }
    extras.push_str("`.github/workflows/ci.yml` builds and tests each change on three systems.\n");
    program(rung, own, name, blocks, &extras)
}

/// The same of one more program of a project, whose blocks are not inside it but beside it.
pub fn member(rung: &Rung, own: &Package, name: &str, blocks: &[&str]) -> Result<String, Failure> {
    let page = program(rung, own, name, blocks, "")?.replace(" inside it.\n", " beside it.\n");
    let beside = |page: String, block: &&str| {
        page.replace(&format!("]({block}/"), &format!("](../{block}/"))
    };
    Ok(blocks.iter().fold(page, beside))
}

fn program(
    rung: &Rung,
    own: &Package,
    name: &str,
    blocks: &[&str],
    extras: &str,
) -> Result<String, Failure> {
    let page_of_own = page(own, name)?;
    let first = page_of_own.lines().skip(1).find(|line| !line.is_empty()).unwrap_or_default();
    let began = match rung.starter.is_some() {
        true => "It stands on",
        false => "It began as a copy of",
    };
    let mut page = format!(
        "# {name}\n\n{}\n{began} `{}`, a rung of Netladder; other rungs that are named here, and pages in quotation marks, are there.\n",
        local(first, blocks).unwrap_or_default(),
        rung.name
    );
    page.push_str("\n## Change first\n\n");
    for (number, step) in change_first(rung, own, name, blocks)?.iter().enumerate() {
        page.push_str(&format!("{}. {step}\n", number + 1));
    }
    page.push_str("\n## Run it\n\n");
    page.push_str(&run_it(rung, &page_of_own, name, blocks));
    page.push_str(extras);
    for title in ["Read in this order", "What is still wrong"] {
        page.push_str(&format!("\n## {title}\n\n"));
        let part: Vec<String> =
            part(&page_of_own, title).filter_map(|line| local(line, blocks)).collect();
        page.push_str(part.join("\n").trim());
        page.push('\n');
    }
    Ok(page)
}

/// The README of `own` as it is in the project `name`.
fn page(own: &Package, name: &str) -> Result<String, Failure> {
    let page = read(&own.folder().join("README.md"))?;
    Ok(rename(&page, &own.name, name).replace(TO_CRATES, "../"))
}

/// The first changes, in order. What the rung's own README says of them comes first; that
/// of what a project begins with has all of them.
pub fn change_first(
    rung: &Rung,
    own: &Package,
    name: &str,
    blocks: &[&str],
) -> Result<Vec<String>, Failure> {
    let package = own;
    let own = page(own, name)?;
    if rung.starter.is_some() {
        let steps = part(&own, "Change first").filter_map(|line| line.split_once(". "));
        return Ok(steps.filter_map(|(_, step)| local(step, blocks)).collect());
    }
    let said: Vec<String> = part(&own, "Copy it").filter_map(|line| local(line, blocks)).collect();
    let said = said.join(" ");
    let (_, first) = said
        .split_once("Change first: ")
        .ok_or_else(|| failure!("crates/{}/README.md: says no `Change first: `", rung.name))?;
    let library = read(&rung.folder.join("src/lib.rs"))?;
    // To ask the program itself, one would have to build it first.
    let old = match library.contains("upper: bool") {
        true => " (as what `--upper` does)",
        false => "",
    };
    let as_long = match library.contains("bytes: &mut [u8])") && !rung.serves_once() {
        true => AS_LONG,
        false => "",
    };
    let constants: Vec<String> = items::limits(&library)
        .into_iter()
        .filter(|constant| *constant != "PORT")
        .map(|constant| format!("`{constant}`"))
        .collect();
    let limits = match constants.is_empty() {
        true => String::new(),
        false => format!("the constants of `src/lib.rs` ({}); ", constants.join(", ")),
    };
    Ok(vec![
        format!("The protocol: {}{as_long}", first.trim()),
        format!("The limits: {limits}the options of `cargo run -- server --help`. Each has its reason beside it."),
        match rung.transport {
            Carrier::Unix => "The address: `--path`, a file, which `--mode` opens to others.".into(),
            Carrier::Tcp | Carrier::Udp => "The address: `PORT` in `src/lib.rs`. The server listens on 127.0.0.1 unless it is told otherwise.".into(),
        },
        format!("The tests: {}", tests(package, old)?),
        "The words: `description` in `Cargo.toml`, the first lines of `src/lib.rs`, `src/main.rs` and `README.md`.".into(),
        "The licence: this code is yours under either of the two; your own code may have another.".into(),
    ])
}

/// Which files of tests go, and which stay.
fn tests(own: &Package, old: &str) -> Result<String, Failure> {
    let (gone, mut kept) = extras::tests(own)?;
    let listed = |files: &[String]| {
        let files: Vec<String> = files.iter().map(|file| format!("`{file}`")).collect();
        files.join(", ")
    };
    let is_about_limits = |file: &String| file.ends_with("/limits.rs");
    let has_limits = kept.iter().any(is_about_limits);
    kept.retain(|file| !is_about_limits(file));
    let mut told = Vec::new();
    if !gone.is_empty() {
        told.push(format!("{} says what the old protocol answers{old}{GOES}", listed(&gone)));
    }
    if has_limits {
        let asked = read(&own.folder().join("tests/suite/mod.rs")).unwrap_or_default();
        let asked = match asked.to_lowercase().contains("question") {
            true => ": `tests/suite/mod.rs` has what it asks, and how it starts the server",
            false => "",
        };
        told.push(format!(
            "`tests/limits.rs` is about limits, bad clients and the stop, and stays{asked}"
        ));
    }
    if !kept.is_empty() {
        told.push(format!("what {} says goes or stays with what you keep", listed(&kept)));
    }
    Ok(told.join("; ") + ".")
}

/// Puts the sentence of whoever builds on it into manifest and README.
pub fn say_what_it_is(dest: &Path, about: &str) -> Result<(), Failure> {
    // It stands in quotes itself, on one line.
    let about = about.replace('"', "'").replace(|c: char| c.is_control() || c == '\\', " ");
    let (manifest, page) = (dest.join("Cargo.toml"), dest.join("README.md"));
    let described = |_: &Captures| format!("description = \"{about}\"");
    write(&manifest, replaced(&read(&manifest)?, "(?m)^description = .*$", described)?)?;
    // Behind the title and an empty line.
    let first = |found: &Captures| format!("{}{}.", &found[1], about.trim_end_matches('.'));
    write(&page, replaced(&read(&page)?, r"^(.*\n\n).*", first)?)
}

/// A block's page without links to what lies outside the project.
pub fn block(page: &str, blocks: &[&str]) -> String {
    let own = page.lines().filter(|line| !line.contains("cargo xtask "));
    let lines: Vec<String> = own.filter_map(|line| local_from("../", line, blocks)).collect();
    lines.join("\n") + "\n"
}

fn run_it(rung: &Rung, page: &str, name: &str, blocks: &[&str]) -> String {
    let mut text = if rung.starter.is_some() {
        let said: Vec<&str> = part(page, "Run it").collect();
        format!("{}\n\n", said.join("\n").trim())
    } else {
        let kill = if rung.serves_once() { "" } else { "$ kill %1\n" };
        let certs = match rung.certs.is_empty() {
            true => String::new(),
            false => format!("$ {}\n", command_line("cargo run --quiet -- certs", &rung.certs)),
        };
        // The rung's files are where the workspace builds, and those of a project where it does.
        let typed = certs + &session(&rung.server_args, &rung.demo);
        let typed = rename(&typed.replace("../../target/", "target/"), &rung.name, name);
        format!("```console\n{typed}{kill}```\n\n")
    };
    let blocks: Vec<String> = blocks.iter().map(|block| format!("`{block}`")).collect();
    let blocks = blocks.join(" and ");
    text.push_str(&format!("`cargo test --workspace` tests it, and {blocks} inside it.\n"));
    text.push_str("`cargo build --release` builds what you would deploy.\n");
    text
}

/// The lines under the heading `title`.
pub fn part<'a>(page: &'a str, title: &'a str) -> impl Iterator<Item = &'a str> {
    let heading = move |line: &str| line.strip_prefix("## ") == Some(title);
    page.lines()
        .skip_while(move |line| !heading(line))
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
}

/// The line as it is right in a project: a link to what is not in it becomes the name
/// of that, and markers of generated blocks and words about copying are left out.
fn local(line: &str, blocks: &[&str]) -> Option<String> {
    local_from("", line, blocks)
}

/// The same in a folder from which `up` leads to the project's.
fn local_from(up: &str, line: &str, blocks: &[&str]) -> Option<String> {
    if line.starts_with("<!--") || line.contains("cp -r crates/") {
        return None;
    }
    let link = |found: &Captures| {
        let (text, target) = (&found[1], &found[2]);
        let beside = target.strip_prefix("../").and_then(|path| path.split_once('/'));
        match beside.filter(|(name, _)| blocks.contains(name)) {
            Some((name, path)) => format!("[{text}]({up}{name}/{path})"),
            None if target.starts_with("../../docs/") => format!("“{text}”"),
            None if target.starts_with("../") => format!("`{text}`"),
            None => found[0].into(),
        }
    };
    replaced(line, r"\[([^\[\]]*)\]\(([^)]*)\)", link).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_said_of_a_project_its_manifest_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name| folder.path().join(name);
        write(&file("Cargo.toml"), "[package]\ndescription = \"old\"\n").unwrap();
        write(&file("README.md"), "# mine\n\nOld.\nMore.\n").unwrap();
        say_what_it_is(folder.path(), "A \"clock\"\r\x1bof\\$1.").unwrap();
        let manifest = read(&file("Cargo.toml")).unwrap();
        assert_eq!(manifest, "[package]\ndescription = \"A 'clock'  of $1.\"\n");
        assert_eq!(read(&file("README.md")).unwrap(), "# mine\n\nA 'clock'  of $1.\nMore.\n");
    }

    #[test]
    fn where_the_old_tests_are_left_out_nothing_leads_to_them_and_the_rest_stays() {
        let ladder = ladder::Ladder::load().unwrap();
        for rung in &ladder.rungs {
            let own = ladder.starter_of(rung).unwrap();
            let page = project(rung, own, "mine", &["netcore", "httpcore"]).unwrap();
            let (gone, kept) = extras::tests(own).unwrap();
            let links = |page: &str, files: &[String]| {
                files.iter().filter(|file| page.contains(&format!("]({file})"))).count()
            };
            let without = without_old_tests(&page, &gone);
            assert_eq!(links(&without, &gone), 0, "{without}");
            assert_eq!(links(&without, &kept), links(&page, &kept), "{without}");
        }
        let gone = ["tests/chat.rs".to_string()];
        for (line, left) in [
            ("6. [a](a.rs): true; [b](tests/chat.rs) goes.", Some("6. [a](a.rs): true.")),
            ("4. [b](tests/chat.rs): all.", None),
        ] {
            assert_eq!(without_links_to(&gone, line).as_deref(), left);
        }
    }

    #[test]
    fn a_link_to_what_is_not_in_the_project_becomes_text() {
        assert_eq!(
            local("1. [src/lib.rs](src/lib.rs): a; [two](../two-echo).", &["netcore"]).unwrap(),
            "1. [src/lib.rs](src/lib.rs): a; `two`."
        );
        assert_eq!(
            local("[when](../../docs/when.md) compares.", &["netcore"]).unwrap(),
            "“when” compares."
        );
        assert_eq!(
            local("[wait](../netcore/src/wait.rs)", &["netcore"]).unwrap(),
            "[wait](netcore/src/wait.rs)"
        );
        assert_eq!(local("`cp -r crates/netcore crates/one DEST` builds.", &["netcore"]), None);
        assert_eq!(local("<!-- gen:modules src -->", &["netcore"]), None);
    }
}

//! What is done to the pages that mdBook has written: links to the sources lead to
//! copies of them inside the book, and a page that is being written loads itself anew.

use std::fs;
use std::path::{Path, PathBuf};

use crate::new::copy;
use ladder::Failure;

/// Where the sources are in the book.
const SOURCES: &str = "source";

/// What the book links to outside its own folder.
const LINKED: [&str; 3] = ["crates", "tests", "xtask"];

/// Holds the number of the latest build.
const LATEST: &str = "latest.txt";

/// Puts the sources into `folder` and mends the links of every page there. With a
/// number, pages ask for a later one.
///
/// # Errors
/// A page that links to what is not in the book, besides those of the file system.
pub fn finish(root: &Path, folder: &Path, number: Option<u64>) -> Result<(), Failure> {
    let sources = folder.join(SOURCES);
    fs::create_dir_all(&sources).map_err(|error| Failure::file("create", &sources, &error))?;
    for linked in LINKED {
        copy(&root.join(linked), &sources.join(linked), &str::to_string)?;
    }
    for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "Cargo.toml", "deny.toml"] {
        let target = sources.join(file);
        fs::copy(root.join(file), &target)
            .map_err(|error| Failure::file("write", &target, &error))?;
    }
    let mut broken = Vec::new();
    for page in pages(folder)? {
        let html =
            fs::read_to_string(&page).map_err(|error| Failure::file("read", &page, &error))?;
        let mut html = html.replace("href=\"../", &format!("href=\"{SOURCES}/"));
        if let Some(number) = number {
            html = html.replace("</body>", &format!("{}</body>", script(number)));
        }
        broken.extend(links(&html).filter(|link| !leads_somewhere(folder, link)).map(|link| {
            format!(
                "{}: the link {link} leads to nothing",
                page.file_name().unwrap_or_default().to_string_lossy()
            )
        }));
        fs::write(&page, html).map_err(|error| Failure::file("write", &page, &error))?;
    }
    if let Some(number) = number {
        let path = folder.join(LATEST);
        fs::write(&path, number.to_string())
            .map_err(|error| Failure::file("write", &path, &error))?;
    }
    match broken.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(broken.join("\n"))),
    }
}

/// The pages of the book, which has no folders of them. The page for what does not
/// exist links from the root.
fn pages(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(folder).map_err(|error| Failure::file("read", folder, &error))?;
    let mut pages: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "html"));
    pages.retain(|path| path.file_name().is_some_and(|name| name != "404.html"));
    pages.sort();
    Ok(pages)
}

/// The targets of links inside the book.
fn links(html: &str) -> impl Iterator<Item = &str> {
    let targets = html.split(" href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    targets.filter(|target| !target.contains(':') && !target.starts_with('#'))
}

fn leads_somewhere(folder: &Path, link: &str) -> bool {
    let file = link.split(['#', '?']).next().unwrap_or_default();
    folder.join(file).exists()
}

/// Asks for the number of the latest build, and loads the page anew where it is
/// another. While a build runs there is none; then it asks again.
fn script(number: u64) -> String {
    format!(
        "<script>setInterval(async () => {{
  const latest = await fetch(\"{LATEST}\", {{cache: \"no-store\"}}).catch(() => null);
  if (latest?.ok && await latest.text() !== \"{number}\") location.reload();
}}, 1000);</script>
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_inside_the_book_are_found_and_looked_up() {
        let html = r##"<a href="one.html#part">a</a> <a href="https://x.example/">b</a> <a href="#c">c</a> <link href="two.css">"##;
        assert_eq!(links(html).collect::<Vec<_>>(), ["one.html#part", "two.css"]);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("one.html"), "").unwrap();
        assert!(leads_somewhere(folder.path(), "one.html#part"));
        assert!(!leads_somewhere(folder.path(), "two.css"));
    }

    #[test]
    fn a_page_is_finished_with_its_sources_and_its_script() {
        let ladder = ladder::Ladder::load().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page.html");
        fs::write(&page, "<body><a href=\"../crates/netcore/src/lib.rs\">x</a></body>").unwrap();
        finish(&ladder.root, folder.path(), Some(7)).unwrap();
        let html = fs::read_to_string(&page).unwrap();
        assert!(
            html.contains("<a href=\"source/crates/netcore/src/lib.rs\">")
                && html.contains("!== \"7\""),
            "{html}"
        );
        assert!(folder.path().join("source/crates/netcore/src/lib.rs").is_file());
        assert_eq!(fs::read_to_string(folder.path().join(LATEST)).unwrap(), "7");
        fs::write(&page, "<body><a href=\"nowhere.html\">x</a></body>").unwrap();
        assert!(finish(&ladder.root, folder.path(), None).is_err());
    }
}

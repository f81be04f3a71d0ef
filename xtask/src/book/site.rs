//! What is done to the pages that mdBook has written: links to the sources lead to
//! copies of them inside the book, and a page that is being written loads itself anew.

use std::path::Path;

use ladder::Failure;
use ladder::files::{create_folder, read, with_extension, write};

use crate::new::copy;

const SOURCES: &str = "source";

/// What the book links to outside its own folder.
const LINKED: [&str; 3] = ["crates", "tests", "xtask"];

const LATEST: &str = "latest.txt";

/// Puts the sources into `folder` and mends the links of every page there. With a
/// number, pages ask for a later one. That links lead somewhere, `cargo xtask docs
/// --check` has seen.
pub fn finish(root: &Path, folder: &Path, number: Option<u64>) -> Result<(), Failure> {
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
        let mut html = read(page)?.replace("href=\"../", &format!("href=\"{SOURCES}/"));
        if let Some(number) = number {
            html = html.replace("</body>", &format!("{}</body>", script(number)));
        }
        write(page, html)?;
    }
    match number {
        Some(number) => write(&folder.join(LATEST), number.to_string()),
        None => Ok(()),
    }
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
    use std::fs;

    use super::*;

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
    }
}

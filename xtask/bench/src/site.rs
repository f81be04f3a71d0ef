//! The pages that web servers are asked for, in a folder of the build that is gone
//! afterwards.

use std::path::Path;
use std::process;

use ladder::Failure;
use ladder::files::{self, Doing};
use ladder::scratch::Scratch;

const PAGES: [(&str, usize); 3] = [("1k", 1 << 10), ("100k", 100 << 10), ("10m", 10 << 20)];

/// Where they are in it.
pub const FOLDER: &str = "pages";

/// Writes the pages into a new folder below `built`, where cargo puts its programs.
pub fn write(built: &Path) -> Result<Scratch, Failure> {
    let folder = built.join(format!("bench-{}", process::id()));
    let site = Scratch::new(folder.clone()).doing("write to", &folder)?;
    let pages = site.path().join(FOLDER);
    files::create_folder(&pages)?;
    for (name, size) in PAGES {
        files::write(&pages.join(name), page(size))?;
    }
    Ok(site)
}

/// The size of a page, which a reply must have.
pub fn size(page: &str) -> Option<usize> {
    PAGES.iter().find(|(name, _)| *name == page).map(|(_, size)| *size)
}

/// Bytes that no part of a server could shorten or guess.
fn page(size: usize) -> Vec<u8> {
    let mut state: u32 = 1;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(size).collect()
}

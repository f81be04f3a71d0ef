//! The pages that web servers are asked for, in a folder of the build that is gone
//! afterwards.

use std::path::{Path, PathBuf};
use std::process;

use ladder::Failure;
use ladder::files::{self, Doing};
use ladder::scratch::Scratch;

const PAGES: [(&str, usize); 3] = [("1k", 1 << 10), ("100k", 100 << 10), ("10m", 10 << 20)];

pub struct Site(Scratch);

impl Site {
    /// Writes the pages into a new folder below `built`, where cargo puts its programs.
    pub fn new(built: &Path) -> Result<Site, Failure> {
        let folder = built.join(format!("bench-{}", process::id()));
        let site = Site(Scratch::new(folder.clone()).doing("write to", &folder)?);
        files::create_folder(&site.pages())?;
        for (name, size) in PAGES {
            files::write(&site.pages().join(name), page(size))?;
        }
        Ok(site)
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    pub fn pages(&self) -> PathBuf {
        self.folder().join("pages")
    }

    /// The size of a page, which a reply must have.
    pub fn size(page: &str) -> Option<usize> {
        PAGES.iter().find(|(name, _)| page.strip_prefix('/') == Some(name)).map(|(_, size)| *size)
    }
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

//! What is served of a folder, and how.

use std::borrow::Cow;
use std::path::PathBuf;

use httpcore::Refusal;

use super::listing::Kind;
use super::resolve::{Links, Root};

/// Whether names that begin with a dot are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DotFiles {
    /// They are as good as missing, but for `/.well-known/` (RFC 8615).
    Hidden,
    /// They are as any others.
    Shown,
}

/// Whether compressed siblings are sent to clients that take them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precompressed {
    /// They are files like any others.
    Ignored,
    /// `app.js.br`, `app.js.zst` or `app.js.gz` for `app.js`, unless it is older.
    Sent,
}

/// What is answered where there is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// 404, with the site's own `404.html` where it has one.
    NotFound,
    /// `index.html` of the root, for addresses that an app makes up (a single-page
    /// app). What looks like a file, with a dot in its name, is that only for who asks for
    /// HTML: a script that is missing is no page. What lies in a hidden folder is 404.
    App,
}

/// All of it.
#[derive(Debug)]
pub struct Settings {
    /// The folder, or the one file, by the name that was given.
    pub root: PathBuf,
    /// Which of the two it is.
    pub kind: Kind,
    /// Where symbolic links may lead.
    pub links: Links,
    /// Whether names that begin with a dot are served.
    pub dot_files: DotFiles,
    /// Whether compressed siblings are sent.
    pub precompressed: Precompressed,
    /// What is answered where there is nothing.
    pub missing: Missing,
    /// The value of Cache-Control.
    pub cache_control: String,
}

impl Settings {
    /// What the name of the root stands for now.
    ///
    /// # Errors
    /// As [`Root::of`].
    pub fn now(&self) -> Result<Root, Refusal> {
        Root::of(&self.root, self.links)
    }

    /// Whether nothing of this path is to be served, be it there or not. A file that is
    /// served alone is meant to be.
    pub fn hides(&self, names: &[Cow<'_, [u8]>]) -> bool {
        if self.kind == Kind::File {
            return false;
        }
        let well_known = names.first().is_some_and(|name| name.as_ref() == b".well-known");
        let names = if well_known { &names[1..] } else { names };
        self.dot_files == DotFiles::Hidden && names.iter().any(|name| name.starts_with(b"."))
    }
}

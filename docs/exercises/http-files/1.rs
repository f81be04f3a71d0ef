//! No way out of the folder
//!
//! A request names a path such as `/pictures/cat.png`, and a bad one `/../../etc/passwd`.
//! Return the file under `root` that it means, or `None` when the path would leave it.
//! `.` and empty parts mean nothing.
//! `..` is refused wherever it stands, and so is a part with a backslash or a colon in it: on
//! Windows, these lead out as well.
//!
//! Hint: Go through the parts: `path.split('/')`.
//!
//! Hint: `part.contains(['\\', ':'])` finds the other two, and `None` is returned at once.

use std::path::{Path, PathBuf};

/// The file that a path means.
pub fn file(root: &Path, path: &str) -> Option<PathBuf> {
    // Solution:
    let mut file = root.to_path_buf();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            part if part.contains(['\\', ':', '\0']) => return None,
            part => file.push(part),
        }
    }
    Some(file)
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_file_in_the_folder() {
        let root = Path::new("site");
        assert_eq!(file(root, "/pictures/cat.png"), Some(root.join("pictures").join("cat.png")));
        assert_eq!(file(root, "//./a"), Some(root.join("a")), "what means nothing is passed over");
    }

    #[test]
    fn no_path_leaves_it() {
        let root = Path::new("site");
        for path in ["/..", "/../etc/passwd", "/a/../../b", "/..\\b", "/c:/windows"] {
            assert_eq!(file(root, path), None, "{path}");
        }
    }
}

//! Replace a program, whatever happens
//!
//! A program is replaced while it may be started at any moment, and the machine may lose its
//! power at any moment.
//! Whoever writes into its file leaves half a program behind.
//! Write `replace`: put `new` in the place of `program` so that there is always a whole one.
//!
//! Hint: Write to another file in the same folder, such as `program.with_extension("new")`.
//!
//! Hint: `sync_all` brings it to the disk, and `fs::rename` puts it in place in one step.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Puts the new program in the place of the old one.
pub fn replace(program: &Path, new: &[u8]) -> io::Result<()> {
    // Solution:
    let beside = program.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(new)?;
    file.sync_all()?;
    fs::rename(&beside, program)
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn the_new_one_is_in_place_and_who_has_the_old_one_open_still_has_it() {
        let name = format!("{}-{}", module_path!().replace("::", "-"), std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let program = folder.join("program");
        fs::write(&program, "the old program").unwrap();
        let mut old = File::open(&program).unwrap();
        let done = std::panic::catch_unwind(|| replace(&program, b"new"));
        let now = fs::read(&program).unwrap();
        let files = fs::read_dir(&folder).unwrap().count();
        let mut open = String::new();
        old.read_to_string(&mut open).unwrap();
        drop(old);
        fs::remove_dir_all(&folder).unwrap();
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)).unwrap();
        assert_eq!(now, b"new");
        assert_eq!(files, 1, "nothing else is left behind");
        // Windows does not let go of an open file.
        if cfg!(unix) {
            assert_eq!(open, "the old program", "its file was written into");
        }
    }
}

//! What the metadata of a file is worth: that depends on what the file is stored in.

use std::fs::{File, Metadata};
use std::io;

/// Where a file is from, as far as it decides what can be said of the file beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux is asked"))]
pub enum FileSystem {
    /// A disk of this machine. Every change leaves a sign, however late.
    Disk,
    /// Memory of this machine. What a program changes through a mapping leaves no sign.
    Memory,
    /// Another machine, a program, or what is not known here. A file may change without the
    /// system's being told.
    Foreign,
    /// The kernel makes the content while it is read. Length and date say nothing.
    Made,
}

impl FileSystem {
    /// That of an open file, with the metadata that hold from its opening on.
    ///
    /// # Errors
    /// As fstat(2).
    pub fn look(file: &File) -> io::Result<(FileSystem, Metadata)> {
        let system = of(file);
        if system == FileSystem::Foreign {
            ask_anew(file);
        }
        Ok((system, file.metadata()?))
    }
}

/// By the numbers of statfs(2).
#[cfg(target_os = "linux")]
fn of(file: &File) -> FileSystem {
    // In this order: btrfs, bcachefs, EROFS, ext2 to ext4, F2FS, ISO 9660, OverlayFS, SquashFS, XFS.
    // All of them set the time of a change when a page of a mapping is first written to, and again
    // after each write-back. Not so ZFS.
    const DISKS: [u32; 9] = [
        0x9123_683e,
        0xca45_1a4e,
        0xe0f5_e1e2,
        0xef53,
        0xf2f5_2010,
        0x9660,
        0x794c_7630,
        0x7371_7368,
        0x5846_5342,
    ];
    // ramfs and tmpfs.
    const MEMORIES: [u32; 2] = [0x8584_58f6, 0x0102_1994];
    // binfmt_misc, bpf, cgroup, cgroup2, configfs, debugfs, efivarfs, proc, pstore, resctrl, securityfs,
    // selinuxfs, smackfs, sysfs, tracefs.
    const MADE: [u32; 15] = [
        0x4249_4e4d,
        0xcafe_4a11,
        0x27_e0eb,
        0x6367_7270,
        0x6265_6570,
        0x6462_6720,
        0xde5e_81e4,
        0x9fa0,
        0x6165_676c,
        0x765_5821,
        0x7363_6673,
        0xf97c_ff8c,
        0x4341_5d53,
        0x6265_6572,
        0x7472_6163,
    ];
    // The numbers have 32 bits, whatever the width of the field.
    match rustix::fs::fstatfs(file).map(|system| system.f_type as u32) {
        Ok(number) if DISKS.contains(&number) => FileSystem::Disk,
        Ok(number) if MEMORIES.contains(&number) => FileSystem::Memory,
        Ok(number) if MADE.contains(&number) => FileSystem::Made,
        Ok(_) | Err(_) => FileSystem::Foreign,
    }
}

/// Nothing is taken for granted.
#[cfg(not(target_os = "linux"))]
fn of(_: &File) -> FileSystem {
    FileSystem::Foreign
}

/// The system may answer a look at such a file from what it has been told before, for as long
/// as the other side has allowed. This makes it ask, and what it learns is what the next look
/// finds.
#[cfg(target_os = "linux")]
fn ask_anew(file: &File) {
    use rustix::fs::{AtFlags, StatxFlags, statx};
    // Where this call is unknown, the look that follows is as good as can be had.
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_FORCE_SYNC;
    let _ = statx(file, "", flags, StatxFlags::BASIC_STATS);
}

#[cfg(not(target_os = "linux"))]
fn ask_anew(_: &File) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_makes_is_known() {
        for path in ["/proc/self/status", "/sys/kernel/mm/transparent_hugepage/enabled"] {
            match File::open(path) {
                Ok(file) => {
                    assert_eq!(FileSystem::look(&file).unwrap().0, FileSystem::Made, "{path}")
                }
                Err(error) => eprintln!("skipped: {path}: {error}"),
            }
        }
        if let Ok(shared) = tempfile::tempfile_in("/dev/shm") {
            assert_eq!(FileSystem::look(&shared).unwrap().0, FileSystem::Memory);
        }
        // A pipe is in none of these.
        let (pipe, _) = std::io::pipe().unwrap();
        let file = File::from(std::os::fd::OwnedFd::from(pipe));
        assert_eq!(FileSystem::look(&file).unwrap().0, FileSystem::Foreign);
    }
}

//! The limit on open descriptors, which a crowd of connections meets first.

/// More than any fault opens.
const ENOUGH: u64 = 20_000;

/// Raises the soft limit of this process, and of those that it starts, as far as it
/// may. Most systems allow many more than the 1,024 (macOS: 256) that a shell begins
/// with.
///
/// Returns what it is from then on. Where that is too little, the caller may go on:
/// opening the connections will tell.
pub fn allow_many() -> u64 {
    rlimit::increase_nofile_limit(ENOUGH).unwrap_or(ENOUGH)
}

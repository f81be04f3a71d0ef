//! The limit on open descriptors, which a crowd of connections meets first.

/// More than any fault opens.
const ENOUGH: u64 = 10_240;

/// Raises the soft limit of this process, and of those that it starts, as far as it
/// may. Most systems allow many more than the 1,024 (macOS: 256) that a shell begins
/// with.
///
/// Without success the caller goes on: whether the limit is too low, opening the
/// connections will tell.
pub fn allow_many() {
    let _ = rlimit::increase_nofile_limit(ENOUGH);
}

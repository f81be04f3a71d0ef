//! The limit on open descriptors, which a crowd of connections meets first.

/// Raises the soft limit of this process, and of those that it starts, as far as it may. Most systems allow many more
/// than the 1,024 (macOS: 256) that a shell begins with.
///
/// Without success the caller goes on: whether the limit is too low, opening the connections will tell.
#[cfg(unix)]
pub fn allow_many() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    /// macOS refuses more than this, whatever the hard limit says.
    const MOST: u64 = 10_240;
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(MOST, |maximum| maximum.min(MOST));
    if limit.current.is_some_and(|current| current < wanted) {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum });
    }
}

/// Nothing to raise here.
#[cfg(not(unix))]
pub fn allow_many() {}

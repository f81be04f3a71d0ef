//! The limit on open descriptors, which a crowd of connections meets first.

/// Raises this process's soft limit as far as it may. Most systems allow many more than the 1,024 they begin with.
///
/// Without success the run goes on: whether the limit is too low, opening the connections will tell.
#[cfg(unix)]
pub fn allow_many() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// Nothing to raise here.
#[cfg(not(unix))]
pub fn allow_many() {}

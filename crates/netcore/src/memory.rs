//! Whether there is memory for one client more. Where Rust does not get some, it ends the
//! whole process, and a client's shortage would be everybody's: so it is asked beforehand.

use std::hint::black_box;
use std::io::{self, ErrorKind};

/// What one client more takes in all, but for its thread: its buffers and the small things,
/// also of those clients that have been accepted and have not taken theirs yet.
const CLIENT: usize = 1 << 20;

/// The stack of a thread, as std asks for it, and what is around it.
const STACK: usize = 3 << 20;

/// So many stacks of threads that have ended are left over for the next ones at least: glibc
/// keeps 40 MiB of them, and other libraries none.
pub(crate) const STACKS_KEPT: usize = if cfg!(target_env = "gnu") { 16 } else { 0 };

/// A thread has so many areas of memory, however large they are: its stack and that for
/// its signals, each with a guard beside it.
const AREAS: usize = 4;

/// So many areas are left for everything else: the program, what the allocator takes at a
/// time, and stacks that are left over.
const OTHER_AREAS: usize = 4096;

/// What is asked for to see whether there is any.
const TRY: usize = 128 << 10;

/// Whether a client can be accepted by a thread that serves many, or can leave something
/// with it.
///
/// # Errors
/// `OutOfMemory`.
pub(crate) fn is_there_for_one_of_many() -> io::Result<()> {
    // What others have given back, the allocator may still have.
    is_there(CLIENT).or_else(|error| if is_given(CLIENT) { Ok(()) } else { Err(error) })
}

/// Whether a client can be accepted that has a thread of its own, which is there.
///
/// # Errors
/// `OutOfMemory`.
pub(crate) fn is_there_for_a_client() -> io::Result<()> {
    is_there(CLIENT)
}

/// Whether one thread more can be started, and a client served by it.
///
/// # Errors
/// `OutOfMemory`.
pub(crate) fn is_there_for_a_thread() -> io::Result<()> {
    is_there(STACK + CLIENT)
}

/// Whether one worker more can be started that accepts its clients itself, so that there
/// is memory for them afterwards.
///
/// # Errors
/// `OutOfMemory`.
pub fn is_there_for_a_worker() -> io::Result<()> {
    match threads() < threads_at_most() {
        true => is_there(2 * STACK + CLIENT),
        false => Err(ErrorKind::OutOfMemory.into()),
    }
}

/// As many threads as fit into the areas that a process may have (vm.max_map_count,
/// [proc_sys_vm(5)](https://man7.org/linux/man-pages/man5/proc_sys_vm.5.html)). The one that
/// goes beyond ends the process when it begins, and nobody can catch that.
pub(crate) fn threads_at_most() -> usize {
    let areas = number_in("/proc/sys/vm/max_map_count", "");
    areas.map_or(usize::MAX, |areas| areas.saturating_sub(OTHER_AREAS) / AREAS)
}

/// Those that there are; none where nothing tells.
fn threads() -> usize {
    number_in("/proc/self/status", "Threads:").unwrap_or(0)
}

/// The number behind `name` in a file of Linux, which others do not have.
fn number_in(file: &str, name: &str) -> Option<usize> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name))?.trim().parse().ok()
}

fn is_there(bytes: usize) -> io::Result<()> {
    // Where nothing says how much there is, a try does; but the allocator may keep what it has
    // got for it, so it is no large one.
    let is_there = address_space_left().map_or_else(|| is_given(TRY), |left| left >= bytes as u64);
    if is_there { Ok(()) } else { Err(ErrorKind::OutOfMemory.into()) }
}

fn is_given(bytes: usize) -> bool {
    let mut spare: Vec<u8> = Vec::new();
    // Otherwise the compiler takes memory that nobody uses for granted.
    black_box(&mut spare).try_reserve_exact(bytes).is_ok()
}

/// What this process may still take under its limit (RLIMIT_AS, `ulimit -v`), where it has
/// one: [getrlimit(2)](https://man7.org/linux/man-pages/man2/getrlimit.2.html).
#[cfg(target_os = "linux")]
fn address_space_left() -> Option<u64> {
    use rustix::param::page_size;
    use rustix::process::{Resource, getrlimit};

    let limit = getrlimit(Resource::As).current?;
    // Its first number is the size of the address space, in pages.
    let sizes = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = sizes.split(' ').next()?.parse().ok()?;
    Some(limit.saturating_sub(pages * page_size() as u64))
}

/// Others have no such limit, or do not hold anybody to it.
#[cfg(not(target_os = "linux"))]
fn address_space_left() -> Option<u64> {
    None
}

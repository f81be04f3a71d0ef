//! What outlives us when we are killed without a word, as SIGKILL does it: a shell that
//! reads from a pipe which we hold, and ends what we have started when that closes.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{LazyLock, Mutex};

use crate::workers::lock;

/// `+ 7` is started and `- 7` has ended. At the end of the pipe, whoever is left is asked
/// to stop, with its group where it has one.
const SCRIPT: &str = include_str!("heir.sh");

/// The pipe; `None` where there is no shell.
static PIPE: LazyLock<Mutex<Option<ChildStdin>>> = LazyLock::new(|| {
    let mut shell = Command::new("sh");
    // In a group of its own: Ctrl-C is none of its business. Without our output: whoever
    // reads that waits for its end.
    shell.args(["-c", SCRIPT]).process_group(0);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    Mutex::new(shell.spawn().ok().and_then(|mut shell| shell.stdin.take()))
});

/// Told with `+` that a process is started, and with `-` that it has been waited for.
pub fn tell(sign: char, id: u32) {
    let mut pipe = lock(&PIPE);
    if let Some(pipe) = pipe.as_mut() {
        // In one write, or a kill could come in the middle of it. Where the shell has been ended
        // there is nobody to tell.
        let _ = pipe.write_all(format!("{sign} {id}\n").as_bytes());
    }
}

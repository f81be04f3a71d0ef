//! A terminal that several programs share, of which one is in front.

use std::io::Stdin;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::getpgrp;
use rustix::termios::{LocalModes, tcgetattr, tcgetpgrp};

/// How often a program in the background looks whether it is in front: no event tells.
const LOOK: Duration = Duration::from_secs(1);

/// Waits until a line was typed for this program.
///
/// What is typed while another one is in front is for that one, and whoever reads it all the
/// same is stopped with all its threads: by SIGTTIN, as in `server &` in a shell. A
/// read that has begun in front is begun anew in the background, so nothing waits in one.
pub fn wait_for_a_line(stdin: &Stdin) {
    loop {
        if !is_in_front(stdin) {
            thread::sleep(LOOK);
            continue;
        }
        // Without lines, several may have come with the last read, which nobody is told of.
        if !tcgetattr(stdin).is_ok_and(|it| it.local_modes.contains(LocalModes::ICANON)) {
            return;
        }
        let waited = poll(&mut [PollFd::new(stdin, PollFlags::IN)], None);
        if is_in_front(stdin) && waited != Err(rustix::io::Errno::INTR) {
            return;
        }
    }
}

/// Of a terminal that controls us not, there is no front.
fn is_in_front(stdin: &Stdin) -> bool {
    tcgetpgrp(stdin).map_or(true, |front| front == getpgrp())
}

//! Whether a peer is still there that has nothing to say.
//!
//! The system answers for a program that has been stopped, or that hangs: it takes what
//! fits into its buffers, and acknowledges it. So three signs are looked at. That the
//! machine answers: keep-alive probes of TCP. That what is sent is taken, sooner or
//! later. And, of a program that has said that it answers when it is asked, that it does.

use std::io;
use std::time::Duration;

use rustix::fd::AsFd;
use socket2::{SockRef, TcpKeepalive};

/// Looks without a sign of life that make the peer gone. The time between the last two is
/// what it has for its answer.
const LOOKS: u32 = 2;

/// The shortest time that systems take for keep-alive, and one that all of them take.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(2 * 60 * 60);

/// What has been seen of one peer, on nobody's clock: whoever has it looks twice in each
/// heartbeat.
#[derive(Debug, Default)]
pub struct Pulse {
    answers: bool,
    silent: u32,
    stuck: u32,
    taken: u64,
}

/// What a look has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// There is nothing to do.
    Alive,
    /// It is to be asked.
    Ask,
    /// It was asked, and has not answered.
    Silent,
    /// It takes nothing of what waits for it.
    Stuck,
}

impl Pulse {
    /// Something came from it.
    pub fn heard(&mut self) {
        self.silent = 0;
    }

    /// It answers when it is asked, and is held to that from now on.
    pub fn answers(&mut self) {
        self.answers = true;
    }

    /// One look: whether anything waits for it, and how much it has taken so far.
    pub fn look(&mut self, (waiting, taken): (bool, u64)) -> Look {
        let moves = !waiting || taken != self.taken;
        self.stuck = if moves { 0 } else { self.stuck + 1 };
        self.taken = taken;
        // The question would stand behind what waits: who is slow would answer it too late.
        self.silent = if waiting { 0 } else { self.silent.saturating_add(1) };
        match self.silent {
            _ if self.stuck >= LOOKS => Look::Stuck,
            LOOKS.. if self.answers => Look::Silent,
            1.. if self.answers => Look::Ask,
            _ => Look::Alive,
        }
    }
}

/// Lets the system find out whether the other machine is there: one that does not
/// acknowledge for about as long is gone, as an error of the next read.
///
/// # Errors
/// What setsockopt(2) says.
pub fn watch(socket: &impl AsFd, heartbeat: Duration) -> io::Result<()> {
    let heartbeat = heartbeat.clamp(SHORTEST, LONGEST);
    let interval = (heartbeat / 3).max(SHORTEST);
    let probes = TcpKeepalive::new().with_time(heartbeat).with_interval(interval);
    // By way of `as_fd`, which is a socket on Windows too.
    let socket = socket.as_fd();
    SockRef::from(&socket).set_tcp_keepalive(&probes)?;
    // Keep-alive is for a connection at rest. With something on its way, Linux would try
    // for a quarter of an hour.
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_tcp_user_timeout(socket, heartbeat.as_millis() as u32)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_heartbeat_is_one_that_the_system_takes() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        for heartbeat in [Duration::from_millis(1), Duration::from_secs(30), Duration::MAX] {
            watch(&socket, heartbeat).unwrap();
            assert!(SockRef::from(&socket).keepalive().unwrap());
        }
    }

    const NOTHING_WAITS: (bool, u64) = (false, 0);

    #[test]
    fn one_that_answers_is_asked_and_gone_when_it_does_not_answer() {
        let mut pulse = Pulse::default();
        pulse.answers();
        assert_eq!(pulse.look(NOTHING_WAITS), Look::Ask);
        pulse.heard();
        assert_eq!(pulse.look(NOTHING_WAITS), Look::Ask);
        assert_eq!(pulse.look(NOTHING_WAITS), Look::Silent);
    }

    #[test]
    fn one_that_never_said_that_it_answers_may_be_silent_for_ever() {
        let mut pulse = Pulse::default();
        assert!((0..1000).all(|_| pulse.look(NOTHING_WAITS) == Look::Alive));
    }

    #[test]
    fn one_that_takes_nothing_is_gone_at_the_second_look_whatever_it_says() {
        let mut pulse = Pulse::default();
        assert_eq!(pulse.look((true, 7)), Look::Alive);
        pulse.heard();
        assert_eq!(pulse.look((true, 7)), Look::Alive);
        pulse.heard();
        assert_eq!(pulse.look((true, 7)), Look::Stuck);
    }

    #[test]
    fn one_that_takes_a_little_now_and_then_is_late_and_not_gone() {
        let mut pulse = Pulse::default();
        // The question would stand behind all that waits.
        pulse.answers();
        assert!((2..1000).all(|taken| pulse.look((true, taken / 2)) == Look::Alive));
        // It has taken everything: now it can be asked.
        assert_eq!(pulse.look((false, 501)), Look::Ask);
        assert_eq!(pulse.look((false, 501)), Look::Silent);
    }
}

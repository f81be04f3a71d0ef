//! The signals that ask a program to end, and how a second one is understood.

#[cfg(unix)]
pub(crate) use unix::listen;
#[cfg(windows)]
pub(crate) use windows::listen;

/// The exit code after a second signal: 128 and SIGINT, as shells have it.
const INTERRUPTED_TWICE: i32 = 130;

/// Two signals nearer than this are one wish: systemd, `timeout` and a terminal that is
/// closed send several at once.
const ONE_WISH: std::time::Duration = std::time::Duration::from_millis(500);

fn told() {
    // Before the act, so that it stands above what the stop does: a server without clients
    // ends at once, and this line would come too late. The log never waits.
    log::info!("stopping; a second signal ends at once");
}

#[cfg(unix)]
mod unix {
    use std::io;
    use std::process;
    use std::thread;
    use std::time::Instant;

    use nix::sys::signal::{SigSet, Signal};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    use super::{INTERRUPTED_TWICE, ONE_WISH, told};

    /// Calls `stop` at the first signal, from a thread of its own.
    pub(crate) fn listen(stop: impl Fn() + Send + 'static) -> io::Result<()> {
        let ignored = ignored();
        let wanted =
            [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|n| ignored & (1 << (n - 1)) == 0);
        let mut signals = Signals::new(wanted)?;
        thread::Builder::new().name("signals".into()).spawn(move || {
            unblock();
            let mut first = None;
            let mut interrupts = 0;
            for signal in signals.forever() {
                interrupts += usize::from(signal == SIGINT);
                let now = Instant::now();
                let first = *first.get_or_insert(now);
                if interrupts > 1 || now - first >= ONE_WISH {
                    process::exit(INTERRUPTED_TWICE);
                }
                if now == first {
                    told();
                    stop();
                }
            }
        })?;
        Ok(())
    }

    /// A parent may have left them blocked, and then none would ever come. A signal goes
    /// to any thread that takes it, so this one is enough.
    fn unblock() {
        let ours = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]);
        if let Err(error) = ours.thread_unblock() {
            log::warn!("signals may be blocked: {error}");
        }
    }

    /// The signals that were ignored when the program was started, a bit each, the
    /// lowest for number 1. Only Linux tells without unsafe code; elsewhere, none.
    fn ignored() -> u64 {
        let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return 0 };
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
    }
}

#[cfg(windows)]
mod windows {
    use std::io;
    use std::process;
    use std::sync::OnceLock;
    use std::time::Instant;

    use super::{INTERRUPTED_TWICE, ONE_WISH, told};

    /// Calls `stop` at the first event, from a thread of its own.
    pub(crate) fn listen(stop: impl Fn() + Send + 'static) -> io::Result<()> {
        let first = OnceLock::new();
        let came = move || match first.get() {
            None => {
                let _ = first.set(Instant::now());
                told();
                stop();
            }
            Some(first) if first.elapsed() >= ONE_WISH => process::exit(INTERRUPTED_TWICE),
            Some(_) => {}
        };
        ctrlc::set_handler(came).map_err(io::Error::other)
    }
}

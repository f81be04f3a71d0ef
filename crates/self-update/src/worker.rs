//! A process that serves, on the socket of the keeper that has started it. It says when it
//! is ready, and stops when the keeper lets go, whether it wants to or has come to its end.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{self, Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use netcore::deadline::Deadline;
use netcore::shutdown::Shutdown;
use netcore::{Error, cli};

use crate::unproven::Unproven;
use crate::{Echo, server};

#[cfg_attr(unix, path = "worker/unix.rs")]
#[cfg_attr(windows, path = "worker/windows.rs")]
mod system;

pub use system::HANDS_OVER;

/// What a worker says when it can serve.
const READY: &str = "ready";

/// How much longer than its drain limit a worker may take that was let go of.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// How often it is looked whether a program has ended that has told its version.
const LOOK: Duration = Duration::from_millis(5);

/// Bytes of what a program says of its version; the rest is not looked at.
const VERSION_LIMIT: u64 = 200;

/// A worker, as its keeper has it.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    leash: Option<system::Leash>,
}

/// Where workers serve, and how they are started.
#[derive(Debug)]
pub struct Workplace {
    /// The socket of clients, where workers get it from the keeper.
    pub listener: Option<TcpListener>,
    /// The arguments of a worker, beside the one that makes it a worker.
    pub args: Vec<OsString>,
    /// How long it may take until it is ready.
    pub patience: Duration,
    /// The one that is not ready yet.
    pub unproven: Unproven,
}

/// Serves as a worker at `address` until the keeper lets go, a signal comes, or nobody does.
///
/// # Errors
/// When what the keeper hands over cannot be had, and as [`server::serve`].
pub fn serve(address: SocketAddr, service: &Echo, shutdown: &Shutdown) -> Result<(), Error> {
    let mut leash = system::leash().map_err(Error::failed("know when to stop"))?;
    let accepting = Shutdown::new(service.limits.drain)?;
    let (stop, drain) = (shutdown.clone(), service.limits.drain);
    let leave = accepting.clone();
    shutdown.on_stop(move || leave.stop());
    let leave = accepting.clone();
    let watch = move || {
        // One byte comes when another is there for the next clients, and the end when it is
        // over for those who are here as well.
        if leash.read_exact(&mut [0]).is_ok() {
            leave.stop();
            let _ = io::copy(&mut leash, &mut io::sink());
        }
        stop.stop();
        // Whatever it hangs in, also where it has not come as far as to serve.
        thread::sleep(drain.saturating_add(LAST_MOMENT));
        process::exit(1);
    };
    let watching = thread::Builder::new().name("leash".into()).spawn(watch);
    watching.map_err(Error::failed("watch the keeper"))?;
    let listener = system::listener(address).map_err(Error::failed("use the keeper's socket"))?;
    (service.release.prepare)().map_err(Error::failed("prepare"))?;
    cli::announce(READY)?;
    let served = server::serve_until(listener, service, &accepting, shutdown);
    served.map_err(Error::failed("accept clients"))
}

impl Workplace {
    /// Starts `program` at `address`, and waits until it is ready. `ended` is called when it
    /// ends after that.
    ///
    /// # Errors
    /// `TimedOut` when it takes too long; when it ends before it is ready; when it is no
    /// program. Then nothing of it is left.
    pub fn start(
        &self,
        program: &Path,
        address: SocketAddr,
        ended: impl FnOnce() + Send + 'static,
    ) -> io::Result<Worker> {
        let mut command = Command::new(program);
        command.args(&self.args).arg(format!("--worker={address}"));
        let (leash, mut said) = self.unproven.start(|| {
            let (child, leash, said) = system::spawn(command, self.listener.as_ref())?;
            Ok((child, (leash, said)))
        })?;
        let (ready, is_ready) = channel();
        let listen = move || {
            let mut word = [0; READY.len() + 1];
            if said.read_exact(&mut word).is_ok() && word.starts_with(READY.as_bytes()) {
                let _ = ready.send(());
                let _ = io::copy(&mut said, &mut io::sink());
                ended();
            }
        };
        let listening = thread::Builder::new().spawn(listen);
        match listening.and_then(|_| in_time(&is_ready, self.patience)) {
            Ok(()) => Ok(Worker { child: self.unproven.release()?, leash: Some(leash) }),
            Err(error) => {
                self.unproven.kill()?;
                Err(error)
            }
        }
    }
}

impl Worker {
    /// Another one takes the next clients; it serves out those who are there.
    pub fn leave(&mut self) {
        if let Some(leash) = &mut self.leash {
            // In vain where it has ended.
            let _ = leash.write_all(b".");
        }
    }

    /// Lets go of it: it stops, within its drain limit.
    pub fn let_go(&mut self) {
        self.leash = None;
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// What the system says.
    pub fn wait(mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }
}

/// What `program` says of its version. It is `unproven` meanwhile.
///
/// # Errors
/// As [`Workplace::start`]; when it says that it has failed.
pub fn version_of(program: &Path, limit: Duration, unproven: &Unproven) -> io::Result<String> {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let deadline = Deadline::after(limit);
    let out = unproven.start(|| {
        let mut child = command.spawn()?;
        let out = child.stdout.take();
        Ok((child, out))
    })?;
    let out = out.ok_or(ErrorKind::BrokenPipe)?;
    let (said, is_said) = channel();
    let listen = move || {
        let mut text = String::new();
        if out.take(VERSION_LIMIT).read_to_string(&mut text).is_ok() {
            let _ = said.send(text);
        }
    };
    let listening = thread::Builder::new().spawn(listen);
    let text = listening.and_then(|_| in_time(&is_said, limit));
    if text.is_err() {
        unproven.kill()?;
    }
    match ended_by(unproven, deadline)? {
        status if status.success() => text,
        status => Err(io::Error::other(format!("it does not tell its version: {status}"))),
    }
}

/// Waits for the end of a process, which is killed at `deadline`: it may have said all that it
/// was asked for, and go on.
fn ended_by(unproven: &Unproven, deadline: Deadline) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = unproven.try_wait()? {
            return Ok(status);
        }
        if deadline.has_passed() {
            return unproven.kill();
        }
        // No system that we know waits for a process until a point in time.
        thread::sleep(LOOK);
    }
}

fn in_time<T>(from: &Receiver<T>, limit: Duration) -> io::Result<T> {
    from.recv_timeout(limit).map_err(|error| match error {
        RecvTimeoutError::Timeout => {
            io::Error::new(ErrorKind::TimedOut, format!("it says nothing within {limit:?}"))
        }
        RecvTimeoutError::Disconnected => io::Error::other("it ends before it is ready"),
    })
}

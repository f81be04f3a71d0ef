//! One server under load: started, known by its ready line, ended when this is dropped.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ladder::process::{Held, Process, listening};
use ladder::scratch::Scratch;
use ladder::{Address, Failure};

/// How long a server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(20);

/// Ticks in a second, in what Linux tells of a process.
const TICKS: f64 = 100.0;

pub struct Server {
    process: Process,
    /// What it stands in front of: both are one server.
    pub behind: Option<Box<Server>>,
    pub address: Address,
    /// Where its file is. Dropped last.
    _folder: Option<Scratch>,
}

impl Server {
    /// Starts one that says where it listens, in a folder that is kept for as long.
    pub fn start(folder: Option<Scratch>, command: &mut Command) -> Result<Server, Failure> {
        if let Some(folder) = &folder {
            command.current_dir(folder.path());
        }
        let (process, address) = listening(command, PATIENCE)?;
        Ok(Server { process, behind: None, address, _folder: folder })
    }

    /// Starts a server that listens on `address` and says nothing.
    pub fn start_silent(command: &mut Command, address: SocketAddr) -> Result<Server, Failure> {
        let process = Process::start(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
        process.wait_until(PATIENCE, || TcpStream::connect(address).is_ok())?;
        Ok(Server { process, behind: None, address: address.into(), _folder: None })
    }

    /// Asks it to stop, and returns how long that took; `None` when it goes on.
    pub fn stop(&self) -> Option<Duration> {
        let started = Instant::now();
        self.process.ask_to_stop();
        // A process closes its output as it ends, which is told at once.
        self.process.stdout().wait_for_end(PATIENCE).ok().map(|_| started.elapsed())
    }

    /// Processor time that it has used, in seconds. Known on Linux.
    pub fn processor_seconds(&self) -> Option<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).ok()?;
        let behind = self.behind.as_ref().map_or(Some(0.0), |behind| behind.processor_seconds());
        Some(processor_seconds(&stat)? + behind?)
    }

    /// Memory of its own that it has in use, in KiB, without what the kernel holds for
    /// its sockets. Known on Linux.
    pub fn resident_kib(&self) -> Option<u64> {
        let behind = self.behind.as_ref().map_or(Some(0), |behind| behind.resident_kib());
        Some(Held::by(self.process.id())?.kib + behind?)
    }
}

fn processor_seconds(stat: &str) -> Option<f64> {
    // The second field is the program's name in parentheses and may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_any_name() {
        let stat = "7 (a) b 1) S 1 7 7 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 1 0 100 0 0";
        assert_eq!(processor_seconds(stat), Some(2.0));
    }
}

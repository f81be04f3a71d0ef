//! HAProxy: its configuration, and its command line while it runs.

use std::fs;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use ladder::process::output;
use ladder::scratch::Scratch;
use ladder::{Failure, Process, failure};

/// How long HAProxy may take to start, and to answer. It takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Its command line, in a folder of its own. It answers one command and closes.
const SOCKET: &str = "admin.sock";

/// The servers behind it.
pub const NAMES: [&str; 3] = ["a", "b", "c"];

/// One of them, and where it listens.
pub type Server = (Process, SocketAddr);

pub struct Haproxy {
    process: Process,
    /// Where its socket is for commands.
    folder: Scratch,
    pub address: SocketAddr,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// `UP`, `DRAIN` or `DOWN`; `UP 1/2` is on its way to `DOWN`.
    pub status: String,
    /// Clients that it has now, or that are being connected to it.
    pub clients: u64,
    /// Clients that it has had so far, those included.
    pub total: u64,
}

/// Its version, where it is installed: `2.6.12-1+deb12u4`.
pub fn version() -> Option<String> {
    let said = output(Command::new("haproxy").arg("-v")).ok()?;
    said.strip_prefix("HAProxy version ")?.split_whitespace().next().map(String::from)
}

impl Haproxy {
    pub fn start(servers: &[Server]) -> Result<Haproxy, Failure> {
        let failed = |error: io::Error| failure!("cannot start HAProxy: {error}");
        let listener = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let folder = Scratch::temporary("scale")?;
        let (file, socket) = (folder.path().join("haproxy.cfg"), folder.path().join(SOCKET));
        // As a person would write it for two servers and more, but for `fd@0`, which is standard
        // input.
        let text = include_str!("haproxy.cfg").replace("{socket}", &socket.display().to_string());
        let line = |(name, (_, address)): (&str, &Server)| format!("    server {name} {address}\n");
        let servers: String = NAMES.into_iter().zip(servers).map(line).collect();
        fs::write(&file, text + &servers).map_err(failed)?;
        let process = Process::start(
            Command::new("haproxy")
                .args(["-db", "-f"])
                .arg(file)
                // Its port is known before it runs, and nobody else can take it meanwhile.
                .stdin(Stdio::from(OwnedFd::from(listener)))
                .stdout(Stdio::null())
                // Told if it does not start.
                .stderr(Stdio::piped()),
        )?;
        // It opens its command line when it is ready.
        process.wait_until(PATIENCE, || UnixStream::connect(&socket).is_ok())?;
        Ok(Haproxy { process, folder, address })
    }

    /// Gives a command, and returns what it says to it.
    pub fn command(&self, command: &str) -> Result<String, Failure> {
        let ask = || -> io::Result<String> {
            let mut commands = UnixStream::connect(self.folder.path().join(SOCKET))?;
            commands.set_read_timeout(Some(PATIENCE))?;
            writeln!(commands, "{command}")?;
            io::read_to_string(commands)
        };
        let said =
            ask().map_err(|error| failure!("HAProxy does not answer {command:?}: {error}"))?;
        Ok(said.trim().to_string())
    }

    /// Its servers, in the order in which they were named.
    pub fn states(&self) -> Result<Vec<State>, Failure> {
        if !matches!(self.process.wait(Duration::ZERO), Ok(None)) {
            return Err(Failure::new("HAProxy has ended"));
        }
        // Of every backend, servers only.
        let table = self.command("show stat -1 4 -1")?;
        states(&table).ok_or_else(|| failure!("HAProxy's statistics are not understood: {table:?}"))
    }
}

/// The servers in what `show stat` prints: columns with a head, parted by commas.
fn states(table: &str) -> Option<Vec<State>> {
    let mut lines = table.lines();
    let head: Vec<&str> = lines.next()?.strip_prefix("# ")?.split(',').collect();
    // They differ between versions, so they go by their names. None of these, and none
    // before them, is quoted text.
    let column = |name: &str| head.iter().position(|column| *column == name);
    let (status, clients, total) = (column("status")?, column("scur")?, column("stot")?);
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            Some(State {
                status: fields.get(status)?.to_string(),
                clients: fields.get(clients)?.parse().ok()?,
                total: fields.get(total)?.parse().ok()?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_their_names_and_what_has_none_of_them_is_not_understood() {
        let table = "# pxname,svname,stot,scur,status,last_chk\nechoes,a,400,2,DRAIN,\"a, b\"\nechoes,b,9,0,UP 1/2,\n";
        let state = |status: &str, clients, total| State { status: status.into(), clients, total };
        assert_eq!(states(table), Some(vec![state("DRAIN", 2, 400), state("UP 1/2", 0, 9)]));
        for table in ["", "denied", "# pxname,svname\na,b", "# stot,scur,status\nmany,1,UP"] {
            assert_eq!(states(table), None, "{table:?}");
        }
    }
}

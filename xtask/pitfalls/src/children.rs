//! Pitfalls that end or hang a whole process, and so are played in one of their own:
//! this program once more, in a role that nobody types. The broken halves are BROKEN ON
//! PURPOSE.

use std::env;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ladder::{Failure, Process};
use netcore::accept::Acceptor;
use netcore::frame::{self, Header};
use netcore::shutdown::{DRAIN, Shutdown};

use crate::seen::{GENEROUS, Seen, VAIN, seen};

/// What the length claims, and the limit that a program of sense has.
const CLAIM: u64 = 64 << 30;
const LIMIT: usize = 1 << 20;

/// Memory that a process gets here, in KiB, so that it is refused on every machine.
/// macOS has no such limit.
const MEMORY: u64 = 4 << 20;

type Role = fn() -> io::Result<()>;

/// The roles, by name.
pub const ROLES: [(&str, Role); 3] =
    [("believer", believer), ("deaf-accept", accept_deaf), ("waking-accept", accept_waking)];

/// BROKEN: memory for a message that is only claimed.
fn believer() -> io::Result<()> {
    let mut length = [0; 8];
    io::stdin().read_exact(&mut length)?;
    // On 32 bits, as much as there can be.
    let length = usize::try_from(u64::from_be_bytes(length)).unwrap_or(usize::MAX);
    let mut message = vec![0; length];
    let n = io::stdin().read(&mut message)?;
    println!("{n} of {} bytes came", message.len());
    Ok(())
}

/// BROKEN: after a signal, std calls accept once more, and nobody looks at the flag.
fn accept_deaf() -> io::Result<()> {
    let listener = listening()?;
    let stopping = Arc::new(AtomicBool::new(false));
    let flag = stopping.clone();
    ctrlc::set_handler(move || flag.store(true, Ordering::SeqCst)).map_err(io::Error::other)?;
    tell(&listener)?;
    loop {
        listener.accept()?;
        if stopping.load(Ordering::SeqCst) {
            return Ok(());
        }
    }
}

/// Waits in poll, for the listener and for a socket that a stop makes readable.
fn accept_waking() -> io::Result<()> {
    let listener = listening()?;
    let shutdown = Shutdown::on_signals(DRAIN).map_err(io::Error::other)?;
    tell(&listener)?;
    let acceptor = Acceptor::new(listener, &shutdown)?;
    while acceptor.accept()?.is_some() {}
    Ok(())
}

fn listening() -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
}

fn tell(listener: &TcpListener) -> io::Result<()> {
    println!("{}", listener.local_addr()?);
    io::stdout().flush()
}

/// The child believes it.
pub fn believe_the_length() -> io::Result<Seen> {
    let command = match cfg!(unix) {
        true => {
            let mut command = Command::new("sh");
            // Where there is no such limit, the system may promise what it does not have.
            command.args(["-c", &format!("ulimit -v {MEMORY} 2>/dev/null; exec \"$0\" \"$@\"")]);
            command.arg(env::current_exe()?);
            command
        }
        false => Command::new(env::current_exe()?),
    };
    let process = start(command, "believer")?;
    if let Some(mut stdin) = process.stdin() {
        // Twelve bytes: the claim, and all that comes of it.
        stdin.write_all(&CLAIM.to_be_bytes()).and_then(|()| stdin.write_all(b"only"))?;
    }
    let Some(status) = process.wait(GENEROUS).map_err(failed)? else {
        return Ok(Err("the child does not end".into()));
    };
    let said = process.stdout().text_at_end(GENEROUS).map_err(failed)?;
    Ok(match status.success() {
        // Memory that nobody has touched is a promise; the system has given it for twelve bytes.
        true => seen(
            !cfg!(target_os = "linux"),
            format!("the process got its 64 GiB promised: {}", said.trim_end()),
        ),
        false => Ok(format!("the process asked for 64 GiB and was ended ({status})")),
    })
}

/// `netcore::frame` looks at the limit first.
pub fn check_the_length() -> io::Result<Seen> {
    let mut message = Vec::new();
    let claim = format!("{:<10}only", 9_999_999_999_u64);
    let read = frame::read(&mut claim.as_bytes(), Header::Ascii, LIMIT, &mut message);
    Ok(match read {
        Err(error) => seen(message.capacity() == 0, format!("nothing was allocated: {error}")),
        Ok(_) => Err("the claim was believed".into()),
    })
}

/// The child has to be helped.
pub fn deaf_accept() -> io::Result<Seen> {
    if cfg!(windows) {
        return Ok(Ok("there are no signals to send to another process on Windows".into()));
    }
    let (process, address) = server("deaf-accept")?;
    process.ask_to_stop();
    if process.wait(VAIN).map_err(failed)?.is_some() {
        return Ok(Err("it ended".into()));
    }
    // What wakes it is the next client, whenever that one comes.
    drop(TcpStream::connect(address)?);
    let ended = process.wait(GENEROUS).map_err(failed)?.is_some();
    Ok(seen(
        ended,
        format!("{VAIN:?} after SIGTERM it still waited; it ended when the next client came"),
    ))
}

/// The child ends by itself.
pub fn waking_accept() -> io::Result<Seen> {
    if cfg!(windows) {
        return Ok(Ok("there are no signals to send to another process on Windows".into()));
    }
    let (process, _) = server("waking-accept")?;
    let started = Instant::now();
    process.ask_to_stop();
    let ended = process.wait(GENEROUS).map_err(failed)?;
    let took = started.elapsed().max(Duration::from_millis(1));
    let well = ended.is_some_and(|status| status.success());
    Ok(seen(well, format!("it ended {took:.0?} after SIGTERM, exit code 0")))
}

fn server(role: &str) -> io::Result<(Process, SocketAddr)> {
    let process = start(Command::new(env::current_exe()?), role)?;
    let address = process.wait_for_address(GENEROUS).map_err(failed)?.inet()?;
    Ok((process, address))
}

fn start(mut command: Command, role: &str) -> io::Result<Process> {
    command.arg(role);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    Process::start(&mut command).map_err(failed)
}

fn failed(failure: Failure) -> io::Error {
    io::Error::other(failure.to_string())
}

//! A socket cannot be standard input here: a worker listens by itself, so the last one has to
//! go before the next one comes, and clients find nobody in between.

use std::io::{self, Stdin, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use netcore::listen;

/// Whether the next worker is there before the last one goes.
pub const HANDS_OVER: bool = false;

/// What a worker is held by. It notices when this is gone.
#[derive(Debug)]
pub struct Leash(ChildStdin);

impl Write for Leash {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Starts a worker. What it says can be read until it ends.
pub fn spawn(
    mut command: Command,
    _: Option<&TcpListener>,
) -> io::Result<(Child, Leash, ChildStdout)> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    match (child.stdin.take(), child.stdout.take()) {
        (Some(stdin), Some(stdout)) => Ok((child, Leash(stdin), stdout)),
        _ => Err(io::ErrorKind::BrokenPipe.into()),
    }
}

/// A socket of its own, in the worker.
pub fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    listen::tcp(&address.ip().to_string(), address.port()).map_err(io::Error::other)
}

/// What ends when the keeper lets go, in the worker.
pub fn leash() -> io::Result<Stdin> {
    Ok(io::stdin())
}

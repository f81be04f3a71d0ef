//! The limit of a long stream: splice(2) moves it from the socket through a pipe and
//! back, and nothing is copied.
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::net::{TcpListener, TcpStream};

    use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};

    /// The largest pipe that everybody may have.
    const PIPE: usize = 1 << 20;

    pub fn run() -> io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        println!("listening on {}", listener.local_addr()?);
        for stream in listener.incoming() {
            if let Err(error) = echo(&stream?) {
                eprintln!("{error}");
            }
        }
        Ok(())
    }

    fn echo(stream: &TcpStream) -> io::Result<()> {
        let (out, into) = pipe_with(PipeFlags::CLOEXEC)?;
        fcntl_setpipe_size(&into, PIPE)?;
        loop {
            let mut n = splice(stream, None, &into, None, PIPE, SpliceFlags::MOVE)?;
            if n == 0 {
                return Ok(());
            }
            while n > 0 {
                n -= splice(&out, None, stream, None, n, SpliceFlags::MOVE)?;
            }
        }
    }
}

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    linux::run()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("error: splice is Linux only");
    std::process::exit(1);
}

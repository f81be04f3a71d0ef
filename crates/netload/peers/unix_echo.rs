//! A thread for each connection to a file in the folder that it is started in, with nothing
//! but std: threads-echo with another address.
#![forbid(unsafe_code)]

use std::io;

#[cfg(unix)]
fn main() -> io::Result<()> {
    use std::io::{Read, Write};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::thread;

    fn echo(mut stream: UnixStream) -> io::Result<()> {
        let mut buf = vec![0; 64 << 10];
        loop {
            match stream.read(&mut buf)? {
                0 => return Ok(()),
                n => stream.write_all(&buf[..n])?,
            }
        }
    }

    let path = std::env::current_dir()?.join("echo.sock");
    let listener = UnixListener::bind(&path)?;
    println!("listening on unix:{}", path.display());
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || echo(stream));
    }
    Ok(())
}

#[cfg(not(unix))]
fn main() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

//! One client's error is not the end
//!
//! A server takes one client after the other, and `visit` talks to each.
//! Write the loop: serve so many clients, and return how many visits have failed.
//! An error of a visit is counted and ends nothing; only an error of `accept` does.
//!
//! Hint: A `?` behind `visit(...)` would make the error of one client the end of all.
//!
//! Hint: `if visit(stream).is_err() { failed += 1; }`, in a loop over `0..clients`.

use std::io;
use std::net::{TcpListener, TcpStream};

/// Serves so many clients, and returns how many visits have failed.
pub fn serve(
    listener: &TcpListener,
    clients: usize,
    mut visit: impl FnMut(TcpStream) -> io::Result<()>,
) -> io::Result<usize> {
    // Solution:
    let mut failed = 0;
    for _ in 0..clients {
        let (stream, _) = listener.accept()?;
        if visit(stream).is_err() {
            failed += 1;
        }
    }
    Ok(failed)
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_behind_one_that_fails_is_served() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let _clients = [1, 2, 3].map(|_| TcpStream::connect(address).unwrap());
        let mut visits = 0;
        let failed = serve(&listener, 3, |_| {
            visits += 1;
            if visits == 2 { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
        });
        assert_eq!(failed.expect("no error of a visit ends it"), 1, "so many visits failed");
        assert_eq!(visits, 3, "so many clients were served");
    }
}

//! One client's visit from beginning to end, told in the log whatever ends it.

use std::fmt::Display;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use crate::connection::{Connection, Socket};
use crate::error::reason;

/// Who ended a visit that no error ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The peer, which has sent everything.
    ByPeer,
    /// A stop of the server.
    ByStop,
}

/// Serves one client with `serve`, logs how that ended, and closes the connection in
/// stages.
///
/// An error ends this client only, and so does a panic: whoever has put a bug into a
/// reply loses one client and not the server.
pub fn visit<S: Socket>(
    mut connection: Connection<S>,
    peer: impl Display,
    serve: impl FnOnce(&mut Connection<S>) -> io::Result<()>,
) {
    log::info!("{peer} connected");
    let served = caught(|| serve(&mut connection));
    match (served, connection.ended_by_stop()) {
        (Ok(()), false) => log_end(peer, &Ok(Ended::ByPeer)),
        (Ok(()), true) => log_end(peer, &Ok(Ended::ByStop)),
        // The end that the reader of a message met was not the client's.
        (Err(error), true) if error.kind() == ErrorKind::UnexpectedEof => {
            log::warn!("{peer} dropped: the server stops in the middle of a message");
        }
        (Err(error), _) => log_end(peer, &Err(error)),
    }
    connection.close();
}

/// What [`visit`] logs at the end, for a server that has its clients' visits in another
/// form than a call.
pub fn log_end(peer: impl Display, how: &io::Result<Ended>) {
    match how {
        Ok(Ended::ByPeer) => log::info!("{peer} closed"),
        Ok(Ended::ByStop) => log::info!("{peer} closed, because the server stops"),
        Err(error) => log::warn!("{peer} dropped: {}", reason(error)),
    }
}

/// What `serve` returns; a panic in it becomes an error.
///
/// # Errors
/// Those of `serve`, and that it panicked.
pub fn caught<T>(serve: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(serve)).unwrap_or_else(|_| Err(panicked()))
}

/// As [`caught`], for what an async function does.
///
/// # Errors
/// As [`caught`].
pub async fn caught_async<T>(serve: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let mut serve = pin!(serve);
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| serve.as_mut().poll(context)));
        polled.unwrap_or_else(|_| Poll::Ready(Err(panicked())))
    })
    .await
}

fn panicked() -> io::Error {
    io::Error::other("its visit panicked")
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn a_panic_becomes_an_error_and_everything_else_stays_as_it_is() {
        assert_eq!(caught(|| Ok(1)).unwrap(), 1);
        let kind = caught(|| Err::<(), _>(ErrorKind::TimedOut.into())).unwrap_err().kind();
        assert_eq!(kind, ErrorKind::TimedOut);
        let panics = || panic!("a reply with a bug: this line in the output is expected");
        assert_eq!(caught::<()>(panics).unwrap_err().to_string(), "its visit panicked");
    }

    #[test]
    fn a_panic_after_an_await_becomes_an_error_as_well() {
        let mut paused = false;
        let mut visit = pin!(caught_async::<()>(async {
            poll_fn(|_| match std::mem::replace(&mut paused, true) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            })
            .await;
            panic!("a reply with a bug: this line in the output is expected");
        }));
        let mut context = Context::from_waker(Waker::noop());
        assert!(visit.as_mut().poll(&mut context).is_pending());
        let Poll::Ready(ended) = visit.as_mut().poll(&mut context) else { panic!("still waits") };
        assert_eq!(ended.unwrap_err().to_string(), "its visit panicked");
    }
}

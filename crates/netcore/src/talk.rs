//! The client of a conversation of lines in which both ends speak when they like.
//!
//! Nothing that is said waits for a reply, and nothing that comes waits until somebody
//! types. So one thread sends and another one reads, and the end of what is to be said is
//! not the end of what is to be heard.

use std::io::{self, BufReader, ErrorKind, Read};
use std::net::{Shutdown as Side, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::Error;
use crate::client::REPLY_TIMEOUT;
use crate::deadline::Deadline;
use crate::lines;
use crate::log::payload;
use crate::shutdown::Shutdown;
use crate::socket::is_nothing_yet;
use crate::wait::{self, Interest, Waited};

/// The end that speaks, which both threads may have.
#[derive(Debug, Clone)]
pub struct Speaker(Arc<Mutex<TcpStream>>);

impl Speaker {
    fn say(&self, line: &[u8]) -> io::Result<()> {
        // One line after the other, whoever says it.
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log::debug!("{} sending {} bytes {}", stream.peer_addr()?, line.len(), payload(line));
        Ok(lines::write(&mut *stream, usize::MAX, line)?)
    }

    /// Sends one line where the other end waits for it. If all is said, or it has gone, nobody
    /// does, and reading tells how that ends.
    ///
    /// # Errors
    /// `TimedOut` where it does not take it; `InvalidInput` where it would be several lines.
    pub fn answer(&self, line: &[u8]) -> io::Result<()> {
        match self.say(line) {
            Err(error) if is_nothing_yet(&error) => Err(ErrorKind::TimedOut.into()),
            Err(error) if error.kind() != ErrorKind::InvalidInput => Ok(()),
            done => done,
        }
    }

    fn end(&self) -> io::Result<()> {
        let stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stream.shutdown(Side::Write)
    }
}

/// The end that hears, until `over` begins: on Windows, to shut a socket down wakes nobody
/// who reads from it.
struct Hearer {
    stream: TcpStream,
    over: Shutdown,
}

impl Read for Hearer {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // Whoever never stops talking is always ready.
        let waited = match self.over.is_stopping() {
            true => Waited::Stopping,
            false => {
                wait::ready(&self.stream, Interest::Reading, Some(&self.over), Deadline::NEVER)?
            }
        };
        match waited {
            Waited::Ready => self.stream.read(buf),
            Waited::Stopping | Waited::TimedOut => Err(ErrorKind::TimedOut.into()),
        }
    }
}

/// Says all that there is to say and closes the sending side. Hands each line of at most
/// `max` bytes that comes to `hear`, at once, until the other end closes. It has
/// [`REPLY_TIMEOUT`] for that once all is said, and for taking each line.
///
/// # Errors
/// What read says, what comes that is no line, the errors of `hear`; at the end, that
/// some of the words could not be had, or were more than a line; `TimedOut`.
pub fn talk(
    stream: TcpStream,
    max: usize,
    words: impl Iterator<Item = Result<Vec<u8>, Error>> + Send + 'static,
    hear: impl FnMut(&[u8], &Speaker) -> Result<(), Error>,
) -> Result<(), Error> {
    talk_with(REPLY_TIMEOUT, stream, max, words, hear)
}

fn talk_with(
    patience: Duration,
    stream: TcpStream,
    max: usize,
    words: impl Iterator<Item = Result<Vec<u8>, Error>> + Send + 'static,
    mut hear: impl FnMut(&[u8], &Speaker) -> Result<(), Error>,
) -> Result<(), Error> {
    let cannot = || Error::failed("use the socket");
    stream.set_write_timeout(Some(patience)).map_err(cannot())?;
    let speaker = Speaker(Arc::new(Mutex::new(stream.try_clone().map_err(cannot())?)));
    let peer = stream.peer_addr().map_err(cannot())?;
    let (mouth, (wrong, went_wrong)) = (speaker.clone(), mpsc::channel());
    let over = Shutdown::new(Duration::ZERO)?;
    let hearer = Hearer { stream, over: over.clone() };
    // Closed when nobody hears any more.
    let (_hears, heard) = mpsc::channel::<()>();
    // It may wait for a person who types no more: the end of the stream does not wait for it.
    thread::Builder::new()
        .spawn(move || {
            if let Err(error) = say_all(&mouth, words) {
                // Fails where nobody listens any more.
                let _ = wrong.send(error);
            }
            // Fails where the other end has gone, which reading tells.
            let _ = mouth.end();
            // Silence is no end while there is something to say; after that, it would be for ever.
            if heard.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                let _ = wrong.send(Error::failed("hear the end")(ErrorKind::TimedOut.into()));
                over.stop();
            }
        })
        .map_err(Error::failed("start a thread"))?;
    let (mut stream, mut line) = (BufReader::new(hearer), Vec::new());
    let heard = loop {
        match lines::read(&mut stream, max, &mut line) {
            Ok(true) => {
                log::debug!("{peer} received {} bytes {}", line.len(), payload(&line));
                hear(&line, &speaker)?;
            }
            Ok(false) => break Ok(()),
            Err(error) => break Err(Error::failed("hear what is said")(error.into())),
        }
    };
    // Where we have ended the read, what it says of a line that was cut is not why.
    went_wrong.try_recv().map_or(heard, Err)
}

fn say_all(
    mouth: &Speaker,
    words: impl Iterator<Item = Result<Vec<u8>, Error>>,
) -> Result<(), Error> {
    for line in words {
        match mouth.say(&line?) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                return Err(Error::failed("say it")(error));
            }
            // The other end has gone, and reading tells how.
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Instant;

    use super::*;

    /// Ends a test that would otherwise hang.
    const GENEROUS: Duration = Duration::from_secs(30);

    /// How a short conversation ends with somebody who does `what` and does not close.
    fn talk_to(what: fn(&TcpStream), line: Vec<u8>) -> Error {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (over, is_over) = mpsc::channel::<()>();
        let other = thread::spawn(move || {
            let (socket, _) = listener.accept().unwrap();
            what(&socket);
            // Open for as long as the talk goes on.
            let _ = is_over.recv_timeout(GENEROUS);
        });
        let (started, words) = (Instant::now(), [Ok(line)].into_iter());
        let ended = talk_with(Duration::from_millis(200), stream, 100, words, |_, _| Ok(()));
        assert!(started.elapsed() < GENEROUS, "{:?}", started.elapsed());
        drop(over);
        other.join().unwrap();
        ended.unwrap_err()
    }

    #[test]
    fn who_never_ends_is_not_waited_for_when_all_is_said() {
        let silent: fn(&TcpStream) = |mut socket| drop(socket.read_to_end(&mut Vec::new()));
        let chatty: fn(&TcpStream) = |mut socket| while socket.write_all(b"and\n").is_ok() {};
        let half_a_line: fn(&TcpStream) = |mut socket| socket.write_all(b"half a li").unwrap();
        for what in [silent, chatty, half_a_line] {
            let error = talk_to(what, b"hello".into()).to_string();
            assert!(error.contains("cannot hear the end"), "{error}");
        }
    }

    /// It may ask while the last of what was said is on its way.
    #[test]
    fn what_is_asked_when_all_is_said_is_no_error() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let other = thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            socket.read_to_end(&mut Vec::new()).unwrap();
            socket.write_all(b"are you there?\nthat is all\n").unwrap();
        });
        let (words, mut last) = ([Ok(b"hello".to_vec())].into_iter(), Vec::new());
        talk_with(GENEROUS, stream, 100, words, |line, speaker| {
            last = line.to_vec();
            speaker.answer(b"yes").map_err(Error::failed("answer"))
        })
        .unwrap();
        other.join().unwrap();
        assert_eq!(last, b"that is all");
    }

    #[test]
    fn who_never_reads_holds_nobody_who_has_more_to_say_than_there_is_room_for() {
        let error = talk_to(|_| {}, vec![b'x'; 64 << 20]).to_string();
        assert!(error.contains("cannot hear the end"), "{error}");
    }
}

//! The client of a conversation of lines in which both ends speak when they like.
//!
//! Nothing that is said waits for a reply, and nothing that comes waits until somebody
//! types. So one thread sends and another one reads, and the end of what is to be said is
//! not the end of what is to be heard.

use std::io::{self, BufReader, ErrorKind};
use std::net::{Shutdown as Side, TcpStream};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use crate::Error;
use crate::lines;
use crate::log::payload;

/// The end that speaks, which both threads may have.
#[derive(Debug, Clone)]
pub struct Speaker(Arc<Mutex<TcpStream>>);

impl Speaker {
    /// Sends one line.
    ///
    /// # Errors
    /// What write says; `InvalidInput` where it would be several lines.
    pub fn say(&self, line: &[u8]) -> io::Result<()> {
        // One line after the other, whoever says it.
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log::debug!("{} sending {} bytes {}", stream.peer_addr()?, line.len(), payload(line));
        Ok(lines::write(&mut *stream, usize::MAX, line)?)
    }

    fn finish(&self) -> io::Result<()> {
        let stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stream.shutdown(Side::Write)
    }
}

/// Says all that there is to say and closes the sending side. Hands each line of at most
/// `max` bytes that comes to `hear`, at once, until the other end closes.
///
/// # Errors
/// What read says, what comes that is no line, the errors of `hear`; at the end, that
/// some of the words could not be had, or were more than a line.
pub fn talk(
    stream: TcpStream,
    max: usize,
    words: impl Iterator<Item = Result<Vec<u8>, Error>> + Send + 'static,
    mut hear: impl FnMut(&[u8], &Speaker) -> Result<(), Error>,
) -> Result<(), Error> {
    let cannot = || Error::failed("use the socket");
    let speaker = Speaker(Arc::new(Mutex::new(stream.try_clone().map_err(cannot())?)));
    let peer = stream.peer_addr().map_err(cannot())?;
    let (mouth, (wrong, went_wrong)) = (speaker.clone(), mpsc::channel());
    // It may wait for a person who types no more: the end of the stream does not wait for it.
    thread::Builder::new()
        .spawn(move || {
            if let Err(error) = say_all(&mouth, words) {
                // Fails where nobody listens any more.
                let _ = wrong.send(error);
            }
            // Fails where the other end has gone, which reading tells.
            let _ = mouth.finish();
        })
        .map_err(Error::failed("start a thread"))?;
    let (mut stream, mut line) = (BufReader::new(stream), Vec::new());
    while lines::read(&mut stream, max, &mut line)
        .map_err(|error| Error::failed("hear what is said")(error.into()))?
    {
        log::debug!("{peer} received {} bytes {}", line.len(), payload(&line));
        hear(&line, &speaker)?;
    }
    went_wrong.try_recv().map_or(Ok(()), Err)
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

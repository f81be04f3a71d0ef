//! Frames: one connection for all requests, and another one when it breaks.

use std::io::{self, BufReader, ErrorKind};
use std::net::TcpStream;
use std::time::Duration;

use netcore::cli::ClientArgs;
use netcore::client::nothing_unasked;
use netcore::codec::{Codec, DEPTH, MAX_BYTES};
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::{Error, connect};

use super::Channel;
use crate::PORT;
use crate::message::{Ask, Change, Reply, Request, Secret, VERSION};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whatever the server takes: it says what is too long.
const CODEC: Codec = Codec::new(VERSION, MAX_BYTES, DEPTH);

type Stream = BufReader<Connection<TcpStream>>;

/// The channel.
pub struct Frames {
    host: String,
    port: u16,
    token: Secret,
    stream: Option<Stream>,
    message: Vec<u8>,
}

impl Frames {
    /// Connects.
    ///
    /// # Errors
    /// As [`ClientArgs::connect`].
    pub fn new(args: &ClientArgs<PORT>, token: Secret) -> Result<Frames, Error> {
        let stream =
            Connection::of_client(args.connect()?).map_err(Error::failed("use the connection"))?;
        let stream = Some(BufReader::new(stream));
        let (host, port) = (args.host.clone(), args.port);
        Ok(Frames { host, port, token, stream, message: Vec::new() })
    }

    fn send(&mut self, key: Option<&str>, ask: &Ask) -> io::Result<Stream> {
        // What has come unasked would be taken for the answer.
        let kept = self.stream.take().map(|mut kept| nothing_unasked(&mut kept).map(|()| kept));
        let mut stream = match kept.transpose()? {
            Some(stream) => stream,
            None => {
                let stream = connect::tcp(&self.host, self.port, PATIENCE);
                // Not as it was at the beginning: somebody was there.
                let lost = |error: Error| io::Error::other(error.to_string());
                BufReader::new(Connection::of_client(stream.map_err(lost)?)?)
            }
        };
        let (token, key) = (self.token.clone(), key.map(String::from));
        CODEC.encode(&Request { token, key, ask: ask.clone() }, &mut self.message)?;
        stream.get_mut().set_deadline(Deadline::after(PATIENCE));
        CODEC.write(stream.get_mut(), &self.message)?;
        Ok(stream)
    }

    fn receive(&mut self, stream: &mut Stream) -> io::Result<Option<Reply>> {
        stream.get_mut().set_deadline(Deadline::after(PATIENCE));
        match CODEC.read::<Reply>(stream, &mut self.message)? {
            Some(reply) => Ok(Some(reply?)),
            None => Ok(None),
        }
    }
}

impl Channel for Frames {
    fn ask(&mut self, key: Option<&str>, ask: &Ask) -> io::Result<Reply> {
        let mut stream = self.send(key, ask)?;
        let reply = self.receive(&mut stream)?.ok_or(ErrorKind::UnexpectedEof)?;
        self.stream = Some(stream);
        Ok(reply)
    }

    fn follow(&mut self, since: u64, each: &mut dyn FnMut(&Change) -> bool) -> io::Result<()> {
        let mut stream = self.send(None, &Ask::Follow { since })?;
        while let Some(reply) = self.receive(&mut stream)? {
            match reply {
                Reply::Changes(changes) => {
                    if !changes.iter().all(&mut *each) {
                        break;
                    }
                }
                Reply::Nothing => {}
                Reply::Refused(why) => {
                    return Err(io::Error::new(ErrorKind::PermissionDenied, why.to_string()));
                }
                _ => return Err(ErrorKind::InvalidData.into()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn an_answer_that_nobody_has_asked_for_is_not_taken_for_the_next_one() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut answer, mut answers) = (Vec::new(), Vec::new());
            CODEC.encode(&Reply::Nothing, &mut answer).unwrap();
            CODEC.write(&mut answers, &answer).unwrap();
            // Two in one segment, and one to whoever comes then.
            for answers in [answers.repeat(2), answers] {
                let mut stream = listener.accept().unwrap().0;
                stream.read_exact(&mut [0; 1]).unwrap();
                stream.write_all(&answers).unwrap();
                // Until the client has gone.
                let _ = stream.read_to_end(&mut Vec::new());
            }
        });
        let (host, token) = ("127.0.0.1".into(), Secret(String::new()));
        let mut frames = Frames { host, port, token, stream: None, message: Vec::new() };
        frames.ask(None, &Ask::Get).unwrap();
        let error = frames.ask(None, &Ask::Get).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        // The next try begins anew.
        frames.ask(None, &Ask::Get).unwrap();
        drop(frames);
        server.join().unwrap();
    }
}

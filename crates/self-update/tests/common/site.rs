//! A place of releases that answers as a test wants it, byte by byte.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::{fs, io};

use minisign::KeyPair;
use netcore::tls::{Folder, ServerSide, Session};
use self_update::keeper::target;
use self_update::manifest::Manifest;

use super::{GENEROUS, manifest, sign};

/// Writes a whole response, or what a test has instead.
pub type Answer = Arc<dyn Fn(&mut dyn Write) -> io::Result<()> + Send + Sync>;

/// A server on a port of its own. With the last of its clones it is gone: a test of a
/// thousand rounds has one for each.
#[derive(Clone, Default)]
pub struct Site(Arc<Inner>);

#[derive(Default)]
struct Inner {
    answers: Mutex<HashMap<String, Answer>>,
    asked: Mutex<Vec<String>>,
    listening: Mutex<Vec<SocketAddr>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Wakes who waits for the next client, to find that there is no site any more.
        for address in self.listening.get_mut().unwrap() {
            drop(TcpStream::connect(*address));
        }
    }
}

/// A file, with its length.
pub fn file(bytes: impl Into<Vec<u8>>) -> Answer {
    let bytes = bytes.into();
    raw(move |to| {
        let length = bytes.len();
        write!(to, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n")?;
        to.write_all(&bytes)
    })
}

pub fn raw(write: impl Fn(&mut dyn Write) -> io::Result<()> + Send + Sync + 'static) -> Answer {
    Arc::new(write)
}

/// A connection over TLS.
struct Encrypted(Session, TcpStream);

impl Read for Encrypted {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(&mut self.1, buf)
    }
}

impl Write for Encrypted {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(&mut self.1, &[io::IoSlice::new(buf)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Site {
    /// Listens, and says where.
    pub fn start(&self) -> SocketAddr {
        self.serve(|site, mut stream| {
            // A client may have seen enough.
            thread::spawn(move || drop(site.answer(&mut stream)));
        })
    }

    fn serve(&self, answer: impl Fn(Site, TcpStream) + Send + 'static) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        self.0.listening.lock().unwrap().push(address);
        let site = Arc::downgrade(&self.0);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Some(site) = site.upgrade() else { return };
                answer(Site(site), stream.unwrap());
            }
        });
        address
    }

    /// The same over TLS, with the certificate of the server in `folder`.
    pub fn start_tls(&self, folder: &Path) -> SocketAddr {
        let side = ServerSide::from_folder(&Folder::at(folder)).unwrap();
        self.serve(move |site, stream| {
            let mut stream = Encrypted(side.session().unwrap(), stream);
            stream.1.set_read_timeout(Some(GENEROUS)).unwrap();
            if let Ok(Some(answer)) = site.answer_to(&mut stream) {
                let _ = answer(&mut stream).and_then(|()| stream.0.end(&mut stream.1));
            }
        })
    }

    pub fn answer(&self, stream: &mut TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(GENEROUS))?;
        stream.set_write_timeout(Some(GENEROUS))?;
        let Some(answer) = self.answer_to(stream)? else { return Ok(()) };
        answer(stream)
    }

    /// Reads a request, and finds what is answered to it.
    pub fn answer_to(&self, stream: &mut impl Read) -> io::Result<Option<Answer>> {
        let mut lines = BufReader::new(stream).lines();
        let Some(first) = lines.next() else { return Ok(None) };
        let path = first?.split(' ').nth(1).unwrap_or("/").trim_start_matches('/').to_string();
        for line in lines {
            if line?.is_empty() {
                break;
            }
        }
        let answer = self.0.answers.lock().unwrap().get(&path).cloned();
        self.0.asked.lock().unwrap().push(path);
        let none = raw(|to| to.write_all(b"HTTP/1.1 404 None\r\nContent-Length: 0\r\n\r\n"));
        Ok(Some(answer.unwrap_or(none)))
    }

    /// The paths that were asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.0.asked.lock().unwrap().clone()
    }

    pub fn set(&self, path: &str, answer: Answer) {
        self.0.answers.lock().unwrap().insert(path.into(), answer);
    }

    /// A manifest, signed as it is.
    pub fn offer(&self, key: &KeyPair, manifest: &Manifest) {
        let bytes = serde_json::to_vec_pretty(manifest).unwrap();
        let name = format!("{}.json", target());
        self.set(&format!("{name}.minisig"), file(sign(key, &bytes)));
        self.set(&name, file(bytes));
    }

    /// A release with all that belongs to it.
    pub fn publish(&self, key: &KeyPair, version: &str, release: &Path) -> Manifest {
        let bytes = fs::read(release).unwrap();
        let manifest = manifest(version, &bytes);
        self.set(&manifest.file, file(bytes));
        self.offer(key, &manifest);
        manifest
    }
}

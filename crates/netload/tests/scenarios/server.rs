//! Small servers in the test's own process, right ones and wrong ones, that end with
//! the test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Ends a test that would otherwise hang; no correct run comes near it.
pub const GENEROUS: Duration = Duration::from_secs(30);

/// A server that is ended and waited for on every way out of a test.
pub struct Server {
    pub address: SocketAddr,
    /// Connections, or datagrams, that were taken.
    pub taken: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Gives each connection to `visit`, in a thread of its own, with its number.
    pub fn tcp(visit: impl Fn(TcpStream, u64) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (taken, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (counter, flag) = (taken.clone(), ended.clone());
        let thread = thread::spawn(move || {
            thread::scope(|scope| {
                for stream in listener.incoming() {
                    if flag.load(Ordering::SeqCst) {
                        return;
                    }
                    let stream = stream.unwrap();
                    stream.set_read_timeout(Some(GENEROUS)).unwrap();
                    stream.set_nodelay(true).unwrap();
                    let number = counter.fetch_add(1, Ordering::SeqCst);
                    let visit = &visit;
                    scope.spawn(move || visit(stream, number));
                }
            });
        });
        Server { address, taken, ended, thread: Some(thread) }
    }

    /// Gives each datagram to `reply`, with its number, and sends back what that
    /// returns.
    pub fn udp(reply: impl Fn(Vec<u8>, u64) -> Vec<Vec<u8>> + Send + 'static) -> Server {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let (taken, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (counter, flag) = (taken.clone(), ended.clone());
        let thread = thread::spawn(move || {
            let mut buf = [0; 65_535];
            loop {
                // The other end may have gone; that comes back as an error of a later call.
                let Ok((n, peer)) = socket.recv_from(&mut buf) else { continue };
                if flag.load(Ordering::SeqCst) {
                    return;
                }
                for datagram in reply(buf[..n].to_vec(), counter.fetch_add(1, Ordering::SeqCst)) {
                    let _ = socket.send_to(&datagram, peer);
                }
            }
        });
        Server { address, taken, ended, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the thread, whichever of the two it waits for.
        let _ = TcpStream::connect(self.address);
        if let Ok(socket) = UdpSocket::bind("127.0.0.1:0") {
            let _ = socket.send_to(&[], self.address);
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Echoes until the other end closes.
pub fn echo(mut stream: TcpStream, _: u64) {
    let mut buf = [0; 4096];
    while let Ok(n @ 1..) = stream.read(&mut buf) {
        if stream.write_all(&buf[..n]).is_err() {
            return;
        }
    }
}

/// Echoes and flips one bit of the byte at `position`.
pub fn echo_flipped(mut stream: TcpStream, position: usize) {
    let mut buf = [0; 4096];
    let mut before = 0;
    while let Ok(n @ 1..) = stream.read(&mut buf) {
        if (before..before + n).contains(&position) {
            buf[position - before] ^= 4;
        }
        before += n;
        if stream.write_all(&buf[..n]).is_err() {
            return;
        }
    }
}

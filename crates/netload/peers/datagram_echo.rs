//! A datagram at a time: one recv_from and one send_to for each, as most people write
//! it.
#![forbid(unsafe_code)]

use std::io;

use netcore::listen;

fn main() -> io::Result<()> {
    // With the receive buffer of our own servers; the default one loses most of 256
    // datagrams in flight.
    let socket = listen::udp("127.0.0.1", 0).map_err(io::Error::other)?;
    println!("listening on {}", socket.local_addr()?);
    let mut buf = vec![0; 65_536];
    loop {
        let (n, peer) = socket.recv_from(&mut buf)?;
        socket.send_to(&buf[..n], peer)?;
    }
}

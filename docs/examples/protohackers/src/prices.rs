//! Problem 2: messages of nine bytes. `I` brings a price at a time, `Q` asks for the mean
//! between two times. Each client has prices of its own.

use std::collections::BTreeMap;
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::net::SocketAddr;

use netcore::connection::Connection;
use netcore::deadline::Deadline;

use crate::server::{IDLE, has_more};

/// Prices of a client at most: the bound on its memory.
const MOST: usize = 1_000_000;

/// One client.
///
/// # Errors
/// What the connection says, and that a message is none.
pub fn talk(stream: &mut Connection, _: SocketAddr) -> io::Result<()> {
    let (mut reader, mut prices) = (BufReader::new(stream), BTreeMap::new());
    loop {
        reader.get_mut().set_deadline(Deadline::after(IDLE));
        // The end of the stream is in order between two messages and nowhere else.
        if !has_more(&mut reader) {
            return reader.get_mut().check_deadline();
        }
        let mut message = [0; 9];
        reader.read_exact(&mut message)?;
        let [kind, a @ .., b1, b2, b3, b4] = message;
        let (a, b) = (i32::from_be_bytes(a), i32::from_be_bytes([b1, b2, b3, b4]));
        match kind {
            b'I' if prices.len() < MOST => drop(prices.insert(a, b)),
            b'Q' => reader.get_mut().write_all(&mean(&prices, a, b).to_be_bytes())?,
            _ => return Err(ErrorKind::InvalidData.into()),
        }
    }
}

/// The mean of the prices from one time to another, both included; 0 where there are none.
fn mean(prices: &BTreeMap<i32, i32>, from: i32, to: i32) -> i32 {
    // A range that ends before it begins would panic.
    if from > to {
        return 0;
    }
    let mut sum = (0_i64, 0_i64);
    for price in prices.range(from..=to).map(|(_, price)| *price) {
        sum = (sum.0 + i64::from(price), sum.1 + 1);
    }
    // Between the lowest and the highest of them, so it fits.
    sum.0.checked_div(sum.1).unwrap_or_default() as i32
}

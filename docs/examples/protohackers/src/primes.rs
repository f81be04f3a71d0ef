//! Problem 1: each line is an object of JSON that asks whether a number is prime. A request
//! that is none gets an answer that is none, and then the end.

use std::io::{self, BufReader, Write};
use std::net::SocketAddr;

use netcore::connection::Connection;
use serde_json::{Value, json};

use crate::server::next_line;

/// One client.
///
/// # Errors
/// What the connection says.
pub fn talk(stream: &mut Connection, _: SocketAddr) -> io::Result<()> {
    let (mut reader, mut line) = (BufReader::new(stream), Vec::new());
    while next_line(&mut reader, &mut line)? {
        let Some(prime) = asked(&line) else {
            // Any text that is no answer.
            return reader.get_mut().write_all(b"no such request\n");
        };
        let reply = json!({ "method": "isPrime", "prime": prime });
        reader.get_mut().write_all(format!("{reply}\n").as_bytes())?;
    }
    Ok(())
}

/// Whether the number of this request is prime; `None` where it is no request.
fn asked(line: &[u8]) -> Option<bool> {
    let request: Value = serde_json::from_slice(line).ok()?;
    let is_request = request.get("method")?.as_str() == Some("isPrime");
    let number = request.get("number").filter(|number| number.is_number())?;
    // What is no whole number, below 0 or beyond 64 bits is not prime, as far as is asked.
    is_request.then(|| number.as_u64().is_some_and(is_prime))
}

fn is_prime(number: u64) -> bool {
    number >= 2
        && (2..=3).all(|it| number == it || !number.is_multiple_of(it))
        // All others are one more or one less than a multiple of six.
        && (5..).step_by(6).take_while(|it: &u64| it.saturating_mul(*it) <= number).all(|it| {
            !number.is_multiple_of(it) && !number.is_multiple_of(it + 2)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_are_told_from_others() {
        let primes: Vec<u64> = (0..40).filter(|number| is_prime(*number)).collect();
        assert_eq!(primes, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37]);
        assert!(is_prime(999_983) && !is_prime(999_983 * 999_979) && !is_prime(25));
    }
}

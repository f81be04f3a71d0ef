//! What is said on a connection: requests, and which replies to them are right.

use std::rc::Rc;

use crate::pattern::Pattern;

/// One connection's requests and replies, in order.
pub trait Conversation {
    /// Appends the next request to `out`.
    fn request(&mut self, out: &mut Vec<u8>);

    /// Checks the next bytes of the oldest reply that is still awaited.
    ///
    /// # Errors
    /// What is wrong with them, as a sentence.
    fn reply(&mut self, bytes: &[u8]) -> Result<Reply, String>;
}

/// How far a reply has come with the bytes that were checked.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// All bytes belong to it and there are more to come.
    Part,
    /// It ended with the first so many bytes.
    Whole(usize),
    /// As `Whole`, and the next request goes on a new connection.
    Last(usize),
}

/// How long an [`Echo`] keeps its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visit {
    /// For one message.
    Once,
    /// For all of them.
    Stay,
}

/// Messages of one size that must come back as they are.
#[derive(Debug)]
pub struct Echo {
    pattern: Rc<Pattern>,
    size: usize,
    visit: Visit,
    sent: u64,
    received: u64,
    /// Bytes that have come of the reply in hand.
    come: usize,
}

impl Echo {
    /// The conversation of connection `number`, in messages of `size` bytes, which
    /// `pattern` must be made for.
    pub fn new(pattern: &Rc<Pattern>, number: usize, size: usize, visit: Visit) -> Echo {
        let start = pattern.start(number);
        Echo { pattern: pattern.clone(), size, visit, sent: start, received: start, come: 0 }
    }
}

impl Conversation for Echo {
    fn request(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.pattern.at(self.sent, self.size));
        self.sent += self.size as u64;
    }

    fn reply(&mut self, bytes: &[u8]) -> Result<Reply, String> {
        let n = bytes.len().min(self.size - self.come);
        if let Some((offset, got, expected)) = self.pattern.difference(self.received, &bytes[..n]) {
            let byte = self.come + offset;
            return Err(format!(
                "byte {byte} of a reply is {got:#04x} and should be {expected:#04x}"
            ));
        }
        self.received += n as u64;
        self.come += n;
        if self.come < self.size {
            return Ok(Reply::Part);
        }
        self.come = 0;
        Ok(match self.visit {
            Visit::Once => Reply::Last(n),
            Visit::Stay => Reply::Whole(n),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo(visit: Visit) -> Echo {
        Echo::new(&Rc::new(Pattern::new(10)), 3, 10, visit)
    }

    #[test]
    fn a_reply_is_right_in_whatever_parts_it_comes() {
        let mut echo = echo(Visit::Stay);
        let mut out = Vec::new();
        echo.request(&mut out);
        echo.request(&mut out);
        assert_eq!(echo.reply(&out[..4]), Ok(Reply::Part));
        assert_eq!(echo.reply(&out[4..]), Ok(Reply::Whole(6)));
        assert_eq!(echo.reply(&out[10..]), Ok(Reply::Whole(10)));
    }

    #[test]
    fn a_reply_that_belongs_to_another_request_is_wrong() {
        let mut echo = echo(Visit::Once);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        echo.request(&mut first);
        echo.request(&mut second);
        let error = echo.reply(&second).unwrap_err();
        assert!(error.starts_with("byte 0 of a reply is 0x"), "{error}");
    }
}

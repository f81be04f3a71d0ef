//! What a client is to send.

use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal, StdinLock};

use super::output::{print_bytes, tell};
use crate::Error;

/// The longest line of standard input, in bytes. Without a bound, a file without a line
/// end would take all memory before anything is sent.
const LONGEST_LINE: u64 = 16 << 20;

/// What a client sends: its arguments, or else the lines of standard input as they are
/// typed. Both may be any bytes.
///
/// On a terminal it shows a prompt, on standard error: standard output is for replies.
pub fn messages(args: &[OsString]) -> Box<dyn Iterator<Item = Result<Vec<u8>, Error>> + '_> {
    if !args.is_empty() {
        // On Unix these are the bytes that were typed; on Windows, UTF-8.
        return Box::new(args.iter().map(|message| Ok(message.as_encoded_bytes().to_vec())));
    }
    let mut typed = Typed::default();
    Box::new(std::iter::from_fn(move || {
        let at_terminal = io::stdin().is_terminal() && !typed.over;
        if at_terminal {
            tell("> ");
        }
        let line = typed.line();
        if at_terminal && typed.over {
            // Ctrl-D leaves the cursor behind the prompt, or behind the half of a line.
            tell("\n");
        }
        line.transpose()
    }))
}

/// The lines of standard input as they are typed, without a prompt: for a conversation in
/// which something may come at any time.
pub fn typed() -> impl Iterator<Item = Result<Vec<u8>, Error>> {
    let mut typed = Typed::default();
    std::iter::from_fn(move || typed.line().transpose())
}

/// Takes each of them through `exchange`, and prints the reply.
///
/// # Errors
/// What reading the message, `exchange` or printing say.
pub fn each_message(
    args: &[OsString],
    mut exchange: impl FnMut(&[u8]) -> io::Result<Vec<u8>>,
) -> Result<(), Error> {
    for message in messages(args) {
        let reply = exchange(&message?).map_err(Error::failed("get a reply"))?;
        print_bytes(&reply)?;
    }
    Ok(())
}

/// All of them as one text, with a line end between two.
///
/// # Errors
/// What reading standard input says.
pub fn all_messages(args: &[OsString]) -> Result<Vec<u8>, Error> {
    Ok(messages(args).collect::<Result<Vec<_>, _>>()?.join(&b'\n'))
}

/// Standard input. Of a terminal, when something was typed for us.
fn our_turn() -> StdinLock<'static> {
    let stdin = io::stdin();
    #[cfg(unix)]
    if stdin.is_terminal() {
        super::terminal::wait_for_a_line(&stdin);
    }
    stdin.lock()
}

/// Lines, up to the end of input.
#[derive(Default)]
struct Typed {
    /// Of a terminal, the end has to be typed, and whoever has typed it is not asked again.
    over: bool,
}

impl Typed {
    fn line(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.over {
            return Ok(None);
        }
        let line = self.next(our_turn());
        line.map_err(in_words).map_err(Error::failed("read standard input"))
    }

    fn next(&mut self, input: impl BufRead) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let n = input.take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        let ended = line.strip_suffix(b"\n");
        if n as u64 == LONGEST_LINE && ended.is_none() {
            let text = format!("a line of more than {LONGEST_LINE} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        // What comes before the end of input is a line as well.
        self.over = ended.is_none();
        let text = ended.unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        Ok((n > 0).then(|| text.to_vec()))
    }
}

/// Of an input, "would block" means that it does not wait, such as a terminal that another
/// program has left so.
fn in_words(error: io::Error) -> io::Error {
    match error.kind() {
        kind @ io::ErrorKind::WouldBlock => {
            io::Error::new(kind, "nothing there yet, and it does not wait")
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_stands_before_its_end_whatever_the_end() {
        let mut input = &b"unix\nwindows\r\n\nlast"[..];
        let mut typed = Typed::default();
        for expected in ["unix", "windows", "", "last"] {
            assert!(!typed.over);
            assert_eq!(typed.next(&mut input).unwrap().unwrap(), expected.as_bytes());
        }
        // It is not asked for more than that.
        assert!(typed.over);
        assert_eq!(typed.line().unwrap(), None);
    }

    #[test]
    fn a_line_without_an_end_is_an_error_and_does_not_take_all_memory() {
        let endless = io::BufReader::new(io::repeat(b'x'));
        assert_eq!(Typed::default().next(endless).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}

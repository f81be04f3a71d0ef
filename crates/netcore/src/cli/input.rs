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
    Box::new(std::iter::from_fn(|| {
        let at_terminal = io::stdin().is_terminal();
        if at_terminal {
            tell("> ");
        }
        let line = typed_line();
        if at_terminal && matches!(line, Ok(None)) {
            // Ctrl-D leaves the cursor behind the prompt.
            tell("\n");
        }
        line.transpose()
    }))
}

/// The lines of standard input as they are typed, without a prompt: for a conversation in
/// which something may come at any time.
pub fn typed() -> impl Iterator<Item = Result<Vec<u8>, Error>> {
    std::iter::from_fn(|| typed_line().transpose())
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

fn typed_line() -> Result<Option<Vec<u8>>, Error> {
    next_line(our_turn()).map_err(in_words).map_err(Error::failed("read standard input"))
}

fn next_line(input: impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let n = input.take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    if n as u64 == LONGEST_LINE && !line.ends_with(b"\n") {
        let text = format!("a line of more than {LONGEST_LINE} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    let text = line.strip_suffix(b"\n").unwrap_or(&line);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    Ok((n > 0).then(|| text.to_vec()))
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
        for expected in ["unix", "windows", "", "last"] {
            assert_eq!(next_line(&mut input).unwrap().unwrap(), expected.as_bytes());
        }
        assert_eq!(next_line(&mut input).unwrap(), None);
    }

    #[test]
    fn a_line_without_an_end_is_an_error_and_does_not_take_all_memory() {
        let endless = io::BufReader::new(io::repeat(b'x'));
        assert_eq!(next_line(endless).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}

//! What a talker says: a number that makes every line known, and as many bytes as are
//! asked for.

/// What every text begins with, and nothing else that a server says.
const MARK: u8 = b'~';

/// Digits of a talker's number, and of a line's.
const TALKER: usize = 3;
const LINE: usize = 10;

/// The shortest text.
pub const SHORTEST: usize = 1 + TALKER + LINE;

/// The line `number` of a talker, of `size` bytes. Lines differ in all of their bytes
/// from one to the next.
pub fn text(talker: usize, number: u64, size: usize) -> String {
    let mut text = format!("~{talker:0TALKER$}{number:0LINE$}");
    let letter = char::from(b'a' + (number % 26) as u8);
    text.extend(std::iter::repeat_n(letter, size.saturating_sub(SHORTEST)));
    text
}

/// Who has said what is at the end of this line, and the number of it; `None` where it is
/// something else that the server says.
///
/// # Errors
/// What came, where it is a text and another one than was said.
pub fn parse(line: &[u8], size: usize) -> Result<Option<(usize, u64)>, String> {
    let Some(said) = line.len().checked_sub(size).map(|at| &line[at..]) else { return Ok(None) };
    if said.first() != Some(&MARK) {
        return Ok(None);
    }
    let number = |range: std::ops::Range<usize>| {
        str::from_utf8(&said[range]).ok().and_then(|digits| digits.parse::<u64>().ok())
    };
    let known = number(1..1 + TALKER).zip(number(1 + TALKER..SHORTEST));
    let Some((talker, line)) = known else { return Ok(None) };
    let letter = b'a' + (line % 26) as u8;
    match said[SHORTEST..].iter().all(|&byte| byte == letter) {
        true => Ok(Some((talker as usize, line))),
        false => Err(format!("line {line} came with other letters than it was said with")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_wherever_it_stands_at_the_end_of_a_line() {
        let said = text(7, 41, 64);
        assert_eq!(said.len(), 64);
        assert_eq!(parse(format!("talker: {said}").as_bytes(), 64), Ok(Some((7, 41))));
        assert_eq!(parse(said.as_bytes(), 64), Ok(Some((7, 41))));
        assert_eq!(parse(b"* somebody joined", 64), Ok(None));
        let wrong = said.replace('p', "q");
        assert!(parse(wrong.as_bytes(), 64).is_err());
    }
}

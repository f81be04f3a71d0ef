//! The links themselves, which know nothing of HTTP.

use std::collections::HashMap;

/// The digits of a short name. Without those that are taken for each other when they are read
/// aloud: 0 and o, 1 and l.
const DIGITS: &[u8] = b"23456789abcdefghijkmnpqrstuvwxyz";

/// In memory only, so that they end with the server.
#[derive(Debug, Default)]
pub struct Links {
    targets: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Links {
    /// The short name of a link, which keeps it; `None` where there are `most` already.
    pub fn add(&mut self, target: &str, most: usize) -> Option<String> {
        if let Some(number) = self.numbers.get(target) {
            return Some(name(*number));
        }
        if self.targets.len() >= most {
            return None;
        }
        self.targets.push(target.into());
        self.numbers.insert(target.into(), self.targets.len() - 1);
        Some(name(self.targets.len() - 1))
    }

    /// Where a short name leads to.
    pub fn target(&self, name: &str) -> Option<&str> {
        self.targets.get(number(name)?).map(String::as_str)
    }
}

/// Whether a browser may be sent there: to another site, and to nothing that it would run.
pub fn is_link(text: &str) -> bool {
    let rest = ["http://", "https://"].iter().find_map(|start| text.strip_prefix(start));
    let is_plain = text.chars().all(|c| c.is_ascii_graphic());
    is_plain && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

/// Short names are numbers in another writing, so that none is given out twice.
fn name(mut number: usize) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(DIGITS[number % DIGITS.len()]);
        number /= DIGITS.len();
        if number == 0 {
            break;
        }
        // So that the first digit is none that means nothing: 2 and 22 are two names.
        number -= 1;
    }
    digits.reverse();
    String::from_utf8_lossy(&digits).into_owned()
}

fn number(name: &str) -> Option<usize> {
    let mut number: usize = 0;
    for (at, digit) in name.bytes().enumerate() {
        let digit = DIGITS.iter().position(|known| *known == digit)?;
        number = number.checked_add(usize::from(at > 0))?;
        number = number.checked_mul(DIGITS.len())?.checked_add(digit)?;
    }
    (!name.is_empty()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_name_of_its_own_and_is_found_by_it() {
        let names: std::collections::HashSet<String> = (0..40_000).map(name).collect();
        assert_eq!(names.len(), 40_000);
        assert!((0..40_000).all(|it| number(&name(it)) == Some(it)));
        for none in ["", "O", "a b", &"z".repeat(100)] {
            assert_eq!(number(none), None, "{none:?}");
        }
    }
}

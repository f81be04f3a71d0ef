//! What stands in a folder, and in which order it is shown.

use std::cmp::Ordering;

/// One thing in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, of whatever bytes.
    pub name: Vec<u8>,
    /// Whether it can be opened as a page of its own.
    pub kind: Kind,
    /// In bytes.
    pub size: u64,
    /// In seconds since 1970.
    pub modified: u64,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It has a page of its own.
    Folder,
    /// It has content.
    File,
}

/// How a listing is ordered, as its links ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// By what.
    pub key: Key,
    /// Which end first.
    pub direction: Direction,
}

/// What a listing is ordered by. Folders go first in each case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "their names say what they are")]
pub enum Key {
    Name,
    Size,
    Time,
}

/// Which end goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "their names say what they are")]
pub enum Direction {
    Up,
    Down,
}

impl Key {
    pub(super) const ALL: [(Key, &'static str, &'static str); 3] = [
        (Key::Name, "name", "Name"),
        (Key::Size, "size", "Size"),
        (Key::Time, "time", "Changed (UTC)"),
    ];
}

impl Order {
    /// What `?sort=` and `?order=` say; by name where they do not.
    pub fn parse(sort: Option<&str>, order: Option<&str>) -> Order {
        let key = Key::ALL
            .iter()
            .find(|(_, word, _)| sort == Some(word))
            .map_or(Key::Name, |(key, ..)| *key);
        let direction = if order == Some("down") { Direction::Down } else { Direction::Up };
        Order { key, direction }
    }

    /// The query that asks for it.
    pub(super) fn query(self) -> String {
        let word =
            Key::ALL.iter().find(|(key, ..)| *key == self.key).map_or("name", |(_, word, _)| word);
        let direction = if self.direction == Direction::Up { "up" } else { "down" };
        format!("sort={word}&order={direction}")
    }
}

/// Folders first, then as asked for; equal ones by name.
pub fn sort(entries: &mut [Entry], order: Order) {
    let by_key = |a: &Entry, b: &Entry| match order.key {
        Key::Name => natural(&a.name, &b.name),
        Key::Size => a.size.cmp(&b.size),
        Key::Time => a.modified.cmp(&b.modified),
    };
    entries.sort_by(|a, b| {
        let folders_first = (a.kind == Kind::File).cmp(&(b.kind == Kind::File));
        let keyed = by_key(a, b);
        let keyed = if order.direction == Direction::Up { keyed } else { keyed.reverse() };
        folders_first.then(keyed).then_with(|| natural(&a.name, &b.name))
    });
}

/// Numbers inside names by their value, so that 9 goes before 10; letters without their
/// case.
fn natural(a: &[u8], b: &[u8]) -> Ordering {
    let (mut rest_a, mut rest_b) = (a, b);
    loop {
        let (digits_a, digits_b) = (digits(rest_a), digits(rest_b));
        if digits_a > 0 && digits_b > 0 {
            let (number_a, number_b) =
                (significant(&rest_a[..digits_a]), significant(&rest_b[..digits_b]));
            // The longer number is the larger one; equally long ones compare as text.
            let ordered = number_a.len().cmp(&number_b.len()).then_with(|| number_a.cmp(number_b));
            if ordered != Ordering::Equal {
                return ordered;
            }
            (rest_a, rest_b) = (&rest_a[digits_a..], &rest_b[digits_b..]);
            continue;
        }
        match (rest_a.split_first(), rest_b.split_first()) {
            (Some((x, after_a)), Some((y, after_b))) => {
                let ordered = x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase());
                if ordered != Ordering::Equal {
                    return ordered;
                }
                (rest_a, rest_b) = (after_a, after_b);
            }
            // Equal but for case and leading zeros: the bytes decide.
            (None, None) => return a.cmp(b),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
        }
    }
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&digit| digit == b'0').count();
    &number[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, size: u64, modified: u64) -> Entry {
        Entry { name: name.into(), kind: Kind::File, size, modified }
    }

    fn folder(name: &str) -> Entry {
        Entry { name: name.into(), kind: Kind::Folder, size: 4096, modified: 9 }
    }

    fn sorted(mut entries: Vec<Entry>, sort_by: &str, order: &str) -> Vec<String> {
        sort(&mut entries, Order::parse(Some(sort_by), Some(order)));
        entries.iter().map(|entry| String::from_utf8_lossy(&entry.name).into_owned()).collect()
    }

    #[test]
    fn folders_go_first_and_numbers_by_their_value() {
        let entries = || {
            vec![
                file("a10", 1, 3),
                file("a9", 2, 1),
                file("B", 3, 2),
                folder("z"),
                file("a010", 1, 1),
            ]
        };
        assert_eq!(sorted(entries(), "name", "up"), ["z", "a9", "a010", "a10", "B"]);
        assert_eq!(sorted(entries(), "name", "down"), ["z", "B", "a10", "a010", "a9"]);
        assert_eq!(sorted(entries(), "size", "down"), ["z", "B", "a9", "a010", "a10"]);
        assert_eq!(sorted(entries(), "time", "up"), ["z", "a9", "a010", "B", "a10"]);
        assert_eq!(sorted(entries(), "nonsense", ""), ["z", "a9", "a010", "a10", "B"]);
    }
}

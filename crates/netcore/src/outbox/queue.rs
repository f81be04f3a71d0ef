//! The queue of one peer, without its socket.

use std::collections::VecDeque;
use std::io::IoSlice;

use super::{Line, Missed};

/// Lines that one call sends.
const AT_ONCE: usize = 64;

/// Lines in order, as far as they are not sent.
#[derive(Debug, Default)]
pub(super) struct Queue {
    lines: VecDeque<Line>,
    /// Bytes of the first line that are sent.
    begun: usize,
    /// Bytes that are sent in all.
    taken: u64,
    /// Lines for which there was no room, since the queue was empty last.
    missed: u64,
}

impl Queue {
    /// `false` when there are `most` already. Once a line is missed, so are those that
    /// follow, until everything before them is sent: one gap and not many.
    pub(super) fn push(&mut self, line: &Line, most: usize) -> bool {
        if self.missed > 0 || self.lines.len() >= most {
            self.missed += 1;
            return false;
        }
        self.lines.push_back(line.clone());
        true
    }

    /// Room or not, and behind the gap where there is one.
    pub(super) fn push_last(&mut self, line: &Line, missed: Missed) {
        if self.missed > 0 {
            self.lines.push_back(missed(std::mem::take(&mut self.missed)));
        }
        self.lines.push_back(line.clone());
    }

    pub(super) fn is_full(&self, most: usize) -> bool {
        self.lines.len() >= most
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// What is to be sent next; nothing where all is sent. A gap is told in its place.
    pub(super) fn next(&mut self, missed: Missed) -> Vec<IoSlice<'_>> {
        if self.lines.is_empty() && self.missed > 0 {
            self.lines.push_back(missed(self.missed));
            self.missed = 0;
        }
        let mut begun = self.begun;
        let lines = self.lines.iter().take(AT_ONCE);
        lines.map(|line| IoSlice::new(&line[std::mem::take(&mut begun)..])).collect()
    }

    /// So many bytes of [`next`](Queue::next) are sent.
    pub(super) fn is_taken(&mut self, bytes: usize) {
        self.taken += bytes as u64;
        self.begun += bytes;
        while let Some(first) = self.lines.front().filter(|first| first.len() <= self.begun) {
            self.begun -= first.len();
            self.lines.pop_front();
        }
    }

    /// The rest of a line of which a part is sent. Everything else is given up.
    pub(super) fn give_up(&mut self) -> Vec<u8> {
        let begun = std::mem::take(&mut self.begun);
        let rest = self.lines.front().filter(|_| begun > 0).map(|line| line[begun..].to_vec());
        self.lines.clear();
        self.missed = 0;
        rest.unwrap_or_default()
    }

    /// Everything that is left, with the gap at its end.
    pub(super) fn rest(&mut self, missed: Missed) -> Vec<u8> {
        let mut rest = Vec::new();
        self.lines.iter().for_each(|line| rest.extend_from_slice(line));
        rest.drain(..self.begun);
        if self.missed > 0 {
            rest.extend_from_slice(&missed(self.missed));
        }
        self.give_up();
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        format!("{text}\n").into_bytes().into()
    }

    fn missed(number: u64) -> Line {
        line(&format!("missed {number}"))
    }

    fn send(queue: &mut Queue, bytes: usize) -> String {
        let next: Vec<u8> = queue.next(missed).iter().flat_map(|slice| slice.to_vec()).collect();
        let sent = &next[..bytes.min(next.len())];
        let text = String::from_utf8(sent.to_vec()).unwrap();
        queue.is_taken(sent.len());
        text
    }

    #[test]
    fn lines_leave_in_the_order_in_which_they_came_however_they_are_cut() {
        for bytes in 1..10 {
            let mut queue = Queue::default();
            ["one", "two", "", "three"].iter().for_each(|text| assert!(queue.push(&line(text), 9)));
            let mut sent = String::new();
            while !queue.is_empty() {
                sent.push_str(&send(&mut queue, bytes));
            }
            assert_eq!(sent, "one\ntwo\n\nthree\n");
            assert_eq!(queue.taken(), 15);
        }
    }

    #[test]
    fn a_gap_is_told_where_it_is_and_ends_when_all_before_it_is_sent() {
        let mut queue = Queue::default();
        assert!(queue.push(&line("one"), 2) && queue.push(&line("two"), 2));
        assert!(queue.is_full(2) && !queue.push(&line("three"), 2));
        assert_eq!(send(&mut queue, 4), "one\n");
        // There is room again, and the gap goes on.
        assert!(!queue.push(&line("four"), 2));
        assert_eq!(send(&mut queue, 99), "two\n");
        assert_eq!(send(&mut queue, 99), "missed 2\n");
        assert!(queue.push(&line("five"), 2));
        assert_eq!(send(&mut queue, 99), "five\n");
    }

    #[test]
    fn what_is_left_ends_with_the_gap_and_what_is_given_up_with_a_whole_line() {
        let cut = || {
            let mut queue = Queue::default();
            let pushed = ["one", "two", "three"].map(|text| queue.push(&line(text), 2));
            assert_eq!(pushed, [true, true, false]);
            assert_eq!(send(&mut queue, 2), "on");
            queue
        };
        assert_eq!(cut().rest(missed), b"e\ntwo\nmissed 1\n");
        assert_eq!(cut().give_up(), b"e\n");
        let mut dropped = cut();
        dropped.push_last(&line("goodbye"), missed);
        assert_eq!(dropped.rest(missed), b"e\ntwo\nmissed 1\ngoodbye\n");
        let mut queue = cut();
        queue.give_up();
        assert!(queue.is_empty() && queue.rest(missed).is_empty());
    }
}

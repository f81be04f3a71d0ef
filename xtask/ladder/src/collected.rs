//! What a process writes, collected by a thread, so that it never waits for us and we
//! can wait for a part of it.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::Failure;
use crate::workers::lock;

/// Everything that has come out of a pipe so far. Clones look at the same.
#[derive(Debug, Clone)]
pub struct Collected(Arc<(Mutex<Written>, Condvar)>);

#[derive(Debug, Default)]
struct Written {
    bytes: Vec<u8>,
    ended: bool,
}

impl Collected {
    /// Collects in a thread of its own, which ends with the stream.
    pub fn from(mut reader: impl Read + Send + 'static) -> Collected {
        let collected = Collected(Arc::default());
        let filled = collected.clone();
        thread::spawn(move || {
            let mut buf = [0; 16 << 10];
            loop {
                let n = reader.read(&mut buf).unwrap_or(0);
                let mut written = lock(&filled.0.0);
                written.bytes.extend_from_slice(&buf[..n]);
                written.ended = n == 0;
                filled.0.1.notify_all();
                if written.ended {
                    return;
                }
            }
        });
        collected
    }

    /// What has ended without a word: there is no pipe.
    pub fn nothing() -> Collected {
        let collected = Collected(Arc::default());
        lock(&collected.0.0).ended = true;
        collected
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&lock(&self.0.0).bytes).into_owned()
    }

    /// Waits until `find` finds what it looks for in all that has come, for `limit` at
    /// most.
    ///
    /// # Errors
    /// What it waited for in vain: the end of the stream, or the limit.
    pub fn wait_for<T>(
        &self,
        limit: Duration,
        mut find: impl FnMut(&[u8]) -> Option<T>,
    ) -> Result<T, String> {
        let mut found = None;
        let unfinished = |written: &mut Written| {
            found = find(&written.bytes);
            found.is_none() && !written.ended
        };
        let waited = self.0.1.wait_timeout_while(lock(&self.0.0), limit, unfinished);
        let (_written, passed) = waited.unwrap_or_else(PoisonError::into_inner);
        match found {
            Some(found) => Ok(found),
            None if passed.timed_out() => Err(format!("it has not come within {limit:?}")),
            None => Err("the output ended without it".into()),
        }
    }

    /// Waits until `find` finds what it looks for in a whole line, without its end.
    pub fn wait_for_line<T>(
        &self,
        limit: Duration,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<T, String> {
        self.wait_for(limit, |bytes| whole_lines(&String::from_utf8_lossy(bytes)).find_map(&find))
    }

    /// Waits for the line behind so many others.
    pub fn line(&self, limit: Duration, number: usize) -> Result<String, String> {
        self.wait_for(limit, |bytes| {
            whole_lines(&String::from_utf8_lossy(bytes)).nth(number).map(String::from)
        })
    }

    /// Waits for the end of the stream and returns all that has come.
    pub fn wait_for_end(&self, limit: Duration) -> Result<Vec<u8>, String> {
        let waited = self.0.1.wait_timeout_while(lock(&self.0.0), limit, |written| !written.ended);
        let (written, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match written.ended {
            true => Ok(written.bytes.clone()),
            false => Err(format!("it has not ended within {limit:?}")),
        }
    }

    /// The same as text, for a tool: what is not UTF-8 is replaced.
    pub fn text_at_end(&self, limit: Duration) -> Result<String, Failure> {
        let all = self.wait_for_end(limit).map_err(Failure::new)?;
        Ok(String::from_utf8_lossy(&all).into_owned())
    }
}

/// Those that have an end, without it.
fn whole_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'))
}

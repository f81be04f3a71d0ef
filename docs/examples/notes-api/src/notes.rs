//! The notes themselves, which know nothing of HTTP.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A note as it is shown.
#[derive(Debug, Serialize)]
pub struct Note<'a> {
    /// Its number, which no other note ever has.
    pub id: u64,
    /// What was written.
    pub text: &'a str,
}

/// A note as it is sent. A field that is not known is an error: it would be a misspelt one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewNote {
    /// What is to be written.
    pub text: String,
}

/// In memory only, so that they end with the server.
#[derive(Debug, Default)]
pub struct Notes {
    texts: BTreeMap<u64, String>,
    last: u64,
}

impl Notes {
    /// Keeps a note and returns its number, or `None` where there are `most` already.
    pub fn add(&mut self, new: NewNote, most: usize) -> Option<u64> {
        if self.texts.len() >= most {
            return None;
        }
        self.last += 1;
        self.texts.insert(self.last, new.text);
        Some(self.last)
    }

    /// The note of this number.
    pub fn get(&self, id: u64) -> Option<Note<'_>> {
        self.texts.get(&id).map(|text| Note { id, text })
    }

    /// All of them, the oldest first.
    pub fn all(&self) -> Vec<Note<'_>> {
        self.texts.iter().map(|(id, text)| Note { id: *id, text }).collect()
    }

    /// Drops the note of this number, if there is one.
    pub fn forget(&mut self, id: u64) -> Option<String> {
        self.texts.remove(&id)
    }
}

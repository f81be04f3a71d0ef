//! The exercises of the chapters, proved: each solution passes its check, and what a reader
//! begins with compiles and passes none of it.
//!
//! An exercise is one file, `RUNG/N.rs` or `RUNG/N.py`, and stands in no list; the build
//! script finds it. Those in Python are run by `tests/tests/exercises`.
#![forbid(unsafe_code)]

#[cfg(test)]
include!(concat!(env!("OUT_DIR"), "/exercises.rs"));

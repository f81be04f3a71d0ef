//! What `cargo xtask watch` is told.

use std::path::PathBuf;

use clap::Parser;

#[derive(Debug, Parser)]
pub struct Options {
    /// The name or short name of the rung to begin with [default: the first one]
    #[arg(value_name = "RUNG")]
    pub rung: Option<String>,
    /// Show the page in the browser
    #[arg(long)]
    pub open: bool,
    /// Where to serve it, on 127.0.0.1; 0 takes a free port
    #[arg(short, long, default_value = "0")]
    pub port: u16,
    /// Instead: record a play of each rung for the book, into this folder
    #[arg(long, value_name = "FOLDER", hide = true)]
    pub record: Option<PathBuf>,
}

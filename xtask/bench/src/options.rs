//! What can be told to `cargo xtask bench`. xtask has this file as well: it answers
//! `--help` and completes the words without building the rest.

use clap::Parser;

/// What can be told on the command line.
#[derive(Debug, Parser)]
pub struct Options {
    /// Rungs, peers and scenarios to take; without any of a kind, all of that kind
    #[arg(value_name = "RUNG|PEER|SCENARIO")]
    pub names: Vec<String>,
    /// How often each server is measured
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), default_value_t = 5)]
    pub rounds: u16,
    /// How long each measurement lasts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), default_value_t = 1)]
    pub seconds: u16,
    /// Print one JSON document instead of tables
    #[arg(long)]
    pub json: bool,
    /// Draw the charts as well, and write them and the tables into the pages of docs/
    #[arg(long, conflicts_with = "names")]
    pub svg: bool,
}

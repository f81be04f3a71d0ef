//! What the figures were measured on, and when.

use std::fmt;
use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use ladder::process::output;
use serde::Serialize;

#[derive(Serialize)]
pub struct Machine {
    processor: String,
    cores: usize,
    system: String,
    compiler: String,
    date: String,
    pinned: bool,
}

impl Machine {
    /// This one, now. What it does not tell is `unknown`.
    pub fn look(pinned: bool) -> Machine {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor =
            cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Machine {
            processor: processor
                .map_or_else(|| said("uname", &["-m"]), |(_, model)| model.trim().to_string()),
            cores: available_parallelism().map_or(0, usize::from),
            system: said("uname", &["-s", "-r"]),
            compiler: said("rustc", &["--version"]),
            date: said("date", &["-u", "+%Y-%m-%d"]),
            pinned,
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { processor, cores, system, compiler, date, pinned } = self;
        let pinning = match pinned {
            true => "the server on one core and the load on another",
            false => "server and load not bound to cores",
        };
        write!(f, "{date}, {processor}, {cores} cores, {system}, {compiler}; loopback, {pinning}")
    }
}

fn said(program: &str, args: &[&str]) -> String {
    let said = output(Command::new(program).args(args));
    said.map_or_else(|_| "unknown".into(), |said| said.trim().to_string())
}

//! What the copier builds: by flags, or asked at a terminal.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use ladder::manifests::Package;
use ladder::{Failure, Screen, Tone, failure};

use super::{Options, extras};

/// What is wanted.
pub struct Wanted {
    pub dest: PathBuf,
    /// What it is, in a sentence.
    pub about: Option<String>,
    /// Files of tests that are left out.
    pub without: Vec<String>,
}

/// What the options say; what they leave open is asked where somebody is there to answer.
pub fn wanted(options: &Options, own: &Package, screen: &Screen) -> Result<Wanted, Failure> {
    let asks = !options.yes && io::stdin().is_terminal();
    let ask = |question: &str| if asks { answer(question, screen) } else { Ok(String::new()) };
    let dest = match &options.dest {
        Some(dest) => dest.clone(),
        None => match ask("Where? A folder beside this one, such as ../my-service: ")?.as_str() {
            "" => {
                return Err(Failure::Usage("name a folder for it, as in ../my-service".into()));
            }
            typed => typed.into(),
        },
    };
    let about = match &options.about {
        Some(about) => about.clone(),
        None => ask("What is it to be, in a sentence? (Enter: say it later) ")?,
    };
    let (gone, _) = extras::tests(own)?;
    let mut without = options.without_old_tests;
    if !without && !gone.is_empty() {
        let question =
            format!("Keep {}, which is about the old protocol? (Enter: yes; n) ", gone.join(", "));
        without = ask(&question)?.to_lowercase().starts_with('n');
    }
    let about = Some(about.trim().to_string()).filter(|about| !about.is_empty());
    Ok(Wanted { dest, about, without: if without { gone } else { Vec::new() } })
}

fn answer(question: &str, screen: &Screen) -> Result<String, Failure> {
    // Where the output goes into a file, somebody still sees it.
    let mut stderr = io::stderr().lock();
    let shown = screen.paint(Tone::Bold, question);
    write!(stderr, "{shown}").and_then(|()| stderr.flush()).map_err(Failure::output)?;
    let mut typed = String::new();
    let read = io::stdin().lock().read_line(&mut typed);
    read.map_err(|error| failure!("cannot read the answer: {error}"))?;
    Ok(typed.trim().to_string())
}

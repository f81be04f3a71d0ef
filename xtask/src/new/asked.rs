//! What the copier builds: by flags, or asked at a terminal.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use ladder::manifests::Package;
use ladder::{Failure, Screen, Tone, failure};

use super::{Options, extras};

/// What is wanted.
pub struct Wanted {
    /// What it is, in a sentence.
    pub about: Option<String>,
    /// Files of tests that are left out.
    pub without: Vec<String>,
}

/// The folder of the options, or the one that is typed.
pub fn dest(options: &Options, screen: &Screen) -> Result<PathBuf, Failure> {
    if let Some(dest) = &options.dest {
        return Ok(dest.clone());
    }
    match ask(options, screen, "Where? A folder beside this one, such as ../my-service: ")?.as_str()
    {
        "" => Err(Failure::Usage("name a folder for it, as in ../my-service".into())),
        typed => Ok(typed.into()),
    }
}

/// What the options say; what they leave open is asked where somebody is there to answer.
pub fn wanted(options: &Options, own: &Package, screen: &Screen) -> Result<Wanted, Failure> {
    let about = match &options.about {
        Some(about) => about.clone(),
        None => ask(options, screen, "What is it to be, in a sentence? (Enter: say it later) ")?,
    };
    let (gone, _) = extras::tests(own)?;
    let mut without = options.without_old_tests;
    if !without && !gone.is_empty() {
        let question = format!(
            "Keep {}, which is about the old protocol? (Enter: yes; n: no) ",
            gone.join(", ")
        );
        without = loop {
            if let Some(no) = is_no(&ask(options, screen, &question)?) {
                break no;
            }
        };
    }
    let about = Some(about.trim().to_string()).filter(|about| !about.is_empty());
    Ok(Wanted { about, without: if without { gone } else { Vec::new() } })
}

/// Whether the answer is no; `None` where it is neither that nor yes.
fn is_no(answer: &str) -> Option<bool> {
    match answer.to_lowercase().as_str() {
        "" | "y" | "yes" => Some(false),
        "n" | "no" => Some(true),
        _ => None,
    }
}

/// What is typed; nothing where nobody is there to answer.
fn ask(options: &Options, screen: &Screen, question: &str) -> Result<String, Failure> {
    if options.yes || !io::stdin().is_terminal() {
        return Ok(String::new());
    }
    // Where the output goes into a file, somebody still sees it.
    let mut stderr = io::stderr().lock();
    let shown = screen.paint(Tone::Bold, question);
    write!(stderr, "{shown}").and_then(|()| stderr.flush()).map_err(Failure::output)?;
    let mut typed = String::new();
    let read = io::stdin().lock().read_line(&mut typed);
    read.map_err(|error| failure!("cannot read the answer: {error}"))?;
    if !typed.ends_with('\n') {
        // Ctrl-D leaves the cursor behind the question.
        writeln!(stderr).map_err(Failure::output)?;
    }
    Ok(typed.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_neither_yes_nor_no_is_no_answer() {
        for (answer, no) in
            [("", Some(false)), ("Y", Some(false)), ("No", Some(true)), ("nope", None), ("?", None)]
        {
            assert_eq!(is_no(answer), no, "{answer:?}");
        }
    }
}

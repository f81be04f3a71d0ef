//! The names and passwords that are let in.

use std::io;

use netcore::secrets;

/// Those of the command line, and those of the files that it names.
///
/// # Errors
/// Which file cannot be read, and that there is nobody to let in, in a sentence.
pub fn read(given: &[String]) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    for given in given {
        match given.strip_prefix('@') {
            None => all.push(given.clone()),
            Some(path) => {
                let file = secrets::open_given(path.as_ref());
                let text = file.and_then(io::read_to_string).map_err(|error| {
                    format!("cannot read {path}: {}", netcore::error::reason(&error))
                })?;
                // Editors on Windows begin a file so.
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                all.extend(text.lines().filter(|line| !line.is_empty()).map(str::to_string));
            }
        }
    }
    if all.is_empty() && !given.is_empty() {
        return Err("--auth names files without a name and a password".into());
    }
    Ok(all)
}

//! Which name was meant by one that there is not.

use crate::screen::wrap;

/// Columns that a terminal has at least.
const WIDTH: usize = 60;

/// Names that have less in common are not taken for each other.
const NEAR: f64 = 0.8;

/// That of `names` which is most like what was typed, where one is.
pub fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let names = names.into_iter().map(|name| (strsim::jaro(typed, name), name));
    let near = names.filter(|(nearness, _)| *nearness > NEAR);
    near.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, name)| name)
}

/// All names that there are, in lines of their own, so that no terminal breaks one.
pub fn there_are(names: &[&str]) -> String {
    format!("there are\n{}", wrap(&names.join(", "), WIDTH).join("\n"))
}

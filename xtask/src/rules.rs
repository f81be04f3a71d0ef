//! Rules that the whole workspace keeps, each told with what mends it.

mod arrows;
mod manifests;
mod modules;
pub mod names;
mod sizes;

use ladder::{Failure, Ladder};

pub use sizes::is_read_as_a_step;

/// What is known to break a rule for now. Nothing is added here: a name goes when it has
/// been mended, and the check says so.
const KNOWN: &[&str] = &[];
#[derive(Debug, PartialEq, Eq)]
pub struct Broken {
    /// What breaks it, as [`KNOWN`] has it.
    what: String,
    how: String,
}

impl Broken {
    fn new(what: impl Into<String>, how: impl Into<String>) -> Broken {
        Broken { what: what.into(), how: how.into() }
    }
}

/// Every rule that is broken, in a sentence that says how to mend it.
pub fn check(ladder: &Ladder) -> Result<Vec<String>, Failure> {
    let files = names::files(&ladder.root)?;
    let mut broken = manifests::check(ladder)?;
    broken.extend(names::check(&files));
    broken.extend(sizes::check(ladder, &files)?);
    broken.extend(arrows::check(ladder)?);
    broken.extend(modules::check(ladder, &files)?);
    Ok(sorted_out(broken, KNOWN))
}

/// What is not known, and what is known in vain.
fn sorted_out(broken: Vec<Broken>, known: &[&str]) -> Vec<String> {
    let mended = known.iter().filter(|known| broken.iter().all(|it| it.what != **known));
    let mended = mended.map(|known| {
        format!("{known}: keeps the rules now; take it out of KNOWN in xtask/src/rules.rs")
    });
    let new = broken.iter().filter(|it| !known.contains(&it.what.as_str()));
    new.map(|it| format!("{}: {}", it.what, it.how)).chain(mended).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_not_told_until_it_is_mended() {
        let broken = || vec![Broken::new("a", "is large"), Broken::new("b", "is large")];
        assert_eq!(sorted_out(broken(), &["a"]), ["b: is large"]);
        assert!(sorted_out(broken(), &["a", "b", "c"])[0].starts_with("c: keeps the rules now"));
    }
}

//! Rules that the whole workspace keeps, each told with what mends it.

mod arrows;
mod manifests;
mod modules;
pub mod names;
mod sizes;

use ladder::{Failure, Ladder};

/// Every rule that is broken: by what, and how to mend it.
pub fn check(ladder: &Ladder) -> Result<Vec<String>, Failure> {
    let files = names::files(&ladder.root)?;
    let mut broken = manifests::check(ladder)?;
    broken.extend(names::check(&files));
    broken.extend(names::check_top(&files));
    broken.extend(sizes::check(ladder, &files)?);
    broken.extend(arrows::check(ladder));
    broken.extend(modules::check(ladder, &files)?);
    Ok(broken)
}

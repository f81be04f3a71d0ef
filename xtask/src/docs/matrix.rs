//! What the pages say of faults: the matrix, the list, and the limits of one rung. All
//! from the manifests; that they are true, the tests show.

use std::iter;

use ladder::blocks::table;
use ladder::manifests::Limit;
use ladder::{Ladder, Rung};
use netfault::{Fault, Transport};
use trial::Faults;

/// Faults down, rungs across: `✓`, an arrow to the rung that lifts the limit, or nothing where there is no such fault for what the rung speaks.
pub fn matrix(ladder: &Ladder, transport: Transport) -> String {
    let rungs: Vec<&Rung> =
        ladder.rungs.iter().filter(|rung| rung.speaks().transport() == transport).collect();
    let names = rungs.iter().map(|rung| format!("[{}]({}.md)", rung.alias, rung.name));
    let head: Vec<String> = iter::once("fault".into()).chain(names).collect();
    let played =
        netfault::ALL.iter().filter(|fault| rungs.iter().any(|rung| fault.is_for(rung.speaks())));
    let row = |fault: &Fault| {
        let cells = rungs.iter().map(|rung| cell(ladder, rung, fault));
        iter::once(format!("`{}`", fault.name)).chain(cells).collect()
    };
    table(&head, played.map(row))
}

fn cell(ladder: &Ladder, rung: &Rung, fault: &Fault) -> String {
    match rung.limit(fault.name) {
        _ if !fault.is_for(rung.speaks()) => String::new(),
        None => "✓".into(),
        Some(Limit { lifted_by: name, .. }) => {
            let alias = ladder.find(name).map_or(name, |rung| &rung.alias);
            // Narrow: there are many of them side by side.
            format!("[→]({name}.md \"{alias} lifts it\")")
        }
    }
}

/// Every fault with what it is, and the rungs that were made for it.
pub fn list(ladder: &Ladder) -> String {
    let row = |fault: &Fault| {
        let is_for = |rung: &&Rung| rung.why.as_ref().is_some_and(|why| why.fault == fault.name);
        let made_for = ladder.rungs.iter().filter(is_for);
        let made_for: Vec<String> = made_for.map(|rung| format!("`{}`", rung.name)).collect();
        vec![format!("`{}`", fault.name), fault.about.into(), made_for.join(", ")]
    };
    table(&["fault", "what it is", "why there is"], netfault::ALL.iter().map(row))
}

/// What a rung survives and what it does not, with links that work on `page`.
pub fn limits(rung: &Rung, page: &str) -> String {
    let in_book = page.starts_with("docs/");
    let matrix = if in_book { "fault-matrix.md" } else { "../../docs/fault-matrix.md" };
    let all = rung.faults().count();
    if rung.limits.is_empty() {
        return format!("It survives all {all} [faults]({matrix}) that there are for it.\n");
    }
    let mut groups: Vec<(&str, usize)> = Vec::new();
    for limit in &rung.limits {
        match groups.iter_mut().find(|(name, _)| *name == limit.lifted_by) {
            Some((_, faults)) => *faults += limit.faults().count(),
            None => groups.push((&limit.lifted_by, limit.faults().count())),
        }
    }
    let survived = all - groups.iter().map(|(_, faults)| faults).sum::<usize>();
    let groups = groups.into_iter().map(|(lifted_by, faults)| {
        let page = if in_book { format!("{lifted_by}.md") } else { format!("../{lifted_by}") };
        format!("[{lifted_by}]({page}) {faults}")
    });
    let groups = groups.collect::<Vec<_>>().join(", ");
    format!(
        "Of the {all} [faults]({matrix}) for it, it survives {survived}. Later rungs survive the others: {groups}.\n"
    )
}

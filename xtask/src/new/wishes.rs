//! What people want that is no rung: where each of them begins, as a table of the book has it.

use ladder::files::read;
use ladder::{Failure, Ladder};

/// The page, and what each row of the table begins with: the words that are typed.
const PAGE: &str = "docs/which-rung.md";
const ROW: &str = "| `";

/// A row: words that are typed, the rung to begin with, why, and a page that goes on from
/// there.
fn wishes(page: &str) -> impl Iterator<Item = [String; 4]> {
    page.lines().filter(|line| line.starts_with(ROW)).filter_map(|line| {
        let cells: Vec<String> = line.split('|').map(|cell| cell.trim().replace('`', "")).collect();
        let [_, words, rung, why, page, _] = cells.try_into().ok()?;
        let (name, _) = rung.strip_prefix('[')?.split_once(']')?;
        let (_, target) = page.strip_suffix(')')?.rsplit_once('(')?;
        Some([words, name.into(), why, target.into()])
    })
}

/// Where somebody begins who wants this; `None` for what nobody has thought of.
pub fn answer(ladder: &Ladder, wish: &str) -> Option<Failure> {
    let wish = wish.to_lowercase().replace(['_', ' '], "-");
    let page = read(&ladder.root.join(PAGE)).ok()?;
    let [_, name, why, page] =
        wishes(&page).find(|[words, ..]| words.split(", ").any(|word| word == wish))?;
    let alias = ladder.find(&name).map_or(&name, |rung| &rung.alias);
    Some(Failure::Usage(format!(
        "no rung is called {wish:?}, but {name} is where one begins: {why}\n\
         hint: cargo xtask new {alias} ../my-{wish}, and docs/{page} goes on from there"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wish_leads_to_a_rung_and_a_page_that_there_are_and_no_word_is_a_rung() {
        let ladder = Ladder::load().unwrap();
        let page = read(&ladder.root.join(PAGE)).unwrap();
        assert!(wishes(&page).count() > 10);
        for [words, name, _, page] in wishes(&page) {
            assert!(ladder.find(&name).is_some(), "{name}");
            assert!(ladder.root.join("docs").join(&page).is_file(), "{page}");
            for word in words.split(", ") {
                assert!(ladder.find(word).is_none(), "{word} is a rung");
            }
        }
    }

    #[test]
    fn a_wish_is_wrong_usage_and_told_where_to_begin() {
        let ladder = Ladder::load().unwrap();
        let Some(Failure::Usage(told)) = answer(&ladder, "Task_Queue") else { panic!("no answer") };
        assert!(told.contains("cargo xtask new object ../my-task-queue"), "{told}");
        assert!(answer(&ladder, "timeot").is_none());
    }
}

//! The plays that the book has of its rungs, recorded by `cargo xtask watch --record`. No two
//! of them are the same, so it is their shape that is looked at.

use std::path::Path;

use ladder::Ladder;
use ladder::files::read;
use serde_json::{Value, json};
use trial::why_not;

/// Bytes of a play. One that is longer is none that a reader watches to its end.
const LONGEST: usize = 24 << 10;

const REPAIR: &str = "cargo xtask watch --record docs/plays makes them anew";

/// Every play that is missing, is too long or could not be shown, and a list that names
/// others than there should be.
pub fn complaints(ladder: &Ladder) -> Vec<String> {
    let folder = ladder.root.join("docs/plays");
    let watched = ladder.rungs.iter().filter(|rung| why_not(rung).is_none());
    let names: Vec<&str> = watched.map(|rung| rung.name.as_str()).collect();
    let wrong = |name: &str| wrong(&folder.join(format!("{name}.json")), name);
    let mut complaints: Vec<String> = names.iter().filter_map(|name| wrong(name)).collect();
    let list = read(&folder.join("list.json")).ok().and_then(|it| serde_json::from_str(&it).ok());
    if list != Some(json!(names)) {
        complaints.push("docs/plays/list.json: it does not name what can be watched".into());
    }
    if !complaints.is_empty() {
        complaints.push(REPAIR.into());
    }
    complaints
}

fn wrong(path: &Path, rung: &str) -> Option<String> {
    let what = match read(path) {
        Err(failure) => return Some(failure.to_string()),
        Ok(text) if text.len() > LONGEST => format!("{} bytes and {LONGEST} at most", text.len()),
        Ok(text) => shape(&text, rung)?.into(),
    };
    Some(format!("docs/plays/{rung}.json: {what}"))
}

/// What is wrong with a play of `rung`, if anything is. That its events have times and are in
/// order, whoever records them sees to.
fn shape(text: &str, rung: &str) -> Option<&'static str> {
    let Ok(events) = serde_json::from_str::<Vec<Value>>(text) else {
        return Some("it is no list of events");
    };
    let is = |event: &Value, what: &str| event["what"] == what;
    match events.first() {
        Some(first) if is(first, "session") && first["rung"] == rung => {}
        _ => return Some("it does not begin with the rung"),
    }
    let passes = events.iter().any(|event| is(event, "passed") && event["bytes"].is_string());
    (!passes).then_some("nothing passes in it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_play_that_could_not_be_shown_is_told() {
        let said = |events: Value| shape(&events.to_string(), "one-echo");
        let first = json!({"t": 0, "what": "session", "rung": "one-echo"});
        let passed = json!({"t": 1, "what": "passed", "bytes": "68"});
        assert_eq!(said(json!([first, passed])), None);
        assert_eq!(said(json!({})), Some("it is no list of events"));
        assert_eq!(said(json!([passed])), Some("it does not begin with the rung"));
        assert_eq!(said(json!([])), Some("it does not begin with the rung"));
        assert_eq!(said(json!([first])), Some("nothing passes in it"));
    }

    #[test]
    fn a_play_that_there_is_not_is_told_with_what_makes_it() {
        let mut ladder = Ladder::load().unwrap();
        assert_eq!(complaints(&ladder), [""; 0]);
        let folder = tempfile::tempdir().unwrap();
        ladder.root = folder.path().into();
        let said = complaints(&ladder);
        assert!(said[0].contains("oneshot-echo.json"), "{}", said[0]);
        assert_eq!(said.last().unwrap(), REPAIR);
    }
}

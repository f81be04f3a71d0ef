//! A play of each rung, recorded for the book.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ladder::files::{create_folder, write};
use ladder::{Failure, Ladder, Rung, Screen, failure};
use netfault::Speaks;
use serde_json::{Value, json};
use trial::{Faults, why_not};

use crate::event::NetworkNow;
use crate::feed::Feed;
use crate::order::Order;
use crate::play::Play;
use crate::rungs;

/// Nothing has happened for so long: what was asked for is over.
const QUIET: Duration = Duration::from_millis(700);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// Ends a part of a play that does not come to rest, as where a server asks whether
/// somebody is there.
const LONGEST: Duration = Duration::from_secs(8);

/// A network that loses what the rungs of numbered requests live with.
const LOSSY: NetworkNow = NetworkNow { loss: 40, delay: 0, reorder: 0 };

/// Plays every rung that can be watched, and writes down what happened: a file each, and
/// their list.
pub fn run(ladder: &Arc<Ladder>, folder: &Path, screen: &Screen) -> Result<(), Failure> {
    create_folder(folder)?;
    let mut names = Vec::new();
    for rung in ladder.rungs.iter().filter(|rung| why_not(rung).is_none()) {
        let events: Vec<Value> =
            play(ladder, rung)?.into_iter().map(|it| short(it, rung)).collect();
        let lines: Vec<String> = events.iter().map(Value::to_string).collect();
        let text = format!("[\n{}\n]\n", lines.join(",\n"));
        screen.line(&format!("{}: {} events, {} bytes", rung.name, events.len(), text.len()))?;
        write(&folder.join(format!("{}.json", rung.name)), text)?;
        names.push(&rung.name);
    }
    write(&folder.join("list.json"), format!("{}\n", json!(names)))
}

/// Both clients say something, and the server is asked to stop.
fn play(ladder: &Arc<Ladder>, rung: &Rung) -> Result<Vec<Value>, Failure> {
    let feed = Arc::new(Feed::default());
    let mut play = Play::begin(ladder, rung, None, &feed, || {})?;
    settle(&mut play, &feed);
    if rung.speaks() == Speaks::Requests {
        play.follow(Order::Network(LOSSY));
    }
    let said = rungs::examples(rung);
    let word = |at: usize| said.get(at % said.len().max(1)).map_or("hello", String::as_str);
    for client in [0, 1] {
        play.follow(Order::Say { client, text: word(client).into() });
        settle(&mut play, &feed);
    }
    for client in [0, 1] {
        play.follow(Order::HangUp { client });
        settle(&mut play, &feed);
    }
    if !rung.serves_once() {
        play.follow(Order::StopServer);
        settle(&mut play, &feed);
    }
    drop(play);
    let events = feed.events().into_iter().map(|event| serde_json::from_str(&event));
    let events: Result<Vec<Value>, _> = events.collect();
    let mut events = events.map_err(|error| failure!("cannot read an event: {error}"))?;
    // Those of two processes have come in any order.
    events.sort_by_key(|event| event["t"].as_u64());
    Ok(events)
}

/// Looks until nothing has happened for a while.
fn settle(play: &mut Play, feed: &Feed) {
    let began = Instant::now();
    let (mut last, mut since) = (feed.last(), Instant::now());
    while since.elapsed() < QUIET && began.elapsed() < LONGEST {
        play.look();
        if feed.last() != last {
            (last, since) = (feed.last(), Instant::now());
        }
        thread::sleep(LOOK);
    }
}

/// Without what only the page needs, and what is of our machine.
fn short(mut event: Value, rung: &Rung) -> Value {
    if event["what"] == "session" {
        event["faults"] = json!([]);
    }
    if let Some(text) = event["text"].as_str() {
        let words: Vec<&str> = text.split(' ').map(without_folder).collect();
        event["text"] = match words.first() {
            Some(&"building") => json!(format!("cargo xtask watch {} plays it live", rung.alias)),
            _ => json!(words.join(" ")),
        };
    }
    event
}

/// Where a server listens on a file, without the folder, which is one of a moment.
fn without_folder(word: &str) -> &str {
    match word.strip_prefix("unix:").and_then(|path| path.rsplit_once('/')) {
        Some((_, file)) => file,
        None => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_play_is_recorded_in_order_and_without_what_is_of_our_machine() {
        let ladder = Arc::new(trial::load().unwrap());
        let rung = ladder.find("stopping").unwrap();
        let events: Vec<Value> =
            play(&ladder, rung).unwrap().into_iter().map(|event| short(event, rung)).collect();
        assert!(events.is_sorted_by_key(|event| event["t"].as_u64()));
        let text = Value::from(events.clone()).to_string();
        for what in ["session", "ready", "passed", "printed", "exit code 0", "plays it live"] {
            assert!(text.contains(&format!("{what}\"")), "{what}: {text}");
        }
        let path = json!({"what": "process", "text": "listening on unix:/x/y/server.sock"});
        assert_eq!(short(path, rung)["text"], "listening on server.sock");
    }
}

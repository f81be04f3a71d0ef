//! What becomes of who is pushed out, and what is told of who has left.

use super::*;

#[test]
fn who_has_made_room_for_another_is_no_news_any_more() {
    let settings = Settings { max_nodes: 20, ..Settings::default() };
    let mut table = Table::new("me".into(), 1, None, settings);
    for number in 0..1_000 {
        let name = format!("visitor-{number}").into();
        let (generation, address, left) = (1, None, false);
        let (heartbeat, quiet, first, last) = (1, 0, 1, 0);
        table.believe(&Line { name, generation, heartbeat, quiet, first, last, left, address }, 0);
    }
    assert_eq!((table.members.len(), table.news.len()), (20, 19));
}

#[test]
fn who_was_never_here_does_not_leave_however_often_it_visits() {
    let mut table = Table::new("me".into(), 1, None, Settings::default());
    let visit = |generation, left| Line {
        name: "zoe".into(),
        generation,
        heartbeat: 1,
        quiet: 0,
        first: 1,
        last: 0,
        left,
        address: None,
    };
    for life in 1..=3 {
        table.believe(&visit(life, true), 0);
        assert_eq!(table.events(), [], "visit {life}");
    }
    table.believe(&visit(4, false), 0);
    table.believe(&visit(4, true), 0);
    let both = [Event::Back("zoe".into()), Event::Left("zoe".into())];
    assert_eq!(table.events(), both);
}

//! What becomes of who is pushed out.

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

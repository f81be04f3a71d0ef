use super::*;

fn memory() -> Store {
    let place = Place { file: None, slow: Duration::ZERO, name: Some(7) };
    Store::open(place, Kept { revisions: 10, keys: 10 }).unwrap()
}

fn copied(position: u64, revision: u64, text: Option<&str>) -> Change {
    let draft = Draft { revision, text: text.map(String::from) };
    Change { position, account: "ann".into(), draft }
}

/// A log in which two of one moment were let in: every view of it comes to the same.
#[test]
fn of_two_changes_of_a_log_that_replace_the_same_the_first_counts_and_its_key_is_known() {
    let store = memory();
    let changes = vec![
        copied(3, 1, Some("first")),
        copied(4, 1, Some("second")),
        copied(6, 2, Some("third")),
        copied(8, 1, None),
    ];
    let asked = |key, revision, text| Asked { account: "ann", key: Some(key), revision, text };
    let first = asked("first", 0, Some("first"));
    let keys = ["first", "second", "third", "fourth"];
    let keys = keys.map(|key| (key.to_string(), first.fingerprint())).to_vec();
    let copy = Effect::Copy { store: 7, changes, keys };
    for _ in 0..2 {
        store.apply(&[&copy]).unwrap();
        let draft = Draft { revision: 2, text: Some("third".into()) };
        assert_eq!(store.draft("ann").unwrap(), draft);
        let texts = store.changes_of("ann", 0, 1 << 10).unwrap();
        let texts: Vec<_> = texts.into_iter().filter_map(|it| it.draft.text).collect();
        assert_eq!(texts, ["first", "third"]);
        assert_eq!(store.judge(&first).unwrap(), Verdict::Settled(Outcome::Done(1)));
        // It has lost, so nothing is known by its key; and what it replaces is gone.
        let second = asked("second", 0, Some("second"));
        assert_eq!(store.judge(&second).unwrap(), Verdict::Settled(Outcome::Conflict(draft)));
        let next = asked("next", 2, Some("fourth"));
        assert_eq!(store.judge(&next).unwrap(), Verdict::Replaces(6));
    }
}

/// A replica whose master was set up anew, under the same address.
#[test]
fn what_another_store_has_done_is_taken_over_by_no_replica_of_this_one() {
    let store = memory();
    let copy = |store, change| Effect::Copy { store, changes: vec![change], keys: Vec::new() };
    let copied_from = |number, change| store.apply(&[&copy(number, change)]).unwrap().outcomes;
    assert_eq!(copied_from(7, copied(1, 1, Some("ours"))), [Outcome::Done(1)]);
    assert_eq!(copied_from(8, copied(2, 2, Some("theirs"))), [Outcome::OtherStore]);
    let draft = Draft { revision: 1, text: Some("ours".into()) };
    assert_eq!(store.draft("ann").unwrap(), draft);
}

/// Of each account as many as it may have: what one asks for makes no other one's be forgotten.
#[test]
fn of_the_keys_of_an_account_the_last_are_known_and_no_more() {
    let store = memory();
    for account in ["ann", "bob"] {
        for revision in 0..30 {
            let (account, text) = (account.to_string(), Some("x".to_string()));
            let key = Some(format!("key-{revision}"));
            let change = Effect::Replace { account, key, revision, text };
            let applied = store.apply(&[&change]).unwrap();
            assert_eq!(applied.outcomes, [Outcome::Done(revision + 1)]);
        }
    }
    for account in ["ann", "bob"] {
        for revision in 0..30 {
            let key = format!("key-{revision}");
            let asked = Asked { account, key: Some(&key), revision, text: Some("x") };
            let known =
                store.judge(&asked).unwrap() == Verdict::Settled(Outcome::Done(revision + 1));
            assert_eq!(known, revision >= 20, "{key} of {account}");
        }
    }
}

use proptest::prelude::*;

use super::*;

fn name() -> impl Strategy<Value = Name> {
    "[a-zа-я0-9._:-]{1,20}".prop_map(Name::from)
}

fn line() -> impl Strategy<Value = Line> {
    let v4 = any::<(u32, u16)>().prop_map(|(ip, port)| (Ipv4Addr::from(ip), port).into());
    let v6 = any::<(u128, u16)>().prop_map(|(ip, port)| (Ipv6Addr::from(ip), port).into());
    let address = proptest::option::of(prop_oneof![v4, v6]);
    (name(), any::<u64>(), any::<[u32; 4]>(), any::<bool>(), address).prop_map(
        |(name, generation, [heartbeat, quiet, first, last], left, address)| Line {
            name,
            generation,
            heartbeat,
            quiet,
            first,
            last,
            left,
            address,
        },
    )
}

fn batch() -> impl Strategy<Value = Batch> {
    let notices = proptest::collection::vec((1u32..5, any::<u32>(), "\\PC{0,50}"), 0..6);
    (name(), any::<u64>(), 0u32..1_000_000, notices, 1u32..5).prop_map(
        |(name, generation, after, notices, beyond)| {
            let mut number = after;
            let notice = |(step, age, text): (u32, u32, String)| {
                number += step;
                Notice { number, age, text: text.into() }
            };
            let notices: Vec<Notice> = notices.into_iter().map(notice).collect();
            Batch { name, generation, after, upto: number + beyond, notices }
        },
    )
}

fn body() -> impl Strategy<Value = Body> {
    let (lines, batches) = (1..12usize, 0..4usize);
    (proptest::collection::vec(line(), lines), proptest::collection::vec(batch(), batches))
        .prop_map(|(lines, batches)| Body { kind: Kind::Answer, lines, batches })
}

fn plain_line() -> Line {
    let (name, generation, heartbeat, quiet) = ("bob".into(), 1, 1, 0);
    let (first, last, left, address) = (1, 0, false, None);
    Line { name, generation, heartbeat, quiet, first, last, left, address }
}

fn encoded(body: &Body) -> Vec<u8> {
    let mut bytes = Vec::new();
    body.encode(&mut bytes);
    bytes
}

proptest! {
    #[test]
    fn a_body_is_read_as_it_was_written_and_is_as_long_as_it_says(body in body()) {
        let bytes = encoded(&body);
        prop_assert_eq!(bytes.len(), body.size());
        prop_assert_eq!(Body::decode(Kind::Answer, &bytes), Some(body));
    }

    #[test]
    fn a_body_that_is_cut_or_has_something_behind_it_is_none(body in body(), at in 0usize..10_000) {
        let mut bytes = encoded(&body);
        let cut = at % bytes.len();
        prop_assert_eq!(Body::decode(Kind::Answer, &bytes[..cut]), None);
        bytes.push(0);
        prop_assert_eq!(Body::decode(Kind::Answer, &bytes), None);
    }

    #[test]
    fn any_bytes_are_a_body_or_none_and_never_the_end(
        bytes in proptest::collection::vec(any::<u8>(), 0..1_200),
    ) {
        if let Some(body) = Body::decode(Kind::Ask, &bytes) {
            prop_assert_eq!(encoded(&body), bytes);
        }
    }
}

#[test]
fn a_name_is_what_does_no_harm_on_a_terminal() {
    for good in ["ann", "Анна", "127.0.0.1:7400", "[::1]:7400", "a-b_c.d"] {
        assert!(is_name(good), "{good}");
    }
    for bad in ["", "a b", "a\u{1b}[31m", "a\n", "a\u{202e}", &"x".repeat(LONGEST_NAME + 1)] {
        assert!(!is_name(bad), "{bad:?}");
        let batch =
            Batch { name: bad.into(), generation: 1, after: 0, upto: 1, notices: Vec::new() };
        let body = Body { kind: Kind::Push, lines: vec![plain_line()], batches: vec![batch] };
        assert_eq!(Body::decode(Kind::Push, &encoded(&body)), None, "{bad:?}");
    }
}

#[test]
fn a_batch_out_of_order_or_beyond_its_own_end_is_none() {
    let notice = |number| Notice { number, age: 0, text: "x".into() };
    let batch = |numbers: &[u32], after, upto| {
        let notices = numbers.iter().map(|number| notice(*number)).collect();
        Batch { name: "ann".into(), generation: 1, after, upto, notices }
    };
    let line = plain_line();
    let is_read = |batch: Batch| {
        let body = Body { kind: Kind::Push, lines: vec![line.clone()], batches: vec![batch] };
        Body::decode(Kind::Push, &encoded(&body)).is_some()
    };
    assert!(is_read(batch(&[2, 4], 1, 5)) && is_read(batch(&[], 1, 5)));
    for wrong in [batch(&[4, 2], 1, 5), batch(&[2, 2], 1, 5), batch(&[1], 1, 5), batch(&[6], 1, 5)]
    {
        assert!(!is_read(wrong.clone()), "{wrong:?}");
    }
    assert!(!is_read(batch(&[], 5, 1)));
}

#[test]
fn a_text_that_is_too_long_for_a_notice_is_none() {
    let is_read = |length: usize| {
        let notices = vec![Notice { number: 1, age: 0, text: "x".repeat(length).into() }];
        let batch = Batch { name: "ann".into(), generation: 1, after: 0, upto: 1, notices };
        let body = Body { kind: Kind::Push, lines: vec![plain_line()], batches: vec![batch] };
        Body::decode(Kind::Push, &encoded(&body)).is_some()
    };
    assert!(is_read(LONGEST_TEXT) && !is_read(LONGEST_TEXT + 1));
}

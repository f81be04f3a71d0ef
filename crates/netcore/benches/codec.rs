//! What a typed value costs: `cargo bench -p netcore --features codec --bench codec`.

use std::hint::black_box;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use netcore::codec::{Codec, MAX_BYTES};
use serde::{Deserialize, Serialize};

/// Items of a list.
const ITEMS: [usize; 3] = [1, 100, 10_000];

const CODEC: Codec = Codec::new(1, MAX_BYTES, 8);

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Item {
    id: u64,
    name: String,
    price: Option<f64>,
}

fn main() {
    divan::main();
}

#[divan::bench(args = ITEMS)]
fn encode(bencher: Bencher, items: usize) {
    let (list, mut message) = sample(items);
    bencher
        .counter(ItemsCount::new(items))
        .counter(BytesCount::new(message.len()))
        .bench_local(|| CODEC.encode(black_box(&list), &mut message));
}

#[divan::bench(args = ITEMS)]
fn decode(bencher: Bencher, items: usize) {
    let (list, message) = sample(items);
    // What fails would be fast.
    assert!(CODEC.decode::<Vec<Item>>(&message).unwrap() == list);
    bencher
        .counter(ItemsCount::new(items))
        .counter(BytesCount::new(message.len()))
        .bench_local(|| CODEC.decode::<Vec<Item>>(black_box(&message)));
}

/// A list and its message.
fn sample(items: usize) -> (Vec<Item>, Vec<u8>) {
    let item = |number: usize| Item {
        id: number as u64 * 1_000,
        name: format!("item {number}"),
        price: (!number.is_multiple_of(3)).then_some(number as f64 / 100.0),
    };
    let list: Vec<Item> = (0..items).map(item).collect();
    let mut message = Vec::new();
    CODEC.encode(&list, &mut message).unwrap();
    (list, message)
}

//! What a frame costs: `cargo bench -p netcore --bench frame`.

use std::hint::black_box;

use divan::Bencher;
use divan::counter::BytesCount;
use netcore::frame::{self, Header};

/// Bytes of a message, from a short one to as much as the buffer of a stream takes.
const SIZES: [usize; 3] = [64, 4 << 10, 64 << 10];

fn main() {
    divan::main();
}

#[divan::bench(args = SIZES)]
fn write(bencher: Bencher, size: usize) {
    let message = vec![b'x'; size];
    let mut stream = framed(size, Header::Binary);
    bencher.counter(BytesCount::new(size)).bench_local(|| {
        stream.clear();
        frame::write(&mut stream, Header::Binary, size, black_box(&message))
    });
}

#[divan::bench(args = SIZES)]
fn read(bencher: Bencher, size: usize) {
    reads(bencher, size, Header::Binary);
}

#[divan::bench(args = SIZES)]
fn read_ascii(bencher: Bencher, size: usize) {
    reads(bencher, size, Header::Ascii);
}

fn reads(bencher: Bencher, size: usize, header: Header) {
    let stream = framed(size, header);
    let mut message = Vec::new();
    // What fails would be fast.
    assert!(
        frame::read(&mut stream.as_slice(), header, size, &mut message).unwrap()
            && message.len() == size
    );
    bencher
        .counter(BytesCount::new(size))
        .bench_local(|| frame::read(&mut black_box(stream.as_slice()), header, size, &mut message));
}

/// One message as it is on the wire.
fn framed(size: usize, header: Header) -> Vec<u8> {
    let mut stream = Vec::new();
    frame::write(&mut stream, header, size, &vec![b'x'; size]).unwrap();
    stream
}

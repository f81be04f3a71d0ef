use std::io::Read;

use protohackers::storage::Storage;

use crate::{Client, server, start};

/// The lines that answer a request, which comes in two pieces.
fn ask(client: &mut Client, request: &str, lines: usize) -> Vec<String> {
    assert_eq!(client.hear(), "READY");
    let (before, behind) = request.as_bytes().split_at(request.len() / 2);
    client.send(before);
    client.send(behind);
    (0..lines).map(|_| client.hear()).collect()
}

#[test]
fn problem_10_keeps_every_version_and_lists_files_and_folders() {
    let server = start(|listener, shutdown| {
        let storage = Storage::default();
        server::serve(listener, shutdown, |stream, peer| storage.talk(stream, peer))
    });
    let client = &mut Client::of(server.address);
    assert_eq!(ask(client, "put /a/x.txt 6\nhello\n", 1), ["OK r1"]);
    assert_eq!(ask(client, "PUT /a/x.txt 6\nhello\n", 1), ["OK r1"], "it is no new version");
    assert_eq!(ask(client, "PUT /a/x.txt 4\nREAD", 1), ["OK r2"]);
    assert_eq!(ask(client, "PUT /a/b/c 0\n", 1), ["OK r1"]);
    assert_eq!(ask(client, "PUT /a.txt 1\nx", 1), ["OK r1"]);
    assert_eq!(ask(client, "GET /a/x.txt r1\n", 2), ["OK 6", "hello"]);
    assert_eq!(ask(client, "GET /a/x.txt 2\n", 1), ["OK 4"]);
    let mut bytes = [0; 4];
    client.0.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"READ");
    assert_eq!(ask(client, "LIST /a\n", 3), ["OK 2", "b/ DIR", "x.txt r2"]);
    assert_eq!(ask(client, "list /\n", 3), ["OK 2", "a/ DIR", "a.txt r1"]);
    assert_eq!(ask(client, "LIST /none/\n", 1), ["OK 0"]);
    for (wrong, why) in [
        ("GET /a/x.txt r3\n", "ERR no such revision"),
        ("GET /a/x.txt r0\n", "ERR no such revision"),
        ("GET /a/x.txt -1\n", "ERR no such revision"),
        ("GET /none\n", "ERR no such file"),
        ("GET a\n", "ERR illegal file name"),
        ("GET /a//x.txt\n", "ERR illegal file name"),
        ("GET /a/\n", "ERR illegal file name"),
        ("PUT /a/ä 1\nx", "ERR illegal file name"),
        ("PUT /a/b 1\n\u{7}", "ERR text files only"),
        ("LIST a\n", "ERR illegal dir name"),
        ("GET\n", "ERR usage: GET file [revision]"),
        ("PUT /x\n", "ERR usage: PUT file length newline data"),
        ("LIST\n", "ERR usage: LIST dir"),
        ("help me\n", "OK usage: HELP|GET|PUT|LIST"),
    ] {
        assert_eq!(ask(client, wrong, 1), [why], "{wrong}");
    }
    assert_eq!(ask(client, "shout\n", 1), ["ERR illegal method: SHOUT"]);
    assert_eq!(client.rest(), b"");
    // Nobody can say how many bytes there would be to pass over.
    for length in ["-1", "x", "1048577", "99999999999999999999"] {
        let client = &mut Client::of(server.address);
        assert_eq!(ask(client, &format!("PUT /x {length}\n"), 1).len(), 1);
        assert_eq!(client.rest(), b"", "{length}");
    }
}

#[test]
fn problem_10_drops_half_a_file_and_knows_the_same_again_also_where_there_is_no_room() {
    let storage = Storage::default();
    let server = start(move |listener, shutdown| {
        server::serve(listener, shutdown, |stream, peer| storage.talk(stream, peer))
    });
    let mut half = Client::of(server.address);
    half.send(b"PUT /half 4\nabc");
    half.half_close();
    assert_eq!(half.rest(), b"READY\n");
    let mut client = Client::of(server.address);
    assert_eq!(client.hear(), "READY");
    client.say("GET /half");
    assert_eq!([client.hear(), client.hear()], ["ERR no such file", "READY"]);
    let mut put = |number: usize| {
        let mut data = format!("{number:<9}").into_bytes();
        data.resize(1 << 20, b'.');
        client.send(format!("PUT /large {}\n", data.len()).as_bytes());
        client.send(&data);
        [client.hear(), client.hear()]
    };
    // 64 MiB in all, of which names and lists are a part.
    for number in 1..64 {
        assert_eq!(put(number), [format!("OK r{number}"), "READY".into()]);
    }
    assert_eq!(put(64), ["ERR there is no room", "READY"]);
    assert_eq!(put(63), ["OK r63", "READY"], "it is there");
}

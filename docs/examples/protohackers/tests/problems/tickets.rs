use std::io::Read;

use protohackers::tickets::Roads;

use crate::{Client, Running, server, start};

const DAY: u32 = 86_400;

fn roads() -> Running {
    let roads = Roads::default();
    start(move |listener, shutdown| {
        server::serve(listener, shutdown, |stream, peer| roads.talk(stream, peer))
    })
}

fn camera(server: &Running, road: u16, mile: u16, limit: u16) -> Client {
    let mut camera = Client::of(server.address);
    camera.send(&[0x80]);
    for number in [road, mile, limit] {
        camera.send(&number.to_be_bytes());
    }
    camera
}

fn dispatcher(server: &Running, roads: &[u16]) -> Client {
    let mut dispatcher = Client::of(server.address);
    dispatcher.send(&[0x81, roads.len() as u8]);
    roads.iter().for_each(|road| dispatcher.send(&road.to_be_bytes()));
    dispatcher
}

fn plate(plate: &str, time: u32) -> Vec<u8> {
    [&[0x20, plate.len() as u8][..], plate.as_bytes(), &time.to_be_bytes()].concat()
}

/// The plate, the road, the two places and times, and the speed of the next ticket.
fn ticket(dispatcher: &mut Client) -> (String, u16, [(u16, u32); 2], u16) {
    let mut number = |length: usize| {
        let mut bytes = [0; 4];
        dispatcher.0.read_exact(&mut bytes[4 - length..]).unwrap();
        u32::from_be_bytes(bytes)
    };
    assert_eq!(number(1), 0x21);
    let plate = (0..number(1)).map(|_| number(1) as u8 as char).collect();
    let road = number(2) as u16;
    let places = [0, 1].map(|_| (number(2) as u16, number(4)));
    (plate, road, places, number(2) as u16)
}

#[test]
fn problem_6_gives_one_ticket_a_day_to_who_was_too_fast() {
    let server = roads();
    let (mut here, mut there) = (camera(&server, 66, 100, 60), camera(&server, 66, 110, 60));
    // Ten miles in five minutes, told in any order; in ten and a half minutes nobody is fast.
    there.send(&plate("RE05BKG", 300));
    there.send(&plate("SLOW", 630));
    here.send(&plate("RE05BKG", 0));
    here.send(&plate("SLOW", 0));
    // No dispatcher was there yet, and one of another road gets nothing.
    let mut other = dispatcher(&server, &[67]);
    let mut first = dispatcher(&server, &[1, 66]);
    let speed = 120 * 100;
    assert_eq!(ticket(&mut first), ("RE05BKG".into(), 66, [(100, 0), (110, 300)], speed));
    // The same day once more, over midnight, and two days later.
    here.send(&plate("RE05BKG", 1000));
    there.send(&plate("RE05BKG", 1300));
    here.send(&plate("RE05BKG", 2 * DAY - 100));
    there.send(&plate("RE05BKG", 2 * DAY + 200));
    here.send(&plate("RE05BKG", 2 * DAY + 1000));
    there.send(&plate("RE05BKG", 2 * DAY + 1300));
    let over_midnight = [(100, 2 * DAY - 100), (110, 2 * DAY + 200)];
    assert_eq!(ticket(&mut first), ("RE05BKG".into(), 66, over_midnight, speed));
    here.send(&plate("NEXT", u32::MAX));
    there.send(&plate("NEXT", u32::MAX - 300));
    let last = [(110, u32::MAX - 300), (100, u32::MAX)];
    assert_eq!(ticket(&mut first), ("NEXT".into(), 66, last, speed));
    other.half_close();
    assert_eq!(other.rest(), b"");
}

#[test]
fn problem_6_beats_as_often_as_was_asked_and_shows_out_who_is_out_of_turn() {
    let server = roads();
    let mut client = Client::of(server.address);
    client.send(&[0x40, 0, 0, 0, 1]);
    let mut beats = [0; 3];
    client.0.read_exact(&mut beats).unwrap();
    assert_eq!(beats, [0x41; 3]);
    // Not twice; no sightings of who is no camera; nobody is both; and no such message.
    client.send(&[0x40, 0, 0, 0, 1]);
    let mut dispatcher = dispatcher(&server, &[1]);
    dispatcher.send(&plate("X", 1));
    let mut both = camera(&server, 1, 1, 1);
    both.send(&[0x81, 0]);
    let mut nobody = Client::of(server.address);
    nobody.send(&[7]);
    for client in [&mut client, &mut dispatcher, &mut both, &mut nobody] {
        let said: Vec<u8> = client.rest().into_iter().skip_while(|byte| *byte == 0x41).collect();
        assert_eq!((said[0], said[1] as usize), (0x10, said.len() - 2), "{said:?}");
    }
}

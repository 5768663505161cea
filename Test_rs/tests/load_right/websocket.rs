//! WebSocket, against a server of one's own making.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use patchbay_contracts::integration::{LoadSpec, Protocol};
use patchbay_load::{
    Target,
    script::{
        Answer, Body, Inspect, Script,
        template::{Escape, Part, Source, Template, Values},
    },
};
use patchbay_tests::load::{closed, open, run, target};

use crate::lab::{Counting, alone, get, good, script};

/// SHA-1 (RFC 3174), which nothing here has otherwise.
fn sha1(text: &[u8]) -> [u8; 20] {
    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let mut bytes = text.to_vec();
    bytes.push(0x80);
    while bytes.len() % 64 != 56 {
        bytes.push(0);
    }
    bytes.extend_from_slice(&(text.len() as u64 * 8).to_be_bytes());
    for block in bytes.chunks(64) {
        let mut words: Vec<u32> = block.chunks(4).map(|word| u32::from_be_bytes(word.try_into().unwrap())).collect();
        for at in 16..80 {
            words.push((words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (at, word) in words.into_iter().enumerate() {
            let (mixed, constant) = match at / 20 {
                0 => (b & c | !b & d, 0x5a82_7999_u32),
                1 => (b ^ c ^ d, 0x6ed9_eba1),
                2 => (b & c | b & d | c & d, 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6),
            };
            let next = a.rotate_left(5).wrapping_add(mixed).wrapping_add(e).wrapping_add(constant).wrapping_add(word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (sum, more) in state.iter_mut().zip([a, b, c, d, e]) {
            *sum = sum.wrapping_add(more);
        }
    }
    let mut digest = [0; 20];
    for (place, word) in digest.chunks_mut(4).zip(state) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

/// What the server saw.
#[derive(Default)]
struct Seen {
    heads: Vec<String>,
    messages: Vec<(u8, Vec<u8>)>,
    pongs: Vec<Vec<u8>>,
    closes: usize,
    masks: BTreeSet<[u8; 4]>,
}

struct Echo {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

/// What goes out for a message, given its opcode, its bytes and its number on its connection.
type Replying = dyn Fn(u8, &[u8], u64) -> Vec<u8> + Send + Sync;

fn echo(reply: impl Fn(u8, &[u8], u64) -> Vec<u8> + Send + Sync + 'static) -> Echo {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::<Mutex<Seen>>::default();
    let own = Arc::clone(&seen);
    let reply: Arc<Replying> = Arc::new(reply);
    thread::spawn(move || {
        for stream in listener.incoming().take(10_000).flatten() {
            let (seen, reply) = (Arc::clone(&own), Arc::clone(&reply));
            thread::spawn(move || drop(serve(stream, &seen, &*reply)));
        }
    });
    Echo { address, seen }
}

fn serve(mut stream: TcpStream, seen: &Mutex<Seen>, reply: &Replying) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap_or_default().to_owned();
    seen.lock().unwrap().heads.push(head);
    let accept = STANDARD.encode(sha1(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11").as_bytes()));
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes())?;
    let mut number = 0;
    loop {
        let mut start = [0; 2];
        stream.read_exact(&mut start)?;
        assert!(start[1] & 0x80 != 0, "frames of clients are masked");
        let length = match start[1] & 0x7f {
            126 => {
                let mut long = [0; 2];
                stream.read_exact(&mut long)?;
                usize::from(u16::from_be_bytes(long))
            }
            127 => {
                let mut long = [0; 8];
                stream.read_exact(&mut long)?;
                u64::from_be_bytes(long) as usize
            }
            short => usize::from(short),
        };
        let mut mask = [0; 4];
        stream.read_exact(&mut mask)?;
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload)?;
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        let opcode = start[0] & 0x0f;
        {
            let mut seen = seen.lock().unwrap();
            seen.masks.insert(mask);
            match opcode {
                8 => seen.closes += 1,
                10 => seen.pongs.push(payload.clone()),
                _ => seen.messages.push((opcode, payload.clone())),
            }
        }
        match opcode {
            8 => return Ok(()),
            10 => {}
            _ => {
                number += 1;
                stream.write_all(&reply(opcode, &payload, number))?;
            }
        }
    }
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..=125 => bytes.push(length as u8),
        length @ 126..=0xffff => {
            bytes.push(126);
            bytes.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            bytes.push(127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(payload);
    bytes
}

fn over(spec: LoadSpec, iterations: u64) -> LoadSpec {
    LoadSpec { protocol: Protocol::WebSocket, iterations: Some(iterations), ..spec }
}

/// Checks that an answer is what was expected.
struct Expects(Vec<u8>);

impl Inspect for Expects {
    fn inspect(&self, answer: &Answer<'_>, _: &mut Values) -> Result<(), String> {
        if answer.body == self.0 { Ok(()) } else { Err(format!("{} bytes came", answer.body.len())) }
    }
}

/// A message to it, and the answer that is expected.
fn message(address: SocketAddr, body: &[u8], expected: &[u8]) -> Script {
    let mut step = get("/chat?room=1");
    step.body = Body::Bytes(Template::fixed(body));
    step.inspect = Some(Arc::new(Expects(expected.to_vec())));
    Script { steps: vec![step], ..script(address) }
}

#[test]
fn messages_are_answered_by_messages() {
    let _alone = alone();
    for length in [0, 5, 125, 126, 200, 65_535, 65_536, 900_000] {
        let body: Vec<u8> = b"some text ".iter().copied().cycle().take(length).collect();
        let server = echo(|opcode, payload, _| frame(0x80 | opcode, payload));
        for spec in [closed(3, 20_000), LoadSpec { connections: Some(3), ..open(200.0, 20_000) }] {
            let report = run(message(server.address, &body, &body), &over(spec, 30));
            assert_eq!((report.totals.answered, report.totals.failed), (30, 0), "{length}: {:?}", report.errors);
            assert!(report.totals.connects <= 3 && report.statuses.is_empty(), "{length}: {:?}", report.statuses);
        }
        let seen = server.seen.lock().unwrap();
        assert!(seen.messages.iter().all(|(opcode, bytes)| *opcode == 1 && *bytes == body), "{length}");
        assert!(seen.heads[0].starts_with("GET /chat?room=1 HTTP/1.1\r\nHost: 127.0.0.1:"), "{:?}", seen.heads[0]);
        assert!(seen.masks.len() >= 50, "{length}: each frame has a mask of its own, {}", seen.masks.len());
    }
}

#[test]
fn each_connection_has_a_key_of_its_own() {
    let _alone = alone();
    let server = echo(|opcode, payload, _| frame(0x80 | opcode, payload));
    let report = run(message(server.address, b"hello", b"hello"), &over(LoadSpec { keep_alive: false, ..closed(4, 20_000) }, 40));
    assert_eq!((report.totals.answered, report.totals.failed), (40, 0), "{:?}", report.errors);
    let seen = server.seen.lock().unwrap();
    assert!(seen.heads.len() >= 40, "{} connections for 40 messages", seen.heads.len());
    let keys: BTreeSet<&str> =
        seen.heads.iter().filter_map(|head| head.lines().find(|line| line.starts_with("Sec-WebSocket-Key"))).collect();
    assert_eq!(keys.len(), seen.heads.len(), "RFC 6455, 4.1: chosen at random for each connection");
}

#[test]
fn messages_come_in_pieces_with_pings_between() {
    let _alone = alone();
    let long = vec![b'l'; 300_000];
    let expected = [b"first ".as_slice(), &long, b" last"].concat();
    let server = echo(move |_, _, _| {
        [
            frame(0x01, b"first "),
            frame(0x89, b"are you there"),
            frame(0x00, &long),
            frame(0x8a, b""),
            frame(0x00, b""),
            frame(0x80, b" last"),
        ]
        .concat()
    });
    let report = run(message(server.address, b"go", &expected), &over(closed(2, 20_000), 20));
    assert_eq!((report.totals.answered, report.totals.failed), (20, 0), "{:?}", report.errors);
    let pongs = server.seen.lock().unwrap().pongs.clone();
    assert!(pongs.len() >= 18 && pongs.iter().all(|pong| pong == b"are you there"), "{} pongs", pongs.len());
}

#[test]
fn a_connection_that_is_closed_is_replaced() {
    let _alone = alone();
    // Each third answer is followed by a close.
    let server = echo(|opcode, payload, number| {
        let close = if number % 3 == 0 { frame(0x88, &[3, 232]) } else { Vec::new() };
        [frame(0x80 | opcode, payload), close].concat()
    });
    let pauses = LoadSpec { think_time: Some("10ms".parse().unwrap()), ..closed(2, 20_000) };
    for (name, spec) in [("closed", closed(2, 20_000)), ("open", open(100.0, 20_000)), ("pauses", pauses)] {
        let before = server.seen.lock().unwrap().closes;
        let report = run(message(server.address, b"hello", b"hello"), &over(spec, 60));
        assert_eq!((report.totals.answered, report.totals.failed), (60, 0), "{name}: {:?}", report.errors);
        assert!(report.totals.connects >= 18, "{name}: {:?}", report.totals);
        assert!(server.seen.lock().unwrap().closes - before >= 15, "{name}: a close is answered by one");
    }
}

#[test]
fn bytes_that_are_no_text_go_as_bytes() {
    let _alone = alone();
    let server = echo(|opcode, payload, _| frame(0x80 | opcode, payload));
    let report = run(message(server.address, &[0, 255, 254], &[0, 255, 254]), &over(closed(1, 20_000), 5));
    assert_eq!(report.totals.answered, 5, "{:?}", report.errors);
    assert!(server.seen.lock().unwrap().messages.iter().all(|(opcode, _)| *opcode == 2));
}

#[test]
fn messages_have_values() {
    let _alone = alone();
    let server = echo(|opcode, payload, _| frame(0x80 | opcode, payload));
    let mut step = get("/");
    step.body = Body::Bytes(Template::new(vec![Part::Text(b"n=".to_vec()), Part::Value(Source::Iteration, Escape::None)]));
    let report = run(&Script { steps: vec![step], ..script(server.address) }, &over(closed(3, 20_000), 30));
    assert_eq!(report.totals.answered, 30, "{:?}", report.errors);
    let messages: BTreeSet<Vec<u8>> = server.seen.lock().unwrap().messages.iter().map(|(_, bytes)| bytes.clone()).collect();
    assert_eq!(messages, (1..=30).map(|n| format!("n={n}").into_bytes()).collect());
}

#[test]
fn a_service_that_does_not_take_it_up_says_so() {
    let _alone = alone();
    let server = Counting::start(|_| good("hello"));
    let report = run(
        &Target { path: "/".into(), ..target(server.address) },
        &LoadSpec { protocol: Protocol::WebSocket, ..closed(1, 300) },
    );
    assert_eq!(report.totals.answered, 0);
    assert!(report.errors[0].example.contains("101"), "{:?}", report.errors);
}

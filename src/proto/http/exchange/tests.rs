//! Conversations whole, byte by byte, and cut at every place.

mod conversations;
mod generated;

use super::*;

/// Bytes of a conversation in one direction.
#[derive(Clone, Copy, Debug)]
enum Side<'a> {
    Sent(&'a [u8]),
    Received(&'a [u8]),
}

use Side::{Received, Sent};

impl<'a> Side<'a> {
    fn bytes(self) -> &'a [u8] {
        match self {
            Sent(bytes) | Received(bytes) => bytes,
        }
    }

    fn with(self, bytes: &[u8]) -> Side<'_> {
        match self {
            Sent(_) => Sent(bytes),
            Received(_) => Received(bytes),
        }
    }
}

/// All that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    speech: Speech,
    unseen: (u64, u64),
    is_complete: bool,
    is_sent_whole: bool,
    has_answer: bool,
    end: Result<(), Cut>,
}

fn known(exchanges: &Exchanges) -> Known {
    Known {
        speech: exchanges.speech(),
        unseen: (exchanges.unseen_sent(), exchanges.unseen_received()),
        is_complete: exchanges.is_complete(),
        is_sent_whole: exchanges.is_sent_whole(),
        has_answer: exchanges.has_answer(),
        end: exchanges.server_ended(),
    }
}

fn take(exchanges: &mut Exchanges, side: Side) {
    match side {
        Sent(bytes) => exchanges.see_sent(bytes),
        Received(bytes) => exchanges.see_received(bytes),
    }
}

/// Counts what need not be seen, and shows the rest.
fn skip(exchanges: &mut Exchanges, side: Side) {
    let mut rest = side.bytes();
    while !rest.is_empty() {
        let unseen = match side {
            Sent(_) => exchanges.unseen_sent(),
            Received(_) => exchanges.unseen_received(),
        };
        let count = unseen.min(rest.len() as u64);
        match side {
            _ if count == 0 => take(exchanges, side.with(&rest[..1])),
            Sent(_) => exchanges.skip_sent(count),
            Received(_) => exchanges.skip_received(count),
        }
        rest = &rest[(count as usize).max(1)..];
    }
}

/// Plays a conversation whole, byte by byte, cut at each of the first places, and with as much
/// unseen as can be; gives what is known in the end, which is the same for all.
#[track_caller]
fn play(script: &[Side]) -> Known {
    let mut whole = Exchanges::new();
    script.iter().for_each(|side| take(&mut whole, *side));
    let (mut bytes, mut unseen) = (Exchanges::new(), Exchanges::new());
    for side in script {
        let single = side.bytes().chunks(1);
        single.for_each(|byte| take(&mut bytes, side.with(byte)));
        skip(&mut unseen, *side);
    }
    assert_eq!(known(&whole), known(&bytes), "byte by byte: {script:?}");
    assert_eq!(known(&whole), known(&unseen), "unseen: {script:?}");
    for (which, side) in script.iter().enumerate() {
        for at in 0..side.bytes().len().min(200) {
            let (head, tail) = side.bytes().split_at(at);
            let mut cut = Exchanges::new();
            script[..which]
                .iter()
                .for_each(|side| take(&mut cut, *side));
            take(&mut cut, side.with(head));
            take(&mut cut, side.with(tail));
            let after = &script[which + 1..];
            after.iter().for_each(|side| take(&mut cut, *side));
            assert_eq!(known(&whole), known(&cut), "cut at {at}: {script:?}");
        }
    }
    known(&whole)
}

fn talk(sent: &str, received: &str) -> Known {
    play(&[Sent(sent.as_bytes()), Received(received.as_bytes())])
}

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

#[test]
fn a_request_is_recognised_by_its_first_line() {
    let long = format!("GET /{} HTTP/1.1\n", "x".repeat(60_000));
    for line in [
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.0\n",
        "\r\n\n\r\nGET / HTTP/1.1\r\n",
        "M-SEARCH * HTTP/1.1\r\n",
        "POST http://h:80/a?b=c%20d HTTP/1.1\r\n",
        "CONNECT h:443 HTTP/1.1\r\n",
        "get /é HTTP/1.9 \r\n",
        &long,
    ] {
        assert_eq!(talk(line, "").speech, Speech::Http, "{line:?}");
    }
}

#[test]
fn no_other_first_line_is_a_request() {
    let long = format!("GET /{} HTTP/1.1\n", "x".repeat(66_000));
    let method = format!("{} / HTTP/1.1\n", "X".repeat(33));
    for line in [
        "GET /\r\n",
        "GET  HTTP/1.1\r\n",
        "GET / HTTP/2.0\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.\r\n",
        "GET / HTTP/1.10\r\n",
        "HTTP/1.1\n",
        "OPTIONS rtsp://h RTSP/1.0\r\n",
        " GET / HTTP/1.1\r\n",
        "GET /\x1b HTTP/1.1\r\n",
        "EHLO me\r\n",
        "hello world\n",
        "\x16\x03\x01",
        "\r\r\n",
        "[",
        &long,
        &method,
        &method[..33],
    ] {
        let known = talk(line, "HTTP/1.1 204 No\r\n\r\n");
        assert_eq!(known.speech, Speech::Other, "{line:?}");
        assert_eq!(known.unseen, (u64::MAX, u64::MAX));
        assert!(!known.is_complete && known.end == Ok(()));
    }
    for begun in ["", "\r", "\n", "G", "GET", "GET / HTTP/1.1", "hello world"] {
        let known = talk(begun, "");
        assert_eq!(known.speech, Speech::Unknown, "{begun:?}");
        assert!(!known.is_complete && !known.is_sent_whole && known.end == Ok(()));
    }
}

#[test]
fn a_server_that_speaks_first_speaks_no_http() {
    let banner = Received(b"220 ready\r\n");
    for script in [
        &[banner, Sent(GET.as_bytes())][..],
        &[Sent(b"GET "), banner],
    ] {
        assert_eq!(play(script).speech, Speech::Other);
    }
}

#[test]
fn an_answer_is_complete_where_its_head_says() {
    let complete = [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.0 200 OK\nContent-Length: 5\n\nhello",
        "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length:5, 5\r\n\r\nhello",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200\nTransfer-Encoding: chunked\n\n1;a=b\nx\n0A  \n0123456789\n000\nT: r\n\n",
    ];
    let incomplete = [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nab",
        "HTTP/1.1 200 OK\r\n\r\nuntil the end",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: r\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    ];
    let complete = complete.map(|answer| (answer, true)).into_iter();
    for (answer, wanted) in complete.chain(incomplete.map(|answer| (answer, false))) {
        let known = talk(GET, answer);
        assert_eq!(known.is_complete, wanted, "{answer:?}");
        assert_eq!(known.speech, Speech::Http, "{answer:?}");
        assert!(known.has_answer && known.is_sent_whole);
        for len in 0..answer.len() {
            let known = talk(GET, &answer[..len]);
            assert!(!known.is_complete, "{:?}", &answer[..len]);
            assert_eq!(known.has_answer, len > 0);
        }
    }
}

#[test]
fn an_answer_to_head_has_no_body() {
    for length in [
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "",
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{length}\r\n");
        assert!(talk("HEAD / HTTP/1.1\r\n\r\n", &answer).is_complete);
        assert!(!talk("head / HTTP/1.1\r\n\r\n", &answer).is_complete);
    }
}

#[test]
fn answers_that_are_no_http_end_it() {
    for answer in [
        "hello",
        "\r\r",
        "HTTP/2 200\r\n",
        "ICY 200 OK\r\n",
        "HTTP/1.1 2000 OK\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n",
        // Nothing was asked that the second could answer.
        "HTTP/1.1 204 No\r\n\r\nHTTP/1.1 408 Request Timeout\r\n",
        "HTTP/1.1 204 No\r\n\r\nH",
        &format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(66_000)),
    ] {
        let known = talk(GET, answer);
        assert_eq!(known.speech, Speech::Other, "{answer:?}");
        assert!(!known.is_complete && known.end == Ok(()));
    }
}

#[test]
fn a_tunnel_is_not_followed() {
    let connect = "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n";
    let known = talk(connect, "HTTP/1.1 200 Connection established\r\n\r\n");
    assert_eq!(known.speech, Speech::Other);
    let refusal = "HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno";
    assert!(talk(connect, refusal).is_complete);
}

#[test]
fn requests_end_where_their_heads_say() {
    let answer = "HTTP/1.1 204 No\r\n\r\n";
    let complete = [
        "POST / HTTP/1.1\nContent-Length: 5\n\nhello",
        "POST / HTTP/1.1\nContent-Length: 0\n\n",
        "POST / HTTP/1.1\n\n",
        "PUT / HTTP/1.1\nTransfer-Encoding: chunked\n\n3\nabc\n0\nT: r\n\n",
        // What no server can read further: it answers 400 and closes.
        "PUT / HTTP/1.1\nTransfer-Encoding: gzip\n\nxyz",
        "PUT / HTTP/1.1\nContent-Length: x\n\nxyz",
        "PUT / HTTP/1.1\nTransfer-Encoding: chunked\n\nxyz\n",
        // What follows the request is none.
        "POST / HTTP/1.1\nContent-Length: 5\n\nhello\r\n\n",
        "POST / HTTP/1.1\nContent-Length: 5\n\nhello world",
        "POST / HTTP/1.1\nContent-Length: 5\n\nhello, world\nGET / HTTP/1.1\n",
        // Nothing follows a request that closes the connection.
        "GET / HTTP/1.1\nConnection: Close\n\nGET / HTTP/1.1\n\n",
        "GET / HTTP/1.0\n\nGET / HTTP/1.0\n\n",
    ];
    let incomplete = [
        "POST / HTTP/1.1\nContent-Length: 5\n\nhell",
        "POST / HTTP/1.1\nHost: h\n",
        "POST / HTTP/1.1\n",
        "PUT / HTTP/1.1\nTransfer-Encoding: chunked\n\n3\nabc\n0\n",
        "PUT / HTTP/1.1\nTransfer-Encoding: chunked\n\n3\nab",
        "GET / HTTP/1.0\nConnection: keep-alive\n\nGET / HTTP/1.0\n\n",
    ];
    let complete = complete.map(|request| (request, true)).into_iter();
    for (request, wanted) in complete.chain(incomplete.map(|request| (request, false))) {
        let known = talk(request, answer);
        assert_eq!(known.is_complete, wanted, "{request:?}");
        assert!(!talk(request, "").is_complete);
    }
}

#[test]
fn a_final_answer_may_come_before_the_body_of_the_request() {
    let request = "PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    let refusal = "HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\nno";
    let known = talk(request, refusal);
    assert!(!known.is_complete && !known.is_sent_whole);
    let closing = refusal.replace("417 No", "417 No\r\nConnection: close");
    assert!(talk(request, &closing).is_complete);

    let head = [Sent(request.as_bytes()), Received(refusal.as_bytes())];
    assert!(play(&[head[0], head[1], Sent(b"hello")]).is_complete);
    let next = [Sent(b"hello"), Sent(GET.as_bytes())];
    assert!(!play(&[head[0], head[1], next[0], next[1]]).is_complete);
    let last = Received(b"HTTP/1.1 204 No\r\n\r\n");
    assert!(play(&[head[0], head[1], next[0], next[1], last]).is_complete);
}

#[test]
fn all_of_many_requests_are_answered() {
    let requests = format!("{GET}HEAD / HTTP/1.1\r\n\r\n{GET}");
    let answers = [
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nthree\r\n0\r\n\r\n",
    ];
    for count in 0..=3 {
        let known = talk(&requests, &answers[..count].concat());
        assert_eq!(known.is_complete, count == 3);
    }
    assert!(!talk(&format!("{requests}{GET}"), &answers.concat()).is_complete);
}

#[test]
fn nothing_comes_after_an_answer_that_closes() {
    let requests = [GET, GET, GET].concat();
    for answer in [
        "HTTP/1.1 200 OK\r\nConnection: x, close\r\nContent-Length: 3\r\n\r\none",
        "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\none",
    ] {
        let known = talk(&requests, answer);
        assert!(known.is_complete && known.end == Ok(()));
        assert_eq!(known.unseen, (0, u64::MAX));
    }
    let keeps = "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 3\r\n\r\none";
    assert!(!talk(&requests, keeps).is_complete);
}

#[test]
fn the_end_says_what_is_missing() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let of = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n";
    for (answer, cut, words) in [
        ("", Cut::NoAnswer, "no answer came"),
        (
            "HTTP",
            Cut::Head,
            "the answer ended in the middle of its head",
        ),
        (
            "HTTP/1.1 200 OK\r\nServer: x\r\n",
            Cut::Head,
            "the answer ended in the middle of its head",
        ),
        (
            &format!("{of}{}", "x".repeat(1000)),
            Cut::Body {
                came: 1000,
                of: 5000,
            },
            "the answer ended after 1000 of 5000 bytes",
        ),
        (
            chunked,
            Cut::Chunks,
            "the answer ended before its last chunk",
        ),
        (
            &format!("{chunked}5\r\nhe"),
            Cut::Chunks,
            "the answer ended before its last chunk",
        ),
        (
            &format!("{chunked}2\r\nhe\r\n"),
            Cut::Chunks,
            "the answer ended before its last chunk",
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\n",
            Cut::Unanswered(1),
            "1 request was not answered",
        ),
    ] {
        let end = talk(GET, answer).end;
        assert_eq!(end, Err(cut), "{answer:?}");
        assert_eq!(cut.to_string(), words);
    }
    for whole in [
        "HTTP/1.1 200 OK\r\n\r\nuntil the end",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
        &format!("{chunked}0\r\n"),
        "hello",
    ] {
        assert_eq!(talk(GET, whole).end, Ok(()), "{whole:?}");
    }
    let requests = [GET, GET, GET].concat();
    let end = talk(&requests, "HTTP/1.1 204 No\r\n\r\n").end;
    assert_eq!(end, Err(Cut::Unanswered(2)));
    assert_eq!(
        Cut::Unanswered(2).to_string(),
        "2 requests were not answered"
    );
}

#[test]
fn only_heads_and_chunk_sizes_need_to_be_seen() {
    let mut exchanges = Exchanges::new();
    exchanges.see_sent(b"PUT / HTTP/1.1\nContent-Length: 5000000000\n\n");
    assert_eq!(exchanges.unseen_sent(), 5_000_000_000);
    exchanges.skip_sent(4_999_999_999);
    exchanges.see_sent(b"x");
    assert_eq!(exchanges.unseen_sent(), 0);
    exchanges.see_received(b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nffffffffff\nx");
    assert_eq!(exchanges.unseen_received(), 0xff_ffff_fffe);
    exchanges.skip_received(0xff_ffff_fffe);
    assert_eq!(exchanges.unseen_received(), 0);
    exchanges.see_received(b"\n0\n\n");
    assert!(exchanges.is_complete());
}

#[test]
fn requests_without_answers_are_bounded() {
    let mut exchanges = Exchanges::new();
    let request = b"GET / HTTP/1.1\n\n";
    (0..ASKED_MAX).for_each(|_| exchanges.see_sent(request));
    assert_eq!(exchanges.speech(), Speech::Http);
    exchanges.see_sent(request);
    assert_eq!(exchanges.speech(), Speech::Other);
}

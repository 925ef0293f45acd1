//! Conversations made up.

use super::*;
use proptest::prelude::*;

/// A request and its answer.
fn exchange() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let body = || proptest::collection::vec(any::<u8>(), 0..40);
    (body(), body(), 0..3u8, 0..6u8, any::<bool>()).prop_map(
        |(upload, body, how, kind, interim)| {
            let (method, code) = match kind {
                0 => ("HEAD", 200),
                1 => ("PUT", 204),
                2 => ("GET", 304),
                _ => ("POST", 404),
            };
            let mut request = format!("{method} /a HTTP/1.1\r\nHost: h\r\n").into_bytes();
            push_body(&mut request, &upload, how, true);
            let mut answer = Vec::new();
            if interim {
                answer.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
            }
            answer.extend_from_slice(format!("HTTP/1.1 {code} Text\r\n").as_bytes());
            push_body(&mut answer, &body, how.min(1), kind > 2);
            (request, answer)
        },
    )
}

fn push_body(message: &mut Vec<u8>, body: &[u8], how: u8, has_body: bool) {
    let head = match how {
        0 => format!("Content-Length: {}\r\n\r\n", body.len()),
        1 => "Transfer-Encoding: chunked\r\n\r\n".to_owned(),
        _ => return message.extend_from_slice(b"\r\n"),
    };
    message.extend_from_slice(head.as_bytes());
    match how {
        _ if !has_body => {}
        0 => message.extend_from_slice(body),
        _ => {
            for chunk in body.chunks(7) {
                message.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                message.extend_from_slice(chunk);
                message.extend_from_slice(b"\r\n");
            }
            message.extend_from_slice(b"0\r\n\r\n");
        }
    }
}

proptest! {
    #[test]
    fn exchanges_are_complete_with_their_last_byte(
        list in proptest::collection::vec(exchange(), 1..5),
        piece in 1usize..50,
    ) {
        let sent: Vec<u8> = list.iter().flat_map(|(request, _)| request.clone()).collect();
        let received: Vec<u8> = list.iter().flat_map(|(_, answer)| answer.clone()).collect();
        let mut exchanges = Exchanges::new();
        sent.chunks(piece).for_each(|piece| exchanges.see_sent(piece));
        let (last, before) = received.split_last().unwrap();
        before.chunks(piece).for_each(|piece| exchanges.see_received(piece));
        prop_assert!(!exchanges.is_complete());
        exchanges.see_received(&[*last]);
        prop_assert!(exchanges.is_complete());
        prop_assert_eq!(exchanges.server_ended(), Ok(()));
    }

    #[test]
    fn no_cut_matters(
        parts in proptest::collection::vec((any::<bool>(), 0usize..24), 0..30),
    ) {
        const WORDS: [&str; 24] = [
            "GET / HTTP/1.1", "HEAD / HTTP/1.0", "CONNECT h:1 HTTP/1.1", "HTTP/1.1 200 OK",
            "HTTP/1.0 204 No", "HTTP/1.1 100 Go", "HTTP/1.1 101 Go", "HTTP/1.1 404 ", "\r\n", "\n",
            "\r\n\r\n", "\n\n", "Content-Length: 3\r\n", "Content-Length: 0\n",
            "Connection: close\n", "Transfer-Encoding: chunked\n", "3\r\nabc\r\n",
            "0\r\n\r\n", "abc", "\r", " ", "3", ":",
            "Connection: keep-alive\r\n",
        ];
        let script: Vec<Side> = parts
            .iter()
            .map(|(is_sent, word)| {
                let bytes = WORDS[*word].as_bytes();
                if *is_sent { Sent(bytes) } else { Received(bytes) }
            })
            .collect();
        play(&script);
    }
}

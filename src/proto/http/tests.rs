//! The dialogue with an HTTP proxy.

use super::*;
use crate::proto::answer::LINE_MAX;
use crate::proto::testing::{Conversation, converse, feed};
use proptest::prelude::*;

const SEED: [u8; 16] = [0xab; 16];
const REFUSED: &str = "HTTP/1.1 407 Proxy Authentication Required\r\n";
const DIGEST: &str = "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\"\r\n";
const OPEN: &str = "HTTP/1.1 200 OK\r\n\r\n";

fn http(host: &str, login: Option<(&str, &str)>) -> Result<HttpConnect, Refused> {
    knowing(host, login, None)
}

fn knowing(
    host: &str,
    login: Option<(&str, &str)>,
    known: Option<Challenge>,
) -> Result<HttpConnect, Refused> {
    let account = login.map(|(user, password)| Account {
        login: Login {
            user: user.to_owned(),
            password: password.to_owned(),
        },
        seed: SEED,
    });
    HttpConnect::new(&Target::from(host), 443, account, known)
}

fn with_login() -> HttpConnect {
    http("h", Some(("me", "secret"))).unwrap()
}

/// Goes through the answers of a proxy, of which a new connection takes the next; gives what
/// was sent over each, and how it ended.
fn dialogue(mut machine: HttpConnect, answers: &[&str]) -> (Vec<String>, Result<bool, Refused>) {
    let mut sent = Vec::new();
    for answer in answers {
        let mut output = Vec::new();
        let mut progress = machine.step(&[], &mut output);
        for byte in answer.as_bytes().chunks(1) {
            if matches!(progress, Ok(Progress::More { .. })) {
                progress = machine.step(byte, &mut output);
            }
        }
        sent.push(String::from_utf8(output).unwrap());
        match progress {
            Ok(Progress::Done { .. }) => return (sent, Ok(true)),
            Ok(Progress::More { .. }) => {
                if let Some(refused) = machine.lost() {
                    return (sent, Err(refused));
                }
            }
            Ok(Progress::Anew) => {}
            Err(refused) => return (sent, Err(refused)),
        }
    }
    (sent, Ok(false))
}

/// The fields of Proxy-Authorization in what was sent.
fn credentials(sent: &[String]) -> Vec<Vec<&str>> {
    sent.iter()
        .map(|sent| {
            sent.lines()
                .filter_map(|line| line.strip_prefix("Proxy-Authorization: "))
                .collect()
        })
        .collect()
}

fn made() -> HttpConnect {
    http("h", None).unwrap()
}

/// Feeds an answer too long to be cut at each place.
fn in_pieces(answer: &[u8]) -> Conversation {
    let whole = feed(made(), std::iter::once(answer));
    for len in [1, 7, 4096] {
        assert_eq!(whole, feed(made(), answer.chunks(len)));
    }
    whole
}

#[test]
fn asks_as_nc_does() {
    let sent = |host, login| {
        let sent = feed(http(host, login).unwrap(), std::iter::empty()).1;
        String::from_utf8(sent).unwrap()
    };
    assert_eq!(
        sent("example.org", None),
        "CONNECT example.org:443 HTTP/1.0\r\n\r\n"
    );
    assert_eq!(
        sent("10.0.0.1", None),
        "CONNECT 10.0.0.1:443 HTTP/1.0\r\n\r\n"
    );
    assert_eq!(
        sent("2001:db8::1", None),
        "CONNECT [2001:db8::1]:443 HTTP/1.0\r\n\r\n"
    );
    let made = http("2001:db8::1", None).unwrap().naming_the_host(true);
    assert_eq!(
        feed(made, std::iter::empty()).1,
        b"CONNECT [2001:db8::1]:443 HTTP/1.0\r\nHost: [2001:db8::1]:443\r\n\r\n"
    );
    // No password before it is asked for.
    assert_eq!(
        sent("h", Some(("Aladdin", "open sesame"))),
        "CONNECT h:443 HTTP/1.0\r\n\r\n"
    );
}

#[test]
fn any_2xx_opens_the_tunnel_and_session_bytes_are_kept() {
    for answer in [
        "HTTP/1.0 200 Connection established\r\n\r\n",
        "HTTP/1.1 200 OK\r\nVia: x\r\nDate: today\r\n\r\n",
        "HTTP/1.1 204\r\n\r\n",
        "HTTP/1.0 200 \n\n",
        "HTTP/1.0 299 odd\nA: b\r\n c\n\n",
    ] {
        let with_session = format!("{answer}\r\nSSH-2.0\n");
        let end = converse(made, with_session.as_bytes()).0;
        assert_eq!(end, Ok(Some(b"\r\nSSH-2.0\n".to_vec())), "{answer:?}");
        for len in 0..answer.len() {
            assert_eq!(feed(made(), answer.as_bytes()[..len].chunks(1)).0, Ok(None));
        }
    }
}

#[test]
fn interim_answers_are_passed_over() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n\
                   HTTP/1.1 199 x\n\n";
    let open = format!("{interim}{OPEN}\r\nhi");
    assert_eq!(
        converse(made, open.as_bytes()).0,
        Ok(Some(b"\r\nhi".to_vec()))
    );
    let refused = format!("{interim}HTTP/1.1 403 No\r\n");
    let end = converse(made, refused.as_bytes()).0;
    assert!(matches!(end, Err(Refused::Http { status: 403, .. })));
    // Their fields are not those of the answer.
    let fields = format!("HTTP/1.1 100 x\r\n{DIGEST}Content-Length: 9\r\n\r\n{REFUSED}\r\n");
    let (sent, end) = dialogue(with_login(), &[&fields, OPEN]);
    assert_eq!(end, Ok(true));
    assert!(credentials(&sent)[1][0].starts_with("Basic "));
    assert_eq!(converse(made, interim.as_bytes()).0, Ok(None));
    let endless = "HTTP/1.1 100 Continue\r\n\r\n".repeat(ANSWER_MAX / 25 + 1);
    assert_eq!(in_pieces(endless.as_bytes()).0, Err(Refused::TooLong));
}

#[test]
fn other_codes_are_refusals_in_the_proxys_words() {
    let end = converse(made, b"HTTP/1.0 403 No \x1b[31mway\r\n");
    let line = "HTTP/1.0 403 No \\x1b[31mway".to_owned();
    assert_eq!(end.0, Err(Refused::Http { status: 403, line }));
    assert_eq!(
        end.0.unwrap_err().to_string(),
        "proxy refused: HTTP/1.0 403 No \\x1b[31mway"
    );
    for code in ["099", "101", "300", "000", "999"] {
        let answer = format!("HTTP/1.1 {code}\n");
        assert!(matches!(
            converse(made, answer.as_bytes()).0,
            Err(Refused::Http { .. })
        ));
    }
}

#[test]
fn a_407_asks_for_a_password_and_says_for_which_use() {
    let end = converse(made, format!("{REFUSED}\r\n").as_bytes()).0;
    assert_eq!(end, Err(Refused::PasswordWanted(Some(Challenge::Basic))));
    let end = converse(made, format!("{REFUSED}{DIGEST}\r\n").as_bytes()).0;
    let Err(Refused::PasswordWanted(Some(known))) = end else {
        panic!("{end:?}");
    };
    // Known from the first request of the next dialogue on.
    let machine = knowing("h", Some(("me", "secret")), Some(known)).unwrap();
    let (sent, end) = dialogue(machine, &[OPEN]);
    assert_eq!(end, Ok(true));
    assert!(credentials(&sent)[0][0].starts_with("Digest username=\"me\""));

    let strange = format!("{REFUSED}Proxy-Authenticate: NTLM\r\n\r\n");
    assert_eq!(converse(made, strange.as_bytes()).0, Err(Refused::NoMethod));
}

#[test]
fn a_407_is_answered_over_a_new_connection() {
    let refused = format!("{REFUSED}{DIGEST}Proxy-Authenticate: Basic realm=r\r\n\r\nsorry");
    let (sent, end) = dialogue(with_login(), &[&refused, OPEN]);
    assert_eq!(end, Ok(true));
    assert_eq!(sent[0], "CONNECT h:443 HTTP/1.0\r\n\r\n");
    let wanted = "Digest username=\"me\", realm=\"r\", nonce=\"n1\", uri=\"h:443\", ";
    let digest = credentials(&sent)[1][0];
    assert!(digest.starts_with(wanted), "{digest}");
    assert!(digest.contains("nc=00000001"), "{digest}");
    assert!(!sent.concat().contains("Basic"));
}

#[test]
fn a_407_without_a_challenge_is_answered_as_nc_does() {
    let (sent, end) = dialogue(with_login(), &[&format!("{REFUSED}\r\n"), OPEN]);
    assert_eq!(end, Ok(true));
    assert_eq!(credentials(&sent)[1], ["Basic bWU6c2VjcmV0"]);
}

#[test]
fn a_kept_connection_is_used_again_behind_the_body() {
    for (body, length) in [("", 0), ("sorry\r\n\r\n", 9)] {
        let refused = format!("{REFUSED}{DIGEST}Content-Length: {length}\r\n\r\n{body}");
        let answer = format!("{refused}{OPEN}session");
        let (end, sent) = converse(with_login, answer.as_bytes());
        assert_eq!(end, Ok(Some(b"session".to_vec())));
        let sent = String::from_utf8(sent).unwrap();
        assert_eq!(sent.matches("CONNECT h:443 HTTP/1.0\r\n").count(), 2);
        assert_eq!(sent.matches("Digest").count(), 1);

        // Closed all the same, behind the body or in it: over a new one then.
        for len in [refused.len(), refused.len() - body.len()] {
            let (sent, end) = dialogue(with_login(), &[&refused[..len], OPEN]);
            assert_eq!((end, sent.len()), (Ok(true), 2));
            assert_eq!(credentials(&sent)[1].len(), 1);
        }
    }
}

#[test]
fn a_connection_with_too_long_a_body_is_given_up() {
    let refused = format!(
        "{REFUSED}{DIGEST}Content-Length: {}\r\n\r\n",
        ANSWER_MAX + 1
    );
    let (sent, end) = dialogue(with_login(), &[&refused, OPEN]);
    assert_eq!((end, sent.len()), (Ok(true), 2));
}

#[test]
fn a_second_refusal_is_the_last_unless_only_the_nonce_was_old() {
    let refused = format!("{REFUSED}{DIGEST}\r\n");
    let (sent, end) = dialogue(with_login(), &[&refused, &refused, OPEN]);
    assert_eq!((sent.len(), end), (2, Err(Refused::PasswordRejected)));

    let stale = |nonce: &str| {
        let challenge = format!("Digest realm=r, nonce={nonce}, qop=auth, stale=TRUE");
        format!("{REFUSED}Proxy-Authenticate: {challenge}\r\n\r\n")
    };
    for (nonce, count) in [("n2", "nc=00000001"), ("n1", "nc=00000002")] {
        let (sent, end) = dialogue(with_login(), &[&refused, &stale(nonce), OPEN]);
        assert_eq!(end, Ok(true));
        let last = credentials(&sent)[2][0];
        assert!(last.contains(&format!("nonce=\"{nonce}\"")), "{last}");
        assert!(last.contains(count), "{last}");
    }
    let answers = [&refused[..], &stale("n2"), &stale("n3"), OPEN];
    let (sent, end) = dialogue(with_login(), &answers);
    assert_eq!((sent.len(), end), (3, Err(Refused::PasswordRejected)));
}

#[test]
fn a_proxy_that_closes_instead_of_answering_is_told() {
    let refused = format!("{REFUSED}{DIGEST}\r\n");
    let (_, end) = dialogue(with_login(), &[""]);
    assert_eq!(end, Err(Refused::Closed));
    let (_, end) = dialogue(with_login(), &[&refused, ""]);
    assert_eq!(end, Err(Refused::Closed));
    let (_, end) = dialogue(with_login(), &["HTTP/1.0 407 x\r\nProxy-"]);
    assert_eq!(end, Err(Refused::Closed));
}

#[test]
fn other_languages_are_garbage_at_the_first_wrong_byte() {
    for answer in [
        "SSH-2.0-x\r\n",
        "S",
        "\n",
        "http/1.0 200 \n",
        "HTTP/2 200 \n",
        "HTTP/1.2 200 \n",
        "HTTP/1.0 20\n",
        "HTTP/1.0 2000\n",
        "HTTP/1.0  200\n",
        "HTTP/1.0 +20\n",
        "HTTP/1.0\n",
    ] {
        let end = converse(made, answer.as_bytes()).0;
        assert!(matches!(end, Err(Refused::Garbage(_))), "{answer:?}");
    }
}

#[test]
fn lines_and_answers_have_a_longest() {
    let status = "HTTP/1.0 200 ok\r\n";
    let line = |len: usize| format!("{}\n", "x".repeat(len - 1));
    let fits = format!("{status}{}\n!", line(LINE_MAX));
    assert_eq!(in_pieces(fits.as_bytes()).0, Ok(Some(b"!".to_vec())));
    let long_line = format!("{status}{}\n!", line(LINE_MAX + 1));
    assert_eq!(in_pieces(long_line.as_bytes()).0, Err(Refused::TooLong));
    let endless = format!("{status}{}", "x".repeat(LINE_MAX + 1));
    assert_eq!(in_pieces(endless.as_bytes()).0, Err(Refused::TooLong));

    let left = ANSWER_MAX - 1 - status.len();
    let full = format!(
        "{status}{}{}\n!",
        line(1024).repeat(left / 1024),
        line(left % 1024)
    );
    assert_eq!(in_pieces(full.as_bytes()).0, Ok(Some(b"!".to_vec())));
    let many = format!("{status}{}\n!", line(1024).repeat(ANSWER_MAX / 1024));
    assert_eq!(in_pieces(many.as_bytes()).0, Err(Refused::TooLong));
}

#[test]
fn names_that_would_change_the_request_are_refused_unsent() {
    for host in [
        "",
        "a b",
        "a\r\nX: y",
        "a\n",
        "a:b",
        "[::1]",
        "a\tb",
        "a\0",
        "fe80::1%eth0",
    ] {
        assert!(
            matches!(http(host, None).err(), Some(Refused::Request(_))),
            "{host:?}"
        );
    }
    assert!(matches!(
        http("h", Some(("a:b", "c"))).err(),
        Some(Refused::Request(_))
    ));
    assert!(matches!(
        http("h", Some(("a\r\n", "c"))).err(),
        Some(Refused::Request(_))
    ));
    assert!(http("h", Some(("a", "b:c\r\n"))).is_ok());
}

proptest! {
    #[test]
    fn no_answer_panics_and_no_cut_matters(
        answer in "(HTTP/1\\.[01] [2-4]0[0-9])?[ a\r\n]{0,30}", noise: Vec<u8>,
        wanted in "HTTP/1.1 407\n(Proxy-Authenticate: (Basic|Digest realm=r,nonce=n)\n)?\
                   (Content-Length: [0-9]\n)?\n[a\n]{0,5}(HTTP/1.0 (200|407)\n\n)?",
    ) {
        let _ = converse(made, answer.as_bytes());
        let _ = converse(with_login, answer.as_bytes());
        let _ = converse(with_login, wanted.as_bytes());
        let _ = converse(made, &noise);
    }

    #[test]
    fn session_bytes_survive(session: Vec<u8>) {
        let answer = [b"HTTP/1.1 200 OK\r\n\r\n", &session[..]].concat();
        prop_assert_eq!(feed(made(), answer.chunks(5)).0, Ok(Some(session)));
    }
}

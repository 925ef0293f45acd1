//! HTTP CONNECT client. RFC 9110, sections 9.3.6 and 11.7; RFC 9112.
//!
//! The first request has no credentials: which ones the proxy takes is not known yet, and a
//! password is not shown to one that can do without.
//!
//! ```text
//!   Start -- request --> Status -- 2xx --> Fields -- empty line --> Done
//!     ^                    +------ 407 --> Fields -- empty line --> Body --+
//!     |                                      +-- new connection --> Start  |
//!     +--------------------------------------------------------------------+
//!   Status -- 1xx --> Fields -- empty line --> Status
//! ```

pub mod challenge;
pub mod digest;
pub mod exchange;
mod head;
pub mod login;
mod message;
mod params;

use super::answer::{ANSWER_MAX, AnswerLines};
use super::{Handshake, Login, Progress, Refused, Target};
use challenge::Challenge;
use core::net::IpAddr;
use digest::Request;
use head::{Fields, Status};

/// Asks an HTTP proxy for a tunnel.
pub struct HttpConnect {
    /// The target of the request: host and port.
    authority: String,
    account: Option<Account>,
    /// What the request answers.
    challenge: Option<Challenge>,
    /// How many requests have answered the nonce of the challenge.
    count: u32,
    /// A new nonce was asked for once already.
    was_stale: bool,
    /// The request has a Host field.
    names_the_host: bool,
    /// The connection has carried a request and its answer before.
    is_used_again: bool,
    lines: AnswerLines,
    status: Status,
    fields: Fields,
    state: HttpConnectState,
}

/// Who we are to an HTTP proxy.
#[derive(Clone)]
pub struct Account {
    /// User and password.
    pub login: Login,
    /// Random bytes for the proofs of Digest.
    pub seed: [u8; 16],
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum HttpConnectState {
    /// Our request.
    Start,
    /// The status line.
    Status,
    /// A field, or the empty line.
    Fields,
    /// So many bytes that explain a 407.
    Body(usize),
    /// The session.
    Done,
}

/// What an answer has come to at its empty line.
enum HeadOutcome {
    Open,
    /// Not an answer yet.
    Interim,
    /// To be asked again, behind so many bytes of body.
    Again(usize),
    /// To be asked again over a new connection.
    Anew,
}

impl HttpConnect {
    /// A request for `target`, worded as nc does. `known` is the proxy's challenge, where an
    /// earlier refusal told it.
    ///
    /// # Errors
    /// [`Refused::Request`] for a name that is empty or has blanks, control characters, colons or
    /// brackets in it, and for a user that no credentials can name.
    pub fn new(
        target: &Target,
        port: u16,
        account: Option<Account>,
        known: Option<Challenge>,
    ) -> Result<Self, Refused> {
        let host = match target {
            Target::Ip(IpAddr::V6(address)) => format!("[{address}]"),
            Target::Ip(IpAddr::V4(address)) => address.to_string(),
            Target::Name(name) => {
                let bad = |c: char| c.is_control() || c.is_whitespace() || "[]:".contains(c);
                if name.is_empty() || name.contains(bad) {
                    return Err(Refused::Request("invalid host name for HTTP"));
                }
                name.clone()
            }
        };
        if let Some(account) = &account {
            check(&account.login)?;
        }
        Ok(Self {
            authority: format!("{host}:{port}"),
            challenge: known.filter(|_| account.is_some()),
            account,
            count: 1,
            was_stale: false,
            names_the_host: false,
            is_used_again: false,
            lines: AnswerLines::default(),
            status: Status {
                code: 0,
                is_1_1: false,
            },
            fields: Fields::default(),
            state: HttpConnectState::Start,
        })
    }

    /// Sets whether the request has a Host field. RFC 9112, section 3.2, wants one; nc and Ncat send
    /// none.
    pub fn naming_the_host(mut self, names_the_host: bool) -> Self {
        self.names_the_host = names_the_host;
        self
    }

    fn request(&self) -> Vec<u8> {
        let authority = &self.authority;
        let mut request = format!("CONNECT {authority} HTTP/1.0\r\n").into_bytes();
        if self.names_the_host {
            request.extend_from_slice(format!("Host: {authority}\r\n").as_bytes());
        }
        if let (Some(account), Some(challenge)) = (&self.account, &self.challenge) {
            let cnonce = digest::hex(&account.seed);
            let about = Request {
                method: "CONNECT",
                uri: authority,
                count: self.count,
                cnonce: &cnonce,
            };
            request.extend_from_slice(b"Proxy-Authorization: ");
            request.extend_from_slice(&challenge.credentials(&account.login, &about));
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        request
    }

    /// Takes a line of the head; at the empty one, says what the answer has come to.
    fn take_line(&mut self, line: &[u8]) -> Result<Option<HeadOutcome>, Refused> {
        match self.state {
            HttpConnectState::Status => {
                self.status = judge_status(line)?;
                self.state = HttpConnectState::Fields;
                Ok(None)
            }
            _ if !line.is_empty() => {
                self.fields.push(line);
                Ok(None)
            }
            _ => Ok(Some(match self.status.code {
                PROXY_AUTHENTICATION_REQUIRED => self.take_challenge()?,
                ..200 => HeadOutcome::Interim,
                _ => HeadOutcome::Open,
            })),
        }
    }

    /// Makes ready to answer a 407, if there is something to answer it with.
    fn take_challenge(&mut self) -> Result<HeadOutcome, Refused> {
        self.fields.end();
        let fields = std::mem::take(&mut self.fields);
        let offered = match fields.challenges.as_slice() {
            // A 407 has to say what it wants; of one that does not, nc thinks this.
            [] => Challenge::Basic,
            values => Challenge::strongest(values).ok_or(Refused::NoMethod)?,
        };
        if self.account.is_none() {
            return Err(Refused::PasswordWanted(Some(offered)));
        }
        self.count = match (&self.challenge, &offered) {
            (None, _) => 1,
            (Some(Challenge::Digest(answered)), Challenge::Digest(digest))
                if digest.is_stale() && !self.was_stale =>
            {
                self.was_stale = true;
                if digest.has_nonce_of(answered) {
                    self.count + 1
                } else {
                    1
                }
            }
            (Some(_), _) => return Err(Refused::PasswordRejected),
        };
        self.challenge = Some(offered);
        let body = fields.body_before_next(self.status);
        Ok(match body.filter(|body| *body <= ANSWER_MAX) {
            Some(body) => HeadOutcome::Again(body),
            None => HeadOutcome::Anew,
        })
    }

    /// Begins with a request; nothing of its answer has come.
    fn start(&mut self, output: &mut Vec<u8>) {
        output.extend_from_slice(&self.request());
        self.lines = AnswerLines::default();
        self.fields = Fields::default();
        self.state = HttpConnectState::Status;
    }

    fn begin_anew(&mut self) {
        self.is_used_again = false;
        self.state = HttpConnectState::Start;
    }
}

/// RFC 9110, section 15.2.2: never asked for.
const SWITCHING_PROTOCOLS: u16 = 101;
/// RFC 9110, section 15.5.8.
const PROXY_AUTHENTICATION_REQUIRED: u16 = 407;

/// Takes a status line that says 1xx (the answer is still to come: RFC 9110, section 15.2), 2xx (the
/// tunnel stands: section 9.3.6) or 407.
fn judge_status(line: &[u8]) -> Result<Status, Refused> {
    let status = Status::read(line).ok_or_else(|| Refused::garbage(line))?;
    match status.code {
        100..=299 if status.code != SWITCHING_PROTOCOLS => Ok(status),
        PROXY_AUTHENTICATION_REQUIRED => Ok(status),
        code => Err(Refused::Http {
            status: code,
            line: Refused::shown(line),
        }),
    }
}

impl Handshake for HttpConnect {
    fn step(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Progress, Refused> {
        let mut rest = input;
        loop {
            match self.state {
                HttpConnectState::Start => self.start(output),
                HttpConnectState::Status | HttpConnectState::Fields => {
                    let line = self.lines.next(&mut rest)?;
                    // Known at the first wrong byte: another kind of server may never send a line
                    // end.
                    let begun = line.as_deref().unwrap_or(self.lines.begun());
                    let starts_well = begun.iter().zip(b"HTTP/1.").all(|(a, b)| a == b);
                    if self.state == HttpConnectState::Status && !starts_well {
                        return Err(Refused::garbage(begun));
                    }
                    let Some(line) = line else { break };
                    match self.take_line(&line)? {
                        None => {}
                        Some(HeadOutcome::Interim) => {
                            self.fields = Fields::default();
                            self.state = HttpConnectState::Status;
                        }
                        Some(HeadOutcome::Open) => self.state = HttpConnectState::Done,
                        Some(HeadOutcome::Again(body)) => self.state = HttpConnectState::Body(body),
                        Some(HeadOutcome::Anew) => {
                            self.begin_anew();
                            return Ok(Progress::Anew);
                        }
                    }
                }
                HttpConnectState::Body(0) => {
                    self.is_used_again = true;
                    self.state = HttpConnectState::Start;
                }
                HttpConnectState::Body(_) if rest.is_empty() => break,
                HttpConnectState::Body(left) => {
                    let (skipped, behind) = rest.split_at(left.min(rest.len()));
                    rest = behind;
                    self.state = HttpConnectState::Body(left - skipped.len());
                }
                HttpConnectState::Done => {
                    let used = input.len() - rest.len();
                    return Ok(Progress::Done { used });
                }
            }
        }
        Ok(Progress::More { used: input.len() })
    }

    /// A proxy may close a connection that it said it would keep.
    fn lost(&mut self) -> Option<Refused> {
        let is_unanswered = self.state == HttpConnectState::Status && self.lines.is_empty();
        match self.state {
            HttpConnectState::Body(_) => {}
            _ if self.is_used_again && is_unanswered => {}
            _ => return Some(Refused::Closed),
        }
        self.begin_anew();
        None
    }
}

/// Says whether a login can be sent at all.
///
/// # Errors
/// [`Refused::Request`] for a user with a colon (RFC 7617, section 2) or a control character.
fn check(login: &Login) -> Result<(), Refused> {
    if login.user.contains(':') {
        return Err(Refused::Request("colon in the user name for HTTP"));
    }
    if login.user.contains(char::is_control) {
        Err(Refused::Request(
            "control character in the user name for HTTP",
        ))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::LINE_MAX;
    use super::*;
    use crate::proto::testing::{End, converse, feed};
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
    fn dialogue(
        mut machine: HttpConnect,
        answers: &[&str],
    ) -> (Vec<String>, Result<bool, Refused>) {
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
    fn in_pieces(answer: &[u8]) -> End {
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
}

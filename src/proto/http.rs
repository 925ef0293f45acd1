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
    /// earlier refusal gave it.
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

    /// Sets whether the request has a Host field. RFC 9112, section 3.2, wants one; nc and Ncat
    /// send none.
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

    /// Takes a line of the head; at the empty one, returns what the answer has come to.
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

/// Takes a status line that says 1xx (the answer is still to come: RFC 9110, section 15.2), 2xx
/// (the tunnel stands: section 9.3.6) or 407.
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

/// Returns whether a login can be sent at all.
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
mod tests;

//! Knows when the HTTP/1 exchanges on a connection are complete, from the bytes that pass in both
//! directions. RFC 9112, sections 6, 7 and 9.
//!
//! ```text
//!   Unknown -- a request line --> Http -- 101, 2xx to CONNECT, no HTTP --> Other
//!      +--- any other first line, or the server speaks first -----------> Other
//! ```
//!
//! Each request is one more answer to come, known by its method, from its first line on. What is
//! sent is not looked at any more after a request that closes the connection, or where it cannot be
//! read: a server answers either and closes. What is received is not looked at any more after an
//! answer that closes the connection. An answer that no request awaits is no HTTP.

use super::head::{Body, Fields, Method, RequestLine, Status};
use super::message::{MessageEvent, Messages, Position};
use std::collections::VecDeque;
use std::fmt;

/// Both directions of a connection on which a client may speak HTTP/1.
///
/// It holds at most a line of 64 KiB of each direction, and a byte for each request not answered.
/// All it says depends on the bytes so far alone, not on how they were cut.
#[derive(Default)]
pub struct Exchanges {
    speech: Speech,
    requests: Messages,
    /// The request under way.
    request: SentRequest,
    answers: Messages,
    /// The answer under way.
    answer: ReceivedAnswer,
    /// Methods of the requests that are not answered whole, oldest first; at most `ASKED_MAX`.
    asked: VecDeque<Method>,
    has_answer: bool,
}

/// The language of a connection, as far as known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Speech {
    /// What was sent so far can become a request line.
    #[default]
    Unknown,
    /// HTTP/1, with its messages followed.
    Http,
    /// Something else, or a tunnel; it is not looked at any more.
    Other,
}

/// What is missing at the server's end of stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Not a byte came to answer a request.
    NoAnswer,
    /// So many requests were not answered.
    Unanswered(usize),
    /// An answer ended before its head did.
    Head,
    /// An answer ended before its body did.
    Body {
        /// Bytes that came.
        came: u64,
        /// Bytes announced.
        of: u64,
    },
    /// An answer in chunks ended before the last of them.
    Chunks,
}

impl fmt::Display for Cut {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cut::NoAnswer => out.write_str("no answer came"),
            Cut::Unanswered(1) => out.write_str("1 request was not answered"),
            Cut::Unanswered(count) => write!(out, "{count} requests were not answered"),
            Cut::Head => out.write_str("the answer ended in the middle of its head"),
            Cut::Body { came, of } => write!(out, "the answer ended after {came} of {of} bytes"),
            Cut::Chunks => out.write_str("the answer ended before its last chunk"),
        }
    }
}

impl std::error::Error for Cut {}

/// What matters of a request while it is sent.
#[derive(Default)]
struct SentRequest {
    is_1_1: bool,
    closes: bool,
}

/// What matters of an answer while it is received.
#[derive(Default)]
struct ReceivedAnswer {
    status: Status,
    closes: bool,
}

/// How many requests may be unanswered; with more of them a connection is not followed any more.
const ASKED_MAX: usize = 65536;

impl Exchanges {
    /// A connection on which nothing has passed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in bytes sent to the server, in order.
    pub fn see_sent(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while self.speech != Speech::Other {
            match self.requests.next(&mut rest) {
                Ok(Some(MessageEvent::FirstLine(line))) => self.begin_request(&line),
                Ok(Some(MessageEvent::Head(fields))) => self.begin_request_body(&fields),
                Ok(Some(MessageEvent::End)) if self.request.closes => self.requests.stop(),
                Ok(Some(MessageEvent::End)) => {}
                Ok(None) => break,
                Err(_) => self.stop_requests(),
            }
        }
        let is_start = self.requests.position() == Position::Start;
        if is_start && !RequestLine::may_begin_with(self.requests.begun()) {
            self.stop_requests();
        }
    }

    /// Takes in bytes received from the server, in order.
    pub fn see_received(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        match self.speech {
            _ if bytes.is_empty() => {}
            Speech::Unknown => self.stop(),
            Speech::Http => self.has_answer = true,
            Speech::Other => {}
        }
        while self.speech == Speech::Http {
            match self.answers.next(&mut rest) {
                Ok(Some(MessageEvent::FirstLine(line))) => self.begin_answer(&line),
                Ok(Some(MessageEvent::Head(fields))) => self.begin_answer_body(&fields),
                Ok(Some(MessageEvent::End)) => self.end_answer(),
                Ok(None) => break,
                Err(_) => self.stop(),
            }
        }
        // Known at the first wrong byte: another kind of server may never send a line end.
        let begun = self.answers.begun();
        let is_http = begun.iter().zip(b"HTTP/1.").all(|(a, b)| a == b);
        let is_awaited = begun.is_empty() || !self.asked.is_empty();
        if self.answers.position() == Position::Start && !(is_http && is_awaited) {
            self.stop();
        }
    }

    /// The language of the connection, as far as known.
    pub fn speech(&self) -> Speech {
        self.speech
    }

    /// How many of the next bytes sent need not be looked at: 0 in heads and between chunks,
    /// `u64::MAX` where nothing is looked at any more.
    pub fn unseen_sent(&self) -> u64 {
        self.requests.unseen()
    }

    /// How many of the next bytes received need not be looked at, as for those sent; `u64::MAX`
    /// also for a body that lasts until the connection ends.
    pub fn unseen_received(&self) -> u64 {
        self.answers.unseen()
    }

    /// Counts bytes sent that were not looked at, at most [`Exchanges::unseen_sent`].
    pub fn skip_sent(&mut self, count: u64) {
        self.requests.skip(count);
        self.see_sent(&[]);
    }

    /// Counts bytes received that were not looked at, at most [`Exchanges::unseen_received`].
    pub fn skip_received(&mut self, count: u64) {
        self.answers.skip(count);
        self.see_received(&[]);
    }

    /// Returns whether all requests begun have been sent whole and answered whole, and there was one;
    /// or the server has answered whole for the last time. A request begins with its whole first line.
    pub fn is_complete(&self) -> bool {
        let is_last = self.answers.position() == Position::Over;
        let is_answered = self.asked.is_empty() && self.answers.is_between();
        self.speech == Speech::Http && (is_last || is_answered && self.is_sent_whole())
    }

    /// Returns whether all requests begun have been sent whole. Where that is not so at the end of
    /// what is sent, a server may have nothing to answer yet.
    pub fn is_sent_whole(&self) -> bool {
        self.speech == Speech::Http && self.requests.is_between()
    }

    /// Returns whether a byte of an answer to a request has come.
    pub fn has_answer(&self) -> bool {
        self.has_answer
    }

    /// What the server's end of stream means now.
    ///
    /// # Errors
    /// What is missing. A last chunk is enough, also without the empty line after it.
    pub fn server_ended(&self) -> Result<(), Cut> {
        if self.speech != Speech::Http {
            return Ok(());
        }
        Err(match self.answers.position() {
            Position::Start if !self.answers.begun().is_empty() => Cut::Head,
            Position::Fields => Cut::Head,
            Position::Length { left, of } => Cut::Body {
                came: of - left,
                of,
            },
            Position::Size | Position::Chunk(_) | Position::ChunkEnd => Cut::Chunks,
            Position::Start if self.asked.is_empty() => return Ok(()),
            Position::Start if self.has_answer => Cut::Unanswered(self.asked.len()),
            Position::Start => Cut::NoAnswer,
            Position::Trailers | Position::UntilEnd | Position::Over => return Ok(()),
        })
    }

    fn begin_request(&mut self, line: &[u8]) {
        let Some(line) = RequestLine::read(line) else {
            return self.stop_requests();
        };
        if self.asked.len() >= ASKED_MAX {
            return self.stop();
        }
        self.speech = Speech::Http;
        self.request.is_1_1 = line.is_1_1;
        self.asked.push_back(line.method);
    }

    /// Begins with the body of a request: none, unless the fields mention one. RFC 9112, section
    /// 6.3. A server cannot go on after one whose end is not known.
    fn begin_request_body(&mut self, fields: &Fields) {
        self.request.closes = !fields.persists(self.request.is_1_1);
        match fields.body().unwrap_or(Body::Length(0)) {
            Body::UntilEnd => self.requests.stop(),
            body => self.requests.begin_body(body),
        }
    }

    /// Takes what is sent from here on for something that the server cannot read either.
    fn stop_requests(&mut self) {
        if self.speech == Speech::Unknown {
            self.stop();
        } else {
            self.requests.stop();
        }
    }

    fn begin_answer(&mut self, line: &[u8]) {
        match Status::read(line) {
            Some(status) if !self.asked.is_empty() => self.answer.status = status,
            _ => self.stop(),
        }
    }

    /// Begins with the body of an answer. RFC 9112, section 6.3.
    fn begin_answer_body(&mut self, fields: &Fields) {
        let Status { code, is_1_1 } = self.answer.status;
        self.answer.closes = !fields.persists(is_1_1);
        match (code, self.asked.front()) {
            (101, _) | (200..=299, Some(Method::Connect)) => self.stop(),
            // An interim answer; the same request has another one coming.
            (100..=199, _) => self.answers.begin_anew(),
            (204 | 304, _) | (_, Some(Method::Head)) => self.answers.begin_body(Body::Length(0)),
            _ => self
                .answers
                .begin_body(fields.body().unwrap_or(Body::UntilEnd)),
        }
    }

    fn end_answer(&mut self) {
        self.asked.pop_front();
        if self.answer.closes {
            self.answers.stop();
        }
    }

    /// Looks at nothing any more.
    fn stop(&mut self) {
        self.speech = Speech::Other;
        self.asked = VecDeque::new();
        self.requests.stop();
        self.answers.stop();
    }
}

#[cfg(test)]
mod tests;

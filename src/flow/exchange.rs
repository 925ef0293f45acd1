//! HTTP/1 on a session, followed in both of its flows: how far the answers have come, and what is
//! missing of them. See `proto::http::exchange`.

pub use crate::proto::record::Direction;

use crate::proto::http::exchange::{Cut, Exchanges, Speech};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;

/// How far a request whose answer has a known end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerState {
    /// No such request was sent.
    Unknown,
    /// Not a byte of it has come.
    Awaited,
    /// A part of it has come.
    Begun,
    /// It is whole, and so are those of all other requests sent.
    Whole,
}

/// What a session knows of the HTTP/1 spoken on it.
#[derive(Clone, Default)]
pub struct Exchange(Rc<RefCell<Exchanges>>);

/// Follows one direction, for the flow of that direction.
pub struct Follower {
    exchange: Exchange,
    direction: Direction,
}

impl Exchange {
    /// What follows one direction.
    pub fn follower(&self, direction: Direction) -> Follower {
        Follower {
            exchange: self.clone(),
            direction,
        }
    }

    /// How far the answers to what was sent have come.
    pub fn answer(&self) -> AnswerState {
        let exchanges = self.0.borrow();
        match exchanges.speech() {
            Speech::Unknown | Speech::Other => AnswerState::Unknown,
            Speech::Http if exchanges.is_complete() => AnswerState::Whole,
            Speech::Http if exchanges.has_answer() => AnswerState::Begun,
            // There may be nothing to answer yet.
            Speech::Http if !exchanges.is_sent_whole() => AnswerState::Unknown,
            Speech::Http => AnswerState::Awaited,
        }
    }

    /// What is missing of an answer that has begun, if the peer ends now.
    pub fn missing(&self) -> Option<io::Error> {
        match self.0.borrow().server_ended() {
            Ok(()) | Err(Cut::NoAnswer) => None,
            Err(cut) => Some(io::Error::new(io::ErrorKind::UnexpectedEof, cut)),
        }
    }
}

impl Follower {
    /// The direction followed.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Takes in bytes that pass, in order.
    pub fn pass(&self, bytes: &[u8]) {
        let mut exchanges = self.exchange.0.borrow_mut();
        match self.direction {
            Direction::Sent => exchanges.see_sent(bytes),
            Direction::Received => exchanges.see_received(bytes),
        }
    }

    /// How many of the next bytes need not be seen.
    pub fn unseen(&self) -> u64 {
        let exchanges = self.exchange.0.borrow();
        match self.direction {
            Direction::Sent => exchanges.unseen_sent(),
            Direction::Received => exchanges.unseen_received(),
        }
    }

    /// Counts bytes that pass unseen, at most `unseen`.
    pub fn skip(&self, bytes: u64) {
        let mut exchanges = self.exchange.0.borrow_mut();
        match self.direction {
            Direction::Sent => exchanges.skip_sent(bytes),
            Direction::Received => exchanges.skip_received(bytes),
        }
    }
}

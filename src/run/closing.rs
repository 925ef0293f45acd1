//! How a session ended: what is printed about it, and its exit code.

use super::company::Company;
use super::event::{Event, Totals};
use super::joining::Joined;
use super::opening::Labels;
use super::outcome::signal_exit;
use super::terms::Terms;
use super::words;
use crate::exit::Exit;
use crate::flow::bridge::{BrokenEnd, Ended};
use crate::io::endpoint::Endpoint;
use crate::net::tls;
use crate::report;
use std::io::{self, ErrorKind};
use std::time::Instant;

/// What is known of a session that is over.
pub struct Closing<'a> {
    /// Its terms.
    pub terms: &'a Terms,
    /// Whether there are others.
    pub company: Company,
    /// What both sides are called.
    pub names: &'a Labels,
}

impl Closing<'_> {
    /// Prints how it ended; returns the exit code.
    pub fn tell(&self, joined: &mut Joined, ended: &Ended, now: Instant) -> Exit {
        self.tell_totals(joined, ended, now);
        if joined.bridge.is_used_up() {
            words::tell(&Event::UsedUp(&self.names.peer));
        }
        if let Some(dialed) = self.alert(joined, ended) {
            self.company.tell(&Event::Alert(dialed));
            return Exit::Code(self.terms.manners.codes.broken);
        }
        let loss = match joined.bridge.local() {
            Endpoint::Stdio(stdio) => stdio.take_loss(),
            _ => None,
        };
        let codes = self.terms.manners.codes;
        match ended {
            Ended::Clean | Ended::Quit => {
                let loss = loss.filter(|_| self.terms.manners.tells_breaks);
                loss.map_or(Exit::OK, |error| self.output_failed(&error))
            }
            Ended::Signalled => signal_exit(),
            Ended::TimedOut(late) if late.is_wanted() => Exit::OK,
            Ended::TimedOut(late) => {
                // nc takes silence for an ordinary end, and says nothing even with -v.
                if self.terms.manners.tells_breaks {
                    let subject = self.subject(joined);
                    self.company.tell(&Event::Late(Some(&subject), *late));
                }
                Exit::Code(codes.timed_out)
            }
            Ended::Broken(BrokenEnd::Peer, error) if self.is_forgiven(error) => Exit::OK,
            Ended::Broken(place, error) | Ended::Truncated(place, error) => {
                self.broken(*place, error, joined)
            }
        }
    }

    /// How much went over the connection. Of a session with standard input and output that is one
    /// line of the user's own session, of others a line about a peer that has left.
    fn tell_totals(&self, joined: &mut Joined, ended: &Ended, now: Instant) {
        let moved = joined.bridge.moved();
        if let [Endpoint::Stdio(_), _] = joined.bridge.ends() {
            words::tell(&Event::Totals(Totals {
                moved,
                time: now.duration_since(joined.started),
                ended,
                came: self.terms.has_client(),
            }));
        } else {
            words::tell(&Event::Left(&self.names.peer, moved));
        }
        let drops = match joined.bridge.remote() {
            Endpoint::Datagram(end) => end.drops(),
            _ => 0,
        };
        if drops > 0 {
            words::tell(&Event::Dropped(drops));
        }
    }

    /// The peer that was spoken to in plain text, if it has answered with a TLS alert.
    fn alert(&self, joined: &Joined, ended: &Ended) -> Option<&str> {
        let is_ours = match ended {
            Ended::Signalled => true,
            Ended::Broken(place, _) => *place != BrokenEnd::Peer && !self.terms.relays(),
            _ => false,
        };
        let (_, received) = joined.bridge.moved();
        let [_, alerted] = &joined.alerted;
        let is_alert = alerted.is_all(received) && !is_ours;
        is_alert.then(|| self.names.remote(self.terms))
    }

    /// Prints what broke; returns the exit code.
    fn broken(&self, place: BrokenEnd, error: &io::Error, joined: &mut Joined) -> Exit {
        let codes = self.terms.manners.codes;
        let label = &self.names.peer;
        let sends_messages = self.has_messages(joined);
        let what = match (place, joined.bridge.local()) {
            (BrokenEnd::Peer, _) if self.terms.relays() => {
                format!("connection to {}", self.names.target)
            }
            (BrokenEnd::Peer, _) if sends_messages => format!("send to {label}"),
            (BrokenEnd::Peer, _) => self.connection(),
            (BrokenEnd::Output, Endpoint::Stdio(_)) => return self.output_failed(error),
            (BrokenEnd::Input, Endpoint::Stdio(_)) => {
                words::tell(&Event::InputFailed(error));
                return Exit::Code(codes.other);
            }
            (BrokenEnd::Input, Endpoint::Child(_)) => format!("read from the program for {label}"),
            (BrokenEnd::Output, Endpoint::Child(_)) => format!("write to the program for {label}"),
            (BrokenEnd::Input | BrokenEnd::Output, _) => self.connection(),
        };
        let reason = self.why(place, error, joined);
        self.company.tell(&Event::Broken(&what, &reason));
        Exit::Code(codes.broken)
    }

    fn why(&self, place: BrokenEnd, error: &io::Error, joined: &mut Joined) -> String {
        let [local, remote] = joined.bridge.ends();
        let (end, dialed) = match place {
            BrokenEnd::Peer => (remote, &self.terms.remote),
            BrokenEnd::Input | BrokenEnd::Output => (local, &self.terms.local),
        };
        if let Endpoint::Tls(_) = end {
            let client = dialed.as_ref().and_then(|dialed| dialed.end().tls());
            tls::broken(error, client)
        } else {
            report::reason(error)
        }
    }

    /// The connection with the peer.
    fn connection(&self) -> String {
        let way = if self.terms.has_client() {
            "from"
        } else {
            "to"
        };
        format!("connection {way} {}", self.names.peer)
    }

    /// What has taken too long.
    fn subject(&self, joined: &Joined) -> String {
        if self.terms.has_client() && !self.has_messages(joined) {
            self.connection()
        } else {
            self.names.peer.to_string()
        }
    }

    /// Returns whether the peer sends messages, and has no connection.
    fn has_messages(&self, joined: &Joined) -> bool {
        let [local, remote] = joined.bridge.ends();
        let peer = if self.terms.relays() { local } else { remote };
        peer.keeps_messages()
    }

    /// Returns whether the peer has reset a connection that it can leave in no other way: chargen
    /// has no end.
    fn is_forgiven(&self, error: &io::Error) -> bool {
        let goes = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset].contains(&error.kind());
        goes && self.terms.rules.forgives_resets
    }

    fn output_failed(&self, error: &io::Error) -> Exit {
        words::tell(&Event::OutputFailed(error));
        Exit::Code(self.terms.manners.codes.other)
    }
}

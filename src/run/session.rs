//! A session as the modes see it: a bridge, the name of its peer, and what is said at its end.

use super::outcome::signal_exit;
use super::secure::Alerted;
use super::{logs, secure, words};
use crate::exit::Exit;
use crate::flow::bridge::{Bridge, BrokenEnd, Ended, Turn};
use crate::flow::exchange::{Direction, Exchange};
use crate::flow::flow::{Flow, Settings};
use crate::flow::stages::{Doubled, Pace, Stage, Tag};
use crate::io::datagram::{Datagram, MessageShape, PeerAddr, Peers};
use crate::io::endpoint::Endpoint;
use crate::io::reactor::{Registered, Registrar};
use crate::io::ready::Ready;
use crate::io::stdio::{Stdio, Uses};
use crate::net::addr;
use crate::parse::escape::printable;
use crate::plan::{PassEnd, Plan, Session, TelnetSides};
use crate::proto::crlf::Crlf;
use crate::proto::framing::Framer;
use crate::proto::telnet::Telnet;
use crate::report;
use socket2::{SockAddr, Socket};
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

/// The longest datagram that can come, in bytes: a Unix one is bounded by its sender's SO_SNDBUF,
/// by default 208 KiB. Where datagrams are joined, several UDP ones.
const MAX_RECEIVED_BYTES: usize = 256 << 10;
/// As much of standard input as is read at once when it makes several datagrams, in bytes. It is
/// what a pipe holds.
const SENT_BYTES: usize = 64 << 10;

/// A session under way.
pub struct Joined {
    bridge: Bridge,
    label: String,
    started: Instant,
    alerted: Alerted,
}

/// Makes an end of a datagram socket, which is connected or leads to the group `to`.
///
/// # Errors
/// The loop cannot wait for the socket.
pub fn datagram_end(
    sock: Socket,
    to: Option<SocketAddr>,
    registrar: &Registrar<'_>,
) -> io::Result<Endpoint> {
    let end = match to.filter(|_| sock.peer_addr().is_err()) {
        Some(group) => Datagram::to_group(sock, group, registrar),
        None => Datagram::new(sock, Peers::Connected, registrar),
    };
    Ok(Endpoint::Datagram(Box::new(end?)))
}

/// Our own end: standard input and output as far as the session uses them. `is_last` when no other
/// session follows, so that the peer's end is passed on to standard output.
pub fn local_end(
    session: &Session,
    is_last: bool,
    registrar: &Registrar<'_>,
) -> io::Result<Endpoint> {
    let uses = Uses {
        input: session.reads_stdin,
        output: session.writes_stdout,
        keeps_open: !is_last,
    };
    Ok(Endpoint::Stdio(Stdio::new(uses, registrar)?))
}

/// The stages of what is sent.
pub fn out_stages(session: &Session) -> Vec<Box<dyn Stage>> {
    let mut stages: Vec<Box<dyn Stage>> = Vec::new();
    if session.crlf {
        stages.push(Box::new(Crlf::default()));
    }
    if session.telnet == TelnetSides::Both {
        stages.push(Box::new(Doubled));
    }
    stages
}

/// The stage of what is received, which may be for other peers.
pub fn in_stage(session: &Session, is_for_peers: bool) -> Option<Box<dyn Stage>> {
    let telnet = match session.telnet {
        TelnetSides::Off => return None,
        TelnetSides::Both if is_for_peers => Telnet::for_peers(),
        TelnetSides::Received | TelnetSides::Both => Telnet::default(),
    };
    Some(Box::new(telnet))
}

/// A peer as `--tag` shows it.
fn tag(peer: &SockAddr) -> String {
    addr::ip(peer).map_or_else(|| addr::show(peer), |ip| ip.to_string())
}

/// The sender of a datagram as `--tag` shows it.
fn tag_of_sender(sender: &PeerAddr) -> String {
    match sender {
        PeerAddr::Ip(ip) => addr::unmapped(*ip).to_string(),
        PeerAddr::Unix(path) => printable(path.as_os_str().as_encoded_bytes()),
    }
}

/// How much of standard input is read at once: whole datagrams, so that a full pipe gives no short
/// ones in between.
fn read_bytes(shape: MessageShape) -> usize {
    let count = SENT_BYTES / shape.message_bytes;
    shape.message_bytes * count.max(1)
}

/// Sets how the messages of a datagram socket and the bytes of our own end go together.
fn set_up_datagrams(
    end: &mut Datagram,
    local: &Endpoint,
    plan: &Plan,
    out: &mut Settings,
    inn: &mut Settings,
) {
    let session = &plan.session;
    let shape = MessageShape {
        message_bytes: session.datagram_bytes,
        joins: local.joins_writes()
            && session.max_reads.is_none()
            && session.framing.is_none()
            && !session.tags_lines
            && plan.logs.is_empty(),
    };
    if !local.keeps_messages() {
        out.message_bytes = Some(read_bytes(shape));
    }
    end.set_shape(shape);
    if session.ignores_refusals {
        end.ignore_refusals();
    }
    if let Some(framing) = session.framing {
        end.take_frames();
        let framer = Framer::new(framing, session.datagram_bytes);
        out.stages.push(Box::new(framer));
        inn.stages.push(Box::new(framing));
        // The longest frame fits.
        out.message_bytes = Some(SENT_BYTES);
    }
    if session.tags_lines {
        let peer = end.socket().peer_addr().map(|peer| tag(&peer));
        let tag = Tag::new(peer.unwrap_or_default(), tag_of_sender);
        inn.stages.push(Box::new(tag));
    }
}

impl Joined {
    /// Joins the peer to our own end. `label` names the peer in messages: `127.0.0.1 port 80 (tcp)`.
    pub fn new(
        (local, mut remote): (Endpoint, Endpoint),
        plan: &Plan,
        label: String,
        now: Instant,
    ) -> Joined {
        let session = &plan.session;
        let mut out = Settings {
            stages: out_stages(session),
            pace: session.interval.map(Pace::new),
            holds_end: session.ends.pass_end != PassEnd::Now,
            may_offload: session.may_offload,
            passes_clean_ends_only: true,
            ..Settings::default()
        };
        let mut inn = Settings {
            stages: Vec::from_iter(in_stage(session, false)),
            max_reads: session.max_reads,
            may_offload: session.may_offload,
            ..Settings::default()
        };
        if remote.keeps_messages() {
            (out.message_bytes, inn.message_bytes) =
                (Some(MAX_RECEIVED_BYTES), Some(MAX_RECEIVED_BYTES));
        }
        let mut watchers = logs::watchers(&label);
        if let Endpoint::Datagram(end) = &mut remote {
            watchers = watchers.cut(session.datagram_bytes);
            set_up_datagrams(end, &local, plan, &mut out, &mut inn);
        }
        (out.taps, inn.taps) = (watchers.sent(), watchers.received());
        let exchange = session.follows_http.then(Exchange::default);
        if let Some(exchange) = &exchange {
            out.taps.exchange = Some(exchange.follower(Direction::Sent));
            inn.taps.exchange = Some(exchange.follower(Direction::Received));
        }
        let alerted = Alerted::default();
        inn.taps.first = secure::first_look(&remote, plan, &alerted);
        let (out, inn) = (Flow::new(out), Flow::new(inn));
        let mut bridge = Bridge::new(
            (local, remote),
            (out, inn),
            session.ends,
            session.limits,
            now,
        );
        if let Some(exchange) = exchange {
            bridge.follow(exchange);
        }
        Joined {
            bridge,
            label,
            started: now,
            alerted,
        }
    }

    /// Counts the time for the whole connection from `began` on, which was before this.
    pub fn count_from(&mut self, began: Instant) {
        self.bridge.count_from(began);
    }

    /// Only the bridge, for modes that report its end in words of their own, and whether the peer has
    /// sent an alert.
    pub fn into_bridge(self) -> (Bridge, Alerted) {
        (self.bridge, self.alerted)
    }

    /// Takes in an event.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        self.bridge.note(id, ready);
    }

    /// Moves what can be moved.
    pub fn drive(&mut self, now: Instant) -> Turn {
        self.bridge.drive(now)
    }

    /// When the session wants to be driven even if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        self.bridge.deadline()
    }

    /// A signal came: deliver what is received, then leave.
    pub fn leave(&mut self, now: Instant) {
        self.bridge.leave(Ended::Signalled, now);
    }

    /// The peer's end, if it is one of datagrams.
    pub fn datagram(&mut self) -> Option<&mut Datagram> {
        match self.bridge.remote() {
            Endpoint::Datagram(end) => Some(end),
            _ => None,
        }
    }

    /// The name of the peer in messages.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Names the peer anew.
    pub fn set_label(&mut self, label: String) {
        self.label = label;
    }

    /// Reports what there is to report about the end, and returns the exit code.
    pub fn finish(mut self, ended: &Ended, plan: &Plan) -> Exit {
        let (sent, received) = self.bridge.moved();
        let seconds = self.started.elapsed().as_secs_f64();
        let (level, totals) = words::totals((sent, received), seconds, ended, plan);
        report::verbose(level, &totals);
        let drops = self.datagram().map_or(0, |end| end.drops());
        if drops > 0 {
            let datagrams = if drops == 1 { "datagram" } else { "datagrams" };
            report::verbose(2, &format!("{drops} {datagrams} dropped by the kernel"));
        }
        let label = &self.label;
        if self.bridge.is_used_up() {
            report::verbose(1, &format!("{label} reached --max-bytes"));
        }
        let alert = self.alerted.line(label, received);
        let by_peer = !matches!(
            ended,
            Ended::Signalled | Ended::Broken(BrokenEnd::Input | BrokenEnd::Output, _)
        );
        if let Some(line) = alert.filter(|_| by_peer) {
            report::failure(&line);
            return Exit::Code(plan.codes.broken);
        }
        let loss = match self.bridge.local() {
            Endpoint::Stdio(stdio) => stdio.take_loss(),
            _ => None,
        };
        match ended {
            Ended::Clean | Ended::Quit => match loss.filter(|_| plan.session.tells_breaks) {
                Some(error) => output_failed(&error, plan),
                None => Exit::OK,
            },
            Ended::Signalled => signal_exit(),
            Ended::TimedOut(late) if late.is_wanted() => Exit::OK,
            Ended::TimedOut(late) => {
                // nc takes silence for an ordinary end, and says nothing even with -v.
                if plan.session.tells_breaks {
                    report::failure(&words::late(label, late));
                }
                Exit::Code(plan.codes.timed_out)
            }
            Ended::Broken(BrokenEnd::Peer, error) | Ended::Truncated(_, error) => {
                let verb = if self.bridge.remote().keeps_messages() {
                    "send to"
                } else {
                    "connection to"
                };
                report::failure(&words::broken(verb, label, error, plan));
                Exit::Code(plan.codes.broken)
            }
            Ended::Broken(BrokenEnd::Output, error) => output_failed(error, plan),
            Ended::Broken(BrokenEnd::Input, error) => {
                let reason = report::reason(error);
                report::error(&format!("read from standard input failed: {reason}"));
                Exit::Code(plan.codes.other)
            }
        }
    }
}

fn output_failed(error: &io::Error, plan: &Plan) -> Exit {
    let reason = report::reason(error);
    report::error(&format!("write to standard output failed: {reason}"));
    Exit::Code(plan.codes.other)
}

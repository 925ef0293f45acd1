//! Joining two open ends: a bridge with the flows that the rules ask for.

use super::logs;
use super::secure::{self, Alerted};
use super::terms::Terms;
use crate::flow::bridge::Bridge;
use crate::flow::exchange::{Direction, Exchange};
use crate::flow::flow::{Flow, Settings};
use crate::flow::stages::{Doubled, Pace, Stage, Tag};
use crate::io::datagram::{Datagram, MAX_RECEIVED_BYTES, MessageShape, PeerAddr};
use crate::io::endpoint::Endpoint;
use crate::net::addr;
use crate::parse::escape::printable;
use crate::plan::{PassEnd, Rules, TelnetSides};
use crate::proto::crlf::Crlf;
use crate::proto::framing::Framer;
use crate::proto::telnet::Telnet;
use socket2::SockAddr;
use std::time::Instant;

/// As much of standard input as is read at once when it makes several datagrams, in bytes. It is
/// what a pipe holds.
const SENT_BYTES: usize = 64 << 10;

/// Two ends that are joined.
pub struct Joined {
    /// What moves the bytes between them.
    pub bridge: Bridge,
    /// Whether our side, and the peer, has answered with a TLS alert.
    pub alerted: [Alerted; 2],
    /// Since when.
    pub started: Instant,
}

/// Joins the peer to our side. `label` names the peer in logs.
pub fn join(ends: [Endpoint; 2], terms: &Terms, label: &str, now: Instant) -> Joined {
    let [local, mut remote] = ends;
    let rules = &terms.rules;
    let is_stdio = matches!(local, Endpoint::Stdio(_));
    let mut out = Settings {
        stages: out_stages(rules),
        pace: rules.interval.map(Pace::new),
        holds_end: rules.ends.pass_end != PassEnd::Now,
        may_offload: rules.may_offload,
        passes_clean_ends_only: true,
        ..Settings::default()
    };
    let mut inn = Settings {
        stages: Vec::from_iter(in_stage(rules, false)),
        max_reads: rules.max_reads,
        may_offload: rules.may_offload,
        passes_clean_ends_only: terms.relays(),
        ..Settings::default()
    };
    if remote.keeps_messages() {
        (out.message_bytes, inn.message_bytes) =
            (Some(MAX_RECEIVED_BYTES), Some(MAX_RECEIVED_BYTES));
    }
    let mut watchers = logs::watchers(label);
    if let Endpoint::Datagram(end) = &mut remote {
        watchers = watchers.cut(rules.datagram_bytes);
        set_up_datagrams(end, &local, rules, &mut out, &mut inn);
    }
    (out.taps, inn.taps) = (watchers.sent(), watchers.received());
    let exchange = rules.follows_http.then(Exchange::default);
    if let Some(exchange) = &exchange {
        out.taps.exchange = Some(exchange.follower(Direction::Sent));
        inn.taps.exchange = Some(exchange.follower(Direction::Received));
    }
    let alerted = <[Alerted; 2]>::default();
    out.taps.first = secure::first_look(&local, terms.local.is_none(), &alerted[0]);
    inn.taps.first = secure::first_look(&remote, terms.remote.is_none(), &alerted[1]);
    if !is_stdio {
        // The sender has gathered what belongs together. No TCP socket holds nothing back.
        for stream in [&local, &remote].into_iter().filter_map(Endpoint::stream) {
            let _ = stream.socket().set_tcp_nodelay(true);
        }
    }
    let flows = (Flow::new(out), Flow::new(inn));
    let mut bridge = Bridge::new((local, remote), flows, rules.ends, rules.limits, now);
    if let Some(exchange) = exchange {
        bridge.follow(exchange);
    }
    Joined {
        bridge,
        alerted,
        started: now,
    }
}

/// The stages of what is sent.
pub fn out_stages(rules: &Rules) -> Vec<Box<dyn Stage>> {
    let mut stages: Vec<Box<dyn Stage>> = Vec::new();
    if rules.crlf {
        stages.push(Box::new(Crlf::default()));
    }
    if rules.telnet == TelnetSides::Both {
        stages.push(Box::new(Doubled));
    }
    stages
}

/// The stage of what is received, which may be for other peers.
pub fn in_stage(rules: &Rules, is_for_peers: bool) -> Option<Box<dyn Stage>> {
    let telnet = match rules.telnet {
        TelnetSides::Off => return None,
        TelnetSides::Both if is_for_peers => Telnet::for_peers(),
        TelnetSides::Received | TelnetSides::Both => Telnet::default(),
    };
    Some(Box::new(telnet))
}

/// Sets how the messages of a datagram socket and the bytes of our own end go together.
fn set_up_datagrams(
    end: &mut Datagram,
    local: &Endpoint,
    rules: &Rules,
    out: &mut Settings,
    inn: &mut Settings,
) {
    let shape = MessageShape {
        message_bytes: rules.datagram_bytes,
        joins: local.joins_writes()
            && rules.max_reads.is_none()
            && rules.framing.is_none()
            && !rules.tags_lines
            && !logs::are_kept(),
    };
    if !local.keeps_messages() {
        out.message_bytes = Some(read_bytes(shape));
    }
    end.set_shape(shape);
    if rules.ignores_refusals {
        end.ignore_refusals();
    }
    if let Some(framing) = rules.framing {
        end.take_frames();
        let framer = Framer::new(framing, rules.datagram_bytes);
        out.stages.push(Box::new(framer));
        inn.stages.push(Box::new(framing));
        // The longest frame fits.
        out.message_bytes = Some(SENT_BYTES);
    }
    if rules.tags_lines {
        let peer = end.socket().peer_addr().map(|peer| tag(&peer));
        let tag = Tag::new(peer.unwrap_or_default(), tag_of_sender);
        inn.stages.push(Box::new(tag));
    }
}

/// How much of standard input is read at once: whole datagrams, so that a full pipe gives no short
/// ones in between.
fn read_bytes(shape: MessageShape) -> usize {
    let count = SENT_BYTES / shape.message_bytes;
    shape.message_bytes * count.max(1)
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

//! The words for events, in the language of the dialect: those of nc and of Ncat to the letter.

mod opening;
mod tls;
mod tone;

pub use opening::{could_not_resolve, no_connection, not_bound, not_opened, opening};

use super::event::{Event, Totals};
use crate::flow::bridge::Ended;
use crate::flow::limits::Late;
use crate::net::addr::{self, show_ip};
use crate::net::news::News;
use crate::net::unix;
use crate::plan::{End, Manners};
use crate::report::{self, Wording};
use crate::sys::sockopt::Credentials;
use socket2::{SockAddr, Socket};
use std::io;
use std::net::Ipv4Addr;
use tone::Tone;

/// Lines, and when and how they are printed.
struct PrintedLines {
    tone: Tone,
    lines: Vec<String>,
}

impl PrintedLines {
    fn new(tone: Tone, lines: impl IntoIterator<Item = String>) -> PrintedLines {
        let lines = lines.into_iter().collect();
        PrintedLines { tone, lines }
    }
}

fn line(text: impl Into<String>) -> PrintedLines {
    PrintedLines::new(Tone::Line, [text.into()])
}

fn verbose(level: u8, text: impl Into<String>) -> PrintedLines {
    PrintedLines::new(Tone::Verbose(level), [text.into()])
}

fn failure(text: impl Into<String>) -> PrintedLines {
    PrintedLines::new(Tone::Failure, [text.into()])
}

fn error(text: impl Into<String>) -> PrintedLines {
    PrintedLines::new(Tone::Error, [text.into()])
}

/// Something that failed, and why.
fn failed(what: &str, why: &io::Error) -> PrintedLines {
    error(format!("{what} failed: {}", report::reason(why)))
}

/// Prints an event.
pub fn tell(event: &Event<'_>) {
    let own = match report::wording() {
        Wording::Ncat => ncat(event),
        Wording::Netcat => None,
    };
    let PrintedLines { tone, lines } = own.unwrap_or_else(|| netcat(event));
    lines.iter().for_each(|line| tone.tell(line));
}

/// Prints what `-v` prints while an end is opened, at this port.
pub fn tell_opening(news: &News, end: &End, port: u16) {
    let lines = opening(news, end, port, false);
    lines.iter().for_each(|line| report::line(line));
}

/// In Ncat's words, where it has some.
fn ncat(event: &Event<'_>) -> Option<PrintedLines> {
    Some(match event {
        Event::Listening { bound, is_dual, .. } => {
            let (any, port) = (Ipv4Addr::UNSPECIFIED, bound.port());
            let both = is_dual.then(|| format!("Ncat: Listening on {any}:{port}"));
            let first = format!("Ncat: Listening on {bound}");
            PrintedLines::new(Tone::Line, [first].into_iter().chain(both))
        }
        Event::ListeningAt { place, .. } => line(format!("Ncat: Listening on {place}")),
        Event::OwnCertificate(pin, _) => {
            let how = "Use --ssl-key and --ssl-cert to use a permanent one";
            let made = format!("Generating a temporary P-256 key. {how}");
            PrintedLines::new(Tone::Verbose(1), [made, format!("Fingerprint: {pin}")])
        }
        Event::Came(_, ip) => verbose(1, format!("Connection from {ip}")),
        Event::CameTo(_) => verbose(1, "Connection from a client on Unix domain socket"),
        Event::Denied(_) => line("Ncat: New connection denied: not allowed"),
        Event::Totals(totals) => {
            let is_regular = matches!(totals.ended, Ended::Clean | Ended::Quit);
            let level = if is_regular && !totals.came { 1 } else { 2 };
            verbose(level, amounts(totals, 2))
        }
        Event::Late(_, Late::Idle(limit)) => {
            failure(format!("Idle timeout expired ({} ms)", limit.as_millis()))
        }
        Event::Broken(_, why) => failure(*why),
        _ => return None,
    })
}

/// In nc's words, and in rnc's own.
fn netcat(event: &Event<'_>) -> PrintedLines {
    let why = report::reason;
    match event {
        Event::Listening {
            is_bound,
            host,
            bound,
            ..
        } => line(format!("{} on {host} {}", listens(*is_bound), bound.port())),
        Event::ListeningAt {
            is_bound,
            place,
            is_own,
        } => {
            let shows_both = *is_own && report::is_verbose(1);
            let bound = shows_both.then(|| format!("Bound on {place}"));
            let is_only_bound = *is_bound && (shows_both || !is_own);
            let listening = format!("{} on {place}", listens(is_only_bound));
            let listening = Some(listening).filter(|_| !(shows_both && *is_bound));
            PrintedLines::new(Tone::Line, bound.into_iter().chain(listening))
        }
        Event::OwnCertificate(pin, place) => {
            let how = |place| format!("Connect with: rnc --tls --tls-pin {pin} {place}");
            let made = format!("TLS certificate {pin}");
            PrintedLines::new(Tone::Line, [made].into_iter().chain(place.map(how)))
        }
        Event::Came(host, ip) => verbose(1, format!("Connection received on {host} {}", ip.port())),
        Event::CameTo(place) => verbose(1, format!("Connection received on {place}")),
        Event::ClientSecured(agreed) => PrintedLines::new(Tone::Verbose(1), agreed.iter().cloned()),
        Event::HandshakeFailed(label, error, server) => {
            failure(tls::client_failed(label, error, server))
        }
        Event::HandshakeDropped(label) => {
            let line = format!("TLS handshake with {label} given up: others are waiting");
            verbose(1, line)
        }
        Event::Denied(who) => verbose(1, format!("Connection from {who} denied")),
        Event::TurnedAway(error) => verbose(1, format!("A client was turned away: {}", why(error))),
        Event::Full(most) => {
            let line = format!("New connection denied: connection limit reached ({most})");
            verbose(1, line)
        }
        Event::Answer(ip) => verbose(1, format!("Answer from {} {}", show_ip(ip), ip.port())),
        Event::Lost(peer, error) => {
            verbose(1, format!("Datagrams to {peer} are lost: {}", why(error)))
        }
        Event::SpeaksTls => verbose(1, "The client speaks TLS, which --tls understands"),
        Event::AccessRead => verbose(1, "Who may come in has been read again"),
        Event::OpenToAll => error(
            "warning: any host that reaches this machine can use the program; --allow, or an \
             address to listen on, limits that",
        ),
        Event::PeersFull(most) => error(format!("{most} peers at once: others are not heard")),
        Event::Short(error) => self::error(format!("accept failed: {}; clients wait", why(error))),
        Event::NobodyCame(limit) => error(format!("no client connected within {limit:?}")),
        Event::Itself(label) => error(format!(
            "connect to {label} failed: rnc itself listens there"
        )),
        event => session(event),
    }
}

/// About sessions.
fn session(event: &Event<'_>) -> PrintedLines {
    match event {
        Event::Totals(totals) => verbose(2, amounts(totals, 3)),
        Event::Left(peer, (sent, received)) => {
            let line = format!("{peer} left: {sent} bytes sent, {received} received");
            verbose(2, line)
        }
        Event::Answered(received, answered) => {
            let line = format!("{received} datagrams received, {answered} answered");
            verbose(2, line)
        }
        Event::Dropped(1) => verbose(2, "1 datagram dropped by the kernel"),
        Event::Dropped(count) => verbose(2, format!("{count} datagrams dropped by the kernel")),
        Event::UsedUp(peer) => verbose(1, format!("{peer} reached --max-bytes")),
        Event::Alert(peer) => {
            let speaks = "it speaks TLS, as its alert shows (see --tls)";
            failure(format!("connection to {peer} failed: {speaks}"))
        }
        Event::Late(Some(what), late) => failure(format!("{what} timed out: {late}")),
        Event::Late(None, late) => failure(format!("timed out: {late}")),
        Event::Broken(what, why) => failure(format!("{what} failed: {why}")),
        Event::SendFailed(error) => {
            let reason = report::reason(error);
            failure(format!("send to the peer failed: {reason}"))
        }
        Event::Stalled(peer) => error(format!("{peer} does not read: dropped")),
        Event::ReceiveFailed(error) => failed("receive", error),
        Event::InputFailed(error) => failed("read from standard input", error),
        Event::OutputFailed(error) => failed("write to standard output", error),
        Event::NotPassed(error) => failed("pass the socket to standard output", error),
        Event::NotAsked(error) => {
            let reason = report::reason(error);
            self::error(format!("cannot ask for the proxy password: {reason}"))
        }
        _ => PrintedLines::new(Tone::Line, None),
    }
}

fn listens(is_bound: bool) -> &'static str {
    if is_bound { "Bound" } else { "Listening" }
}

/// How much went over a session, and in how many seconds, with so many decimals.
fn amounts(totals: &Totals<'_>, decimals: usize) -> String {
    let ((sent, received), seconds) = (totals.moved, totals.time.as_secs_f64());
    format!("{sent} bytes sent, {received} bytes received in {seconds:.decimals$} seconds")
}

/// Where a client has come from, or at a Unix socket where to, and whose process it is:
/// `127.0.0.1 54182`, `/run/socket (pid 12, uid 1000, gid 1000)`.
pub fn came(sock: &Socket, addr: &SockAddr, manners: &Manners) -> String {
    if let Some(ip) = addr::ip(addr) {
        return format!("{} {}", show_ip(&ip), ip.port());
    }
    if addr.as_vsock_address().is_some() {
        return addr::show(addr);
    }
    let local = sock.local_addr();
    let place = local.map(|addr| addr::show(&addr)).unwrap_or_default();
    match unix::credentials(sock, addr).filter(|_| manners.tells_users) {
        Some(Credentials { pid, uid, gid }) => {
            format!("{place} (pid {pid}, uid {uid}, gid {gid})")
        }
        None => place,
    }
}

//! Services that need no program, over datagrams: each datagram is answered to its
//! sender and then forgotten, so that peers cannot pile up.

use super::bind::BoundSock;
use super::event::Event;
use super::logs;
use super::loops::Loops;
use super::outcome::signal_exit;
use super::welcome::Welcome;
use super::words;
use crate::exit::Exit;
use crate::flow::limits::Late;
use crate::flow::taps::Taps;
use crate::io::datagram::{Datagram, MAX_RECEIVED_BYTES, PeerAddr, PeerMode};
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Drive, Registered, Step};
use crate::io::ready::{Got, Put, Ready};
use crate::net::addr;
use crate::plan::{Answer, Builtin, Limits, Manners};
use crate::proto::services::{self, Chargen, MOST_CHARGEN_BYTES};
use crate::report;
use crate::sys::clock;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::ops::Range;
use std::time::Instant;

/// Datagrams answered in one turn, before signals and the rest are looked at.
const TURN: usize = 64;

/// Answers datagrams.
pub struct Answers {
    manners: Manners,
    limits: Limits,
    builtin: Builtin,
    end: Datagram,
    /// Our own port, if there are ports.
    port: Option<u16>,
    /// How peers are received.
    welcome: Welcome,
    /// The datagram that came, or its answer.
    buf: Box<[u8]>,
    /// The answer in `buf` that could not be sent yet.
    waiting: Option<Range<usize>>,
    chargen: Chargen,
    loops: Loops,
    taps: Taps,
    /// Datagrams received and answered.
    counts: (u64, u64),
    /// When a datagram first came, and when last.
    came: Option<(Instant, Instant)>,
    signalled: bool,
}

impl Answers {
    /// Answers what comes to a bound socket.
    ///
    /// # Errors
    /// The socket cannot be registered.
    pub fn new(
        answer: &Answer,
        bound: BoundSock,
        manners: Manners,
        cx: Cx<'_>,
    ) -> io::Result<Answers> {
        let own = bound.sock.local_addr().ok();
        let own = own.as_ref().and_then(addr::ip);
        let mut end = Datagram::new(bound.sock, PeerMode::Last, &cx.registrar)?;
        let mut welcome = Welcome::new(&answer.listening, bound.guard, bound.files, manners);
        welcome.watch(&mut end);
        Ok(Answers {
            builtin: answer.builtin,
            limits: answer.rules.limits,
            end,
            port: own.map(|own| own.port()),
            welcome,
            buf: vec![0; MAX_RECEIVED_BYTES].into(),
            waiting: None,
            chargen: Chargen::default(),
            loops: Loops::default(),
            taps: logs::watchers("somebody without a name").both(),
            counts: (0, 0),
            came: None,
            manners,
            signalled: false,
        })
    }

    /// Sends the answer that waits, then receives and answers the next datagram; `false` when one
    /// or the other has to wait.
    fn answer_one(&mut self, cx: Cx<'_>) -> io::Result<bool> {
        let end = &mut self.end;
        if let Some(answer) = self.waiting.clone() {
            let answer = &self.buf[answer];
            if end.try_write(answer)? == Put::Pending {
                return Ok(false);
            }
            if let Some(tap) = &mut self.taps.writes {
                tap.see(answer, end.sender());
            }
            self.waiting = None;
            self.counts.1 += 1;
            tell_fault(end);
        }
        let got = end.try_read(&mut self.buf)?;
        self.welcome.watch(end);
        let Got::Bytes(len) = got else {
            return Ok(got == Got::Again);
        };
        self.counts.0 += 1;
        self.welcome.has_come();
        let (first, _) = self.came.unwrap_or((cx.now, cx.now));
        self.came = Some((first, cx.now));
        let sender = end.sender();
        if let Some(tap) = &mut self.taps.reads {
            tap.see(&self.buf[..len], sender.clone());
        }
        for peer in end.take_new_peers() {
            self.welcome.greeter.greet_sender(&peer, &cx.registrar);
        }
        let may_answer = match (&sender, self.port) {
            (Some(PeerAddr::Ip(ip)), Some(own)) => services::may_be_answered(ip.port(), own),
            (sender, _) => sender.is_some(),
        };
        let asked = match self.builtin {
            Builtin::Echo => &self.buf[..len],
            // They answer everything alike.
            Builtin::Discard | Builtin::Chargen | Builtin::Daytime => &[],
        };
        if may_answer && !self.loops.is_loop(&(sender, asked), cx.now) {
            self.waiting = self.compose(len);
        }
        Ok(true)
    }

    /// Puts the answer to the datagram of `len` bytes in `buf` in its place, if it gets one.
    fn compose(&mut self, len: usize) -> Option<Range<usize>> {
        match self.builtin {
            Builtin::Echo => Some(0..len),
            Builtin::Discard => None,
            Builtin::Chargen => {
                let len = any_length(MOST_CHARGEN_BYTES);
                self.chargen.fill(&mut self.buf[..len]);
                Some(0..len)
            }
            Builtin::Daytime => {
                let line = services::daytime(clock::since_1970().as_secs());
                self.buf[..line.len()].copy_from_slice(line.as_bytes());
                Some(0..line.len())
            }
        }
    }

    fn answer(&mut self, cx: Cx<'_>) -> io::Result<Step<Exit>> {
        for _ in 0..TURN {
            if !self.answer_one(cx)? {
                return Ok(Step::Wait);
            }
        }
        Ok(Step::Again)
    }

    /// The limit of time that is reached first, and when; from the first datagram on.
    fn time_limit(&self) -> Option<(Instant, Late)> {
        let ((first, last), limits) = (self.came?, self.limits);
        let idle = |idle| (last + idle, Late::Idle(idle));
        let whole = |whole| (first + whole, Late::Whole(whole));
        let limits = [limits.idle.map(idle), limits.whole.map(whole)];
        limits.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn timed_out(&mut self, late: Late) -> Exit {
        self.tell_totals();
        if late.is_wanted() {
            return Exit::OK;
        }
        words::tell(&Event::Late(None, late));
        Exit::Code(self.manners.codes.timed_out)
    }

    /// What was done, at the end.
    fn tell_totals(&mut self) {
        self.welcome.greeter.flush();
        let (received, answered) = self.counts;
        words::tell(&Event::Answered(received, answered));
        let drops = self.end.drops();
        if drops > 0 {
            words::tell(&Event::Dropped(drops));
        }
    }
}

/// Prints, with `-v` only since there may be many, that an answer could not be sent.
fn tell_fault(end: &mut Datagram) {
    if let Some(error) = end.take_send_fault()
        && report::is_verbose(1)
    {
        words::tell(&Event::SendFailed(&error));
    }
}

/// A length from 0 to `most`, with the randomness of std's hash keys: no secret hangs on it.
fn any_length(most: usize) -> usize {
    let span = most as u64 + 1;
    usize::try_from(RandomState::new().hash_one(most) % span).unwrap_or_default()
}

impl Drive<Exit> for Answers {
    fn note(&mut self, id: Registered, ready: Ready) {
        self.end.note(id, ready);
    }

    fn notice(&mut self, notice: &Notice, _now: Instant) {
        self.welcome.notice(notice);
        self.signalled |= matches!(notice, Notice::Ending);
    }

    fn drive(&mut self, cx: Cx<'_>) -> Step<Exit> {
        if self.signalled {
            self.tell_totals();
            return Step::Done(signal_exit());
        }
        let answered = self.answer(cx);
        if let Some(exit) = self.welcome.nobody_came(cx.now) {
            return Step::Done(exit);
        }
        match (answered, self.time_limit().filter(|(at, _)| cx.now >= *at)) {
            (Ok(_), Some((_, late))) => Step::Done(self.timed_out(late)),
            (Ok(step), None) => step,
            (Err(error), _) => {
                words::tell(&Event::ReceiveFailed(&error));
                Step::Done(Exit::FAILED)
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let limit = self.time_limit().map(|(at, _)| at);
        limit.into_iter().chain(self.welcome.deadline()).min()
    }
}

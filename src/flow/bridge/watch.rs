//! What the end of one flow of a bridge, or a peer that has vanished, means for the other flow.

use super::super::flow::{Fault, FlowState};
use super::super::liveness::is_unread;
use super::Bridge;
use crate::io::error;
use crate::sys::errno;
use std::io;
use std::time::Instant;

impl Bridge {
    /// Looks at what the end of one flow means for the other.
    pub(super) fn watch_ends(&mut self, now: Instant) {
        self.watch_liveness(now);
        if self.inn.has_used_up_reads() {
            self.out.end_source();
        }
        if self.is_used_up() {
            self.out.end_source();
            self.inn.end_source();
        }
        if self.inn.state() == FlowState::Open
            && let Some(fault) = self.local.write_fault()
        {
            self.inn.break_sink(fault.error);
        }
        if let Some(Fault::Sink(error)) = self.inn.fault() {
            match error.kind() {
                io::ErrorKind::BrokenPipe => {}
                _ if self.local.is_one_socket() => self.out.break_source(error::copy(error)),
                _ => self.out.end_source(),
            }
            self.inn.discard();
        }
        let peer_is_silent = !matches!(self.inn.state(), FlowState::Open);
        let broken = self.inn.fault().filter(|fault| !fault.is_truncation());
        if let Some(Fault::Source(error)) = broken {
            let error = error::copy(error);
            self.out.break_sink(error);
        } else if peer_is_silent {
            self.watch_half_closed_peer(now);
        }
        if self.remote.keeps_messages()
            && let Some(Fault::Sink(error)) = self.out.fault()
        {
            let error = error::copy(error);
            self.inn.break_source(error);
        }
    }

    /// A peer whose system has not acknowledged anything for too long has vanished.
    fn watch_liveness(&mut self, now: Instant) {
        let [peer, client] = &mut self.liveness;
        if peer.finds_lost(&self.remote, self.out.moved(), now) {
            self.inn.break_source(errno::timed_out());
            self.out.break_sink(errno::timed_out());
        }
        if client.finds_lost(&self.local, self.inn.moved(), now) {
            self.out.break_source(errno::timed_out());
            self.inn.break_sink(errno::timed_out());
        }
    }

    /// The peer has sent its end: it may still read, or be gone altogether. Gone without an error,
    /// or where nothing was sent, nothing is lost, and that is a clean end; a reset says that it
    /// has not read everything.
    fn watch_half_closed_peer(&mut self, now: Instant) {
        let sent = self.out.moved();
        let sent_before = *self.sent_at_peer_end.get_or_insert(sent);
        if self.out.state() == FlowState::Closed {
            return;
        }
        if let Some(fault) = self.remote.write_fault() {
            let is_lost = is_unread(&fault, sent, self.last, now);
            if is_lost || sent != sent_before || self.out.is_pending() {
                self.out.break_sink(fault.error);
            } else {
                self.out.end_source();
            }
        }
    }
}

//! The matrix of sessions: where the peer comes from, what it is joined to, the dialect and the
//! transport, and for each of them what happens at an event: the bytes at both ends, the exit code,
//! and every line on standard error. `tables/` has a file for each event, and says in text what is
//! expected.
//!
//! `RNC_RECORD=1 cargo test --test outside matrix` writes the tables anew from what rnc does; rows that
//! are new need nothing but their names.

mod command;
mod ends;
mod events;
mod outcome;
mod row;
mod runner;
mod session;
mod table;
mod world;

use row::{Dialect, Event};

/// A module for each event, with a test for each dialect.
macro_rules! events {
    ($($event:ident = $value:ident),* $(,)?) => {
        $(mod $event {
            use super::{Dialect, Event, runner};

            #[test]
            fn native() {
                runner::hold(Event::$value, Dialect::Native);
            }

            #[test]
            fn nc() {
                runner::hold(Event::$value, Dialect::Nc);
            }

            #[test]
            fn ncat() {
                runner::hold(Event::$value, Dialect::Ncat);
            }
        })*
    };
}

events! {
    whole = Whole,
    half_close = HalfClose,
    far_first = FarFirst,
    reset = Reset,
    target_reset = TargetReset,
    cut_off = CutOff,
    idle = Idle,
    wait = Wait,
    timeout = Timeout,
    max_bytes = MaxBytes,
    proxy_refuses = ProxyRefuses,
    term = Term,
    term_waiting = TermWaiting,
    term_connecting = TermConnecting,
    term_proxy = TermProxy,
    term_handshake = TermHandshake,
    term_lingering = TermLingering,
    hello = Hello,
    plain = Plain,
    alert = Alert,
    nobody = Nobody,
    ready = Ready,
    full = Full,
    denied = Denied,
    refused = Refused,
    late = Late,
    no_program = NoProgram,
}

#[test]
fn every_row_stands_in_the_table_of_its_event_once() {
    runner::tables_are_sound();
}

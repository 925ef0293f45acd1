//! The parts of rnc, for its own binary, tests, fuzzers and benchmarks; not a published API.
//!
//! The floors, from the top; each uses only what is below it:
//!
//! | floor | module | what it is |
//! | --- | --- | --- |
//! | 5 | `cli` | words of the command line → plan |
//! | 4 | `run` | sessions: where their peers come from, what they are joined to, how they end |
//! | 3 | `flow` | moving bytes between two ends, or among many |
//! | 3 | `net` | getting ends: names, addresses, connecting, listening |
//! | 2 | `io` | non-blocking ends, and the loop that waits for them |
//! | 1 | `sys` | the operating system; the only unsafe code |
//! | 0 | `plan` | what to do, as data |
//! | 0 | `parse` | user text ↔ types |
//! | 0 | `proto` | wire formats as machines without sockets or clocks |
//!
//! `report` (what is printed for the user) and `exit` (the exit codes) may be used from everywhere.

#![warn(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]

pub mod cli;
pub mod exit;
pub mod flow;
pub mod io;
pub mod net;
pub mod parse;
pub mod plan;
pub mod proto;
pub mod report;
pub mod run;
pub mod sys;

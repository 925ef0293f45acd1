//! The end-of-stream contract (DESIGN.md, section 5), seen from outside: what reaches the other
//! end, what reaches stdout, when rnc leaves, and with which exit code.

mod blocked;
mod cut_off;
mod dialect;
mod ends;
mod exit_codes;
mod half_close;
mod limits;
mod matrix;
mod pass_end;
mod resources;
mod session;

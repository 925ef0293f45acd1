//! The exit codes, in one table. Called as `nc`, usage errors are 1 and a timeout is 0, as nc's.
//!
//! | code | meaning |
//! | --- | --- |
//! | 0 | both directions ended cleanly; a port was found open |
//! | 1 | the network failed: refused, unreachable, unknown name, reset with data possibly lost, the listener could not be made, standard output full |
//! | 2 | the command line is wrong, or a list of hosts in a file it names |
//! | 3 | timed out |
//! | 128 + n | ended by signal n (rnc cleans up, then ends by the signal itself) |

/// How rnc ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// A code for `exit(3)`.
    Code(u8),
    /// The number of the signal to end by.
    Signal(i32),
}

impl Exit {
    /// Both directions ended cleanly.
    pub const OK: Exit = Exit::Code(0);
    /// The network, or standard output, failed.
    pub const FAILED: Exit = Exit::Code(1);
    /// The command line is wrong.
    pub const USAGE: Exit = Exit::Code(2);
}

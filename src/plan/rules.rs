//! What a session does with its bytes, and when it ends.

use super::limits::Limits;
use std::time::Duration;

/// When a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// When both directions have ended.
    Both,
    /// When the peer has ended and everything read is sent.
    Peer,
    /// When standard input has ended and is sent.
    Stdin,
    /// Never, but for signals and limits.
    Never,
}

/// When the end of what is sent is passed on to the peer (FIN, close_notify), once all of it is
/// sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassEnd {
    /// At once.
    Now,
    /// When the peer has been silent for that long after its last byte, and after it acknowledged
    /// our last byte. Many servers drop an answer when the end of its request comes before it.
    WhenQuiet(Duration),
    /// Not before rnc leaves.
    Never,
}

/// The rules at the end of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// What makes a session over.
    pub until: Until,
    /// When the end of standard input is passed on to the peer.
    pub pass_end: PassEnd,
    /// After the end of standard input: leave when nothing has moved for that long.
    pub quit: Option<Duration>,
    /// Stay that long after the session is over (nc's `-q` on a TCP client).
    pub linger: Option<Duration>,
    /// After an HTTP request the end is passed on when its answer is whole, not when it is quiet.
    pub waits_for_answers: bool,
    /// A time limit is an ordinary end, as for nc; else it cuts the session off.
    pub time_limit_is_end: bool,
    /// Standard input is a terminal: Ctrl-C, and closing it, do not cut the session off.
    pub user_may_end: bool,
}

impl Ends {
    /// A session that is over when both directions have ended, each end being passed on at once.
    pub const BOTH: Ends = Ends {
        until: Until::Both,
        pass_end: PassEnd::Now,
        quit: None,
        linger: None,
        waits_for_answers: false,
        time_limit_is_end: false,
        user_may_end: false,
    };
}

/// What a session does about telnet commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TelnetSides {
    /// They are data.
    #[default]
    Off,
    /// Those of the peer are answered and taken out; what is sent is not changed, as in nc and
    /// Ncat.
    Received,
    /// As `Received`, and no byte of what is sent is taken for one. RFC 854.
    Both,
}

/// What a session does with its bytes.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The rules at its end.
    pub ends: Ends,
    /// How much it may take.
    pub limits: Limits,
    /// Standard input is read.
    pub reads_stdin: bool,
    /// Standard output is written.
    pub writes_stdout: bool,
    /// LF is sent as CR LF.
    pub crlf: bool,
    /// What is done about telnet commands.
    pub telnet: TelnetSides,
    /// Pause after each line sent.
    pub interval: Option<Duration>,
    /// Reads from the network after which the session is over.
    pub max_reads: Option<u64>,
    /// The longest datagram made of standard input, in bytes.
    pub datagram_bytes: usize,
    /// Datagrams are not what one read gives, but stand in standard input and output like this.
    pub framing: Option<Framing>,
    /// Bytes may go past this process where nothing in it wants to see them.
    pub may_offload: bool,
    /// Before each line on standard output stands which peer it comes from.
    pub tags_lines: bool,
    /// How many bytes may wait to be sent to one of many clients.
    pub queue_bytes: usize,
    /// Datagrams that are refused are lost, and no end.
    pub ignores_refusals: bool,
    /// A peer that breaks the session off has had enough: there is no other way to leave a pattern
    /// without end.
    pub forgives_resets: bool,
    /// HTTP/1 requests on standard input are recognised: an answer that is cut short is a failure.
    pub follows_http: bool,
}

/// How messages of standard input and output stand in a stream; see `proto::framing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A line is a message, its line feed left out.
    Line,
    /// Each behind its length, as in a frame.
    Length,
}

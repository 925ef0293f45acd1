//! One row of the matrix, and its words in the tables.

use std::fmt;

/// An enum whose values have a word each.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $value:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$of])* $value),*
        }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$value),*];

            pub fn word(self) -> &'static str {
                match self {
                    $($name::$value => $word),*
                }
            }

            #[allow(dead_code)]
            pub fn named(word: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|one| one.word() == word)
            }
        }
    };
}

words! {
    /// In whose way rnc behaves.
    Dialect {
        Native = "native",
        Nc = "nc",
        Ncat = "ncat",
    }
}

words! {
    /// Where the peer comes from.
    Source {
        /// rnc connects.
        Client = "client",
        /// rnc connects to two ports, one after the other.
        Ports = "ports",
        /// `-l`
        Listen = "listen",
        /// `-lk`
        Keep = "keep",
        /// `--inetd`: the connection is standard input.
        Inetd = "inetd",
    }
}

words! {
    /// What the peer is joined to.
    Far {
        Stdio = "stdio",
        /// `-e cat`
        Program = "program",
        /// `-c` with a line that greets, echoes, and says goodbye.
        Shell = "shell",
        Echo = "echo",
        Discard = "discard",
        Chargen = "chargen",
        Daytime = "daytime",
        /// `--relay` to a TCP listener.
        Relay = "relay",
        /// `--relay` to a Unix listener.
        RelayUnix = "relay-unix",
        /// `--broker`
        Broker = "broker",
    }
}

words! {
    /// What carries it.
    Carrier {
        Tcp4 = "tcp4",
        Tcp6 = "tcp6",
        Unix = "unix",
        Tls = "tls",
        TlsUnix = "tls-unix",
        Udp = "udp",
        UnixDatagram = "unix-dgram",
        /// No peer can come over it here: it is for what rnc says when it listens.
        Vsock = "vsock",
    }
}

words! {
    /// What happens.
    Event {
        /// Both sides say much, and then end, the peer first.
        Whole = "whole",
        /// The peer ends, and is still answered.
        HalfClose = "half_close",
        /// The far end ends first, and the peer goes on.
        FarFirst = "far_first",
        /// The peer breaks the connection off.
        Reset = "reset",
        /// The target of a relay does.
        TargetReset = "target_reset",
        /// The peer ends TCP without the end of TLS.
        CutOff = "cut_off",
        /// Nothing moves for `--idle-timeout`.
        Idle = "idle",
        /// Nothing moves for `-w`, or Ncat's `-i`.
        Wait = "wait",
        /// The time of `--timeout` is over.
        Timeout = "timeout",
        /// The bytes of `--max-bytes` have moved.
        MaxBytes = "max_bytes",
        /// The proxy that rnc connects through says no.
        ProxyRefuses = "proxy_refuses",
        /// SIGTERM comes while a session goes on.
        Term = "term",
        /// SIGTERM comes while nobody has come yet.
        TermWaiting = "term_waiting",
        /// SIGTERM comes while a connect is not answered.
        TermConnecting = "term_connecting",
        /// SIGTERM comes while a proxy has not answered.
        TermProxy = "term_proxy",
        /// SIGTERM comes while the peer has not answered TLS.
        TermHandshake = "term_handshake",
        /// SIGTERM comes while a program is still there after its session.
        TermLingering = "term_lingering",
        /// A client speaks TLS to a plain listener.
        Hello = "hello",
        /// A peer speaks plain text to rnc, which speaks TLS.
        Plain = "plain",
        /// A server, or a target, answers plain text with a TLS alert.
        Alert = "alert",
        /// No client connects within `--accept-timeout`.
        Nobody = "nobody",
        /// rnc listens, and says so in Ncat's words for tests as well (`--test`).
        Ready = "ready",
        /// One more client connects than `--max-conns` lets in.
        Full = "full",
        /// A client connects that `--deny` keeps out.
        Denied = "denied",
        /// Nothing listens where rnc connects to.
        Refused = "refused",
        /// What rnc connects to does not answer within `-w`.
        Late = "late",
        /// The program cannot be run.
        NoProgram = "no_program",
    }
}

/// One combination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub event: Event,
    pub dialect: Dialect,
    pub source: Source,
    pub far: Far,
    pub carrier: Carrier,
    /// How many `v`.
    pub verbose: usize,
}

impl Row {
    /// The carrier and the verbosity in one word.
    pub fn carrier_word(&self) -> String {
        match self.verbose {
            0 => self.carrier.word().into(),
            many => format!("{}-{}", self.carrier.word(), "v".repeat(many)),
        }
    }

    /// Returns whether this is about datagrams.
    pub fn is_datagram(&self) -> bool {
        matches!(self.carrier, Carrier::Udp | Carrier::UnixDatagram)
    }

    pub fn is_unix(&self) -> bool {
        matches!(
            self.carrier,
            Carrier::Unix | Carrier::TlsUnix | Carrier::UnixDatagram
        )
    }

    pub fn is_tls(&self) -> bool {
        matches!(self.carrier, Carrier::Tls | Carrier::TlsUnix)
    }

    /// Returns whether rnc connects.
    pub fn connects(&self) -> bool {
        matches!(self.source, Source::Client | Source::Ports)
    }

    /// Returns whether the far end gives back what the peer says.
    pub fn is_loop(&self) -> bool {
        matches!(self.far, Far::Program | Far::Shell | Far::Echo)
    }

    pub fn is_relay(&self) -> bool {
        matches!(self.far, Far::Relay | Far::RelayUnix)
    }

    /// Returns whether a signal is what happens.
    pub fn is_ended(&self) -> bool {
        self.event.word().starts_with("term")
    }

    /// Returns whether rnc connects through a proxy.
    pub fn has_proxy(&self) -> bool {
        matches!(self.event, Event::TermProxy | Event::ProxyRefuses)
    }

    /// Returns whether what rnc connects to does not answer.
    pub fn is_silent(&self) -> bool {
        matches!(self.event, Event::Late | Event::TermConnecting)
    }

    /// Returns whether the time is limited.
    pub fn is_limited(&self) -> bool {
        matches!(self.event, Event::Idle | Event::Wait | Event::Timeout)
    }

    /// Returns whether rnc ends by a signal alone, whatever its peers do.
    pub fn stays(&self) -> bool {
        if matches!(self.event, Event::Nobody | Event::Ready) || self.is_ended() {
            return false;
        }
        let takes_many = self.source == Source::Keep;
        if !self.is_datagram() {
            let waits_on = matches!(self.event, Event::Denied | Event::Plain) && !self.connects();
            return takes_many || waits_on;
        }
        // Datagrams have no end.
        match self.far {
            _ if self.event == Event::Reset => self.dialect != Dialect::Nc && !self.connects(),
            _ if self.event == Event::Refused => false,
            Far::Stdio if self.connects() => self.dialect == Dialect::Nc && !self.is_limited(),
            Far::Program | Far::Shell if !self.connects() => {
                let hears_all = self.dialect == Dialect::Native || takes_many;
                hears_all || !self.is_limited()
            }
            _ => !self.is_limited(),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            self.event.word(),
            self.dialect.word(),
            self.source.word(),
            self.far.word(),
        ];
        write!(out, "{} {}", words.join(" "), self.carrier_word())
    }
}

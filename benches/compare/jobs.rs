//! The table of jobs.

use crate::bulk::{Shape, Sink, Source};
use crate::contender::{BIG_SOCAT, REFERENCE, Skill};
use crate::pingpong::Placing;
use crate::place::Transport;
use crate::scan::Ports;
use crate::serve::Server;
use crate::udp::Load;

/// One thing to measure.
#[derive(Debug)]
pub struct Job {
    /// As --only and the JSON call it.
    pub name: &'static str,
    /// What happens, for the heading.
    pub about: &'static str,
    /// The figures one round gives, in their order.
    pub metrics: &'static [Metric],
    /// The contender whose figures are 1.
    pub reference: &'static str,
    /// What a contender must be able to do.
    pub needs: Skill,
    /// How it is measured.
    pub kind: Kind,
}

/// One figure of a job.
#[derive(Debug)]
pub struct Metric {
    /// Name and unit.
    pub name: &'static str,
    /// True for rates, false for costs.
    pub more_is_better: bool,
    /// How much worse than the reference rnc may be before the summary says so.
    pub allowed: f64,
}

/// How a job is measured.
#[derive(Debug)]
pub enum Kind {
    /// See [`crate::bulk`]; `mixed` adds rnc at one end and the reference at the other.
    Bulk {
        shape: Shape,
        mixed: bool,
    },
    /// So many bytes, from the start of the sender to the end of both: see [`crate::bulk`].
    Size(u64),
    /// See [`crate::oneshot`].
    OneShot,
    OneShotMemory,
    /// Slow, and only done when asked for.
    OneShotInstructions,
    /// See [`crate::pingpong`].
    PingPong(Placing),
    /// See [`crate::udp`].
    Udp(Load),
    /// See [`crate::relay`].
    RelayBulk,
    RelayShort,
    RelayIdle,
    /// See [`crate::serve`].
    ServeShort(Server),
    ServeIdle,
    Broker,
    /// See [`crate::tls`].
    TlsShort,
    TlsIdle,
    /// See [`crate::scan`].
    Scan(Ports),
    /// See [`crate::idle`]; all contenders at the same time.
    Idle,
}

const fn rate(name: &'static str) -> Metric {
    Metric {
        name,
        more_is_better: true,
        allowed: 1.0,
    }
}

const fn cost(name: &'static str, allowed: f64) -> Metric {
    Metric {
        name,
        more_is_better: false,
        allowed,
    }
}

/// See [`crate::bulk::transfer`].
const BULK: &[Metric] = &[
    rate("GB/s"),
    cost("CPU s/GB", 1.0),
    cost("sender CPU s/GB", 1.0),
    cost("receiver CPU s/GB", 1.0),
];

/// See [`crate::pingpong::play`].
const PING_PONG: &[Metric] = &[cost("µs/trip", 1.0), cost("CPU µs/trip", 1.0)];

/// A bulk job over TCP.
const fn tcp(name: &'static str, about: &'static str, source: Source, sink: Sink) -> Job {
    bulk(name, about, Transport::Tcp, source, sink)
}

/// The same over a Unix socket.
const fn unix(name: &'static str, about: &'static str, source: Source, sink: Sink) -> Job {
    bulk(name, about, Transport::Unix, source, sink)
}

/// The same over TLS.
const fn tls(name: &'static str, about: &'static str, source: Source, sink: Sink) -> Job {
    bulk(name, about, Transport::Tls, source, sink).against("ncat")
}

/// A bulk job one way.
const fn bulk(
    name: &'static str,
    about: &'static str,
    transport: Transport,
    source: Source,
    sink: Sink,
) -> Job {
    let (both_ways, mixed) = (false, false);
    let shape = Shape {
        transport,
        source,
        sink,
        both_ways,
    };
    let needs = match transport {
        Transport::Tcp => Skill::Tcp,
        Transport::Unix => Skill::Unix,
        Transport::Tls => Skill::Tls,
    };
    job(name, about, BULK, needs, Kind::Bulk { shape, mixed })
}

/// A job whose reference is OpenBSD nc.
const fn job(
    name: &'static str,
    about: &'static str,
    metrics: &'static [Metric],
    needs: Skill,
    kind: Kind,
) -> Job {
    Job {
        name,
        about,
        metrics,
        reference: REFERENCE,
        needs,
        kind,
    }
}

/// One transfer of a file of so many bytes.
const fn size(name: &'static str, about: &'static str, bytes: u64) -> Job {
    job(name, about, WALL, Skill::Tcp, Kind::Size(bytes))
}

/// Files of so many bytes take long to make.
const LONG: u64 = 2 << 30;

/// See [`size`].
const WALL: &[Metric] = &[cost("wall ms", 1.0)];

/// See [`crate::udp::run`].
const UDP_RECEIVED: &[Metric] = &[rate("arrived %"), cost("CPU µs/datagram", 0.7)];

/// All jobs. More shapes of bulk transfer are more lines here.
pub const JOBS: &[Job] = &[
    tcp(
        "file-null",
        "file → socket → /dev/null",
        Source::File,
        Sink::Null,
    )
    .mixed(),
    tcp(
        "pipe-pipe",
        "pipe → socket → pipe, plain writer and reader",
        Source::Pipe,
        Sink::Pipe,
    )
    .mixed(),
    tcp(
        "tool-alone",
        "pipe → socket → pipe, vmsplice writer and splice sink",
        Source::GivenPipe,
        Sink::DroppedPipe,
    )
    .mixed(),
    tcp(
        "file-pipe",
        "file → socket → pipe, plain reader",
        Source::File,
        Sink::Pipe,
    ),
    tcp(
        "file-file",
        "file → socket → existing file, both on tmpfs",
        Source::File,
        Sink::File,
    )
    .mixed(),
    tcp(
        "file-new",
        "file → socket → new file, both on tmpfs",
        Source::File,
        Sink::NewFile,
    ),
    tcp(
        "both-ways",
        "file → socket → /dev/null, both directions at once",
        Source::File,
        Sink::Null,
    )
    .both_ways(),
    unix(
        "unix-file-null",
        "file → Unix socket → /dev/null",
        Source::File,
        Sink::Null,
    ),
    unix(
        "unix-pipe-pipe",
        "pipe → Unix socket → pipe, plain writer and reader",
        Source::Pipe,
        Sink::Pipe,
    ),
    unix(
        "unix-tool-alone",
        "pipe → Unix socket → pipe, vmsplice writer and splice sink",
        Source::GivenPipe,
        Sink::DroppedPipe,
    ),
    unix(
        "unix-file-pipe",
        "file → Unix socket → pipe, plain reader",
        Source::File,
        Sink::Pipe,
    ),
    unix(
        "unix-file-file",
        "file → Unix socket → existing file, both on tmpfs",
        Source::File,
        Sink::File,
    ),
    unix(
        "unix-file-new",
        "file → Unix socket → new file, both on tmpfs",
        Source::File,
        Sink::NewFile,
    ),
    unix(
        "unix-both-ways",
        "file → Unix socket → /dev/null, both directions at once",
        Source::File,
        Sink::Null,
    )
    .both_ways(),
    tls(
        "tls-bulk",
        "file → TLS → /dev/null",
        Source::File,
        Sink::Null,
    ),
    tls(
        "tls-both-ways",
        "file → TLS → /dev/null, both directions at once",
        Source::File,
        Sink::Null,
    )
    .both_ways()
    .against(BIG_SOCAT),
    tls(
        "tls-pipe",
        "pipe → TLS → pipe, plain writer and reader",
        Source::Pipe,
        Sink::Pipe,
    ),
    size("size-1", "a file of 1 byte → socket → pipe", 1),
    size("size-1k", "a file of 1 KiB → socket → pipe", 1 << 10),
    size("size-64k", "a file of 64 KiB → socket → pipe", 64 << 10),
    size("size-1m", "a file of 1 MiB → socket → pipe", 1 << 20),
    size("size-16m", "a file of 16 MiB → socket → pipe", 16 << 20),
    size(
        "size-4g",
        "a file of 4 GiB → socket → pipe (not with --quick)",
        4 << 30,
    ),
    job(
        "one-shot",
        "start, connect, GET, read to the end, leave",
        &[cost("wall ms", 1.2), cost("CPU ms", 1.0)],
        Skill::Talk,
        Kind::OneShot,
    ),
    job(
        "one-shot-memory",
        "the same, peak of resident memory",
        &[cost("peak RSS MiB", 1.2)],
        Skill::Talk,
        Kind::OneShotMemory,
    ),
    job(
        "one-shot-instructions",
        "the same, counted by callgrind (only with --instructions)",
        &[cost("M instructions", 1.0)],
        Skill::Talk,
        Kind::OneShotInstructions,
    ),
    job(
        "ping-pong",
        "32 bytes there and back, all on one processor",
        PING_PONG,
        Skill::Talk,
        Kind::PingPong(Placing::Together),
    ),
    job(
        "ping-pong-free",
        "the same, on all processors",
        PING_PONG,
        Skill::Talk,
        Kind::PingPong(Placing::Free),
    ),
    job(
        "udp-steady",
        "300,000 datagrams of 64 bytes a second → file",
        UDP_RECEIVED,
        Skill::Udp,
        Kind::Udp(Load::Receive {
            bytes: 64,
            rate: Some(300_000),
        }),
    ),
    job(
        "udp-flood",
        "datagrams of 64 bytes, as many as go → file",
        UDP_RECEIVED,
        Skill::Udp,
        Kind::Udp(Load::Receive {
            bytes: 64,
            rate: None,
        }),
    ),
    job(
        "udp-flood-1400",
        "datagrams of 1400 bytes, as many as go → file",
        UDP_RECEIVED,
        Skill::Udp,
        Kind::Udp(Load::Receive {
            bytes: 1400,
            rate: None,
        }),
    ),
    job(
        "udp-send-1400",
        "pipe → datagrams of 1400 bytes, beside a plain loop of send(2)",
        &[rate("GB/s"), rate("× plain loop")],
        Skill::UdpSizes,
        Kind::Udp(Load::Send { bytes: 1400 }),
    ),
    job(
        "relay-bulk",
        "one large stream through a relay",
        &[rate("GB/s"), cost("CPU s/GB", 1.0)],
        Skill::RelayBulk,
        Kind::RelayBulk,
    )
    .against(BIG_SOCAT),
    job(
        "relay-short",
        "connections of 64 bytes there and back through a relay, 20 at a time",
        &[rate("connections/s"), cost("CPU µs/connection", 1.0)],
        Skill::RelayShort,
        Kind::RelayShort,
    )
    .against(BIG_SOCAT),
    job(
        "relay-idle",
        "500 idle connections through a relay (ncat: 20)",
        &[cost("KiB/connection", 1.0)],
        Skill::Relay,
        Kind::RelayIdle,
    )
    .against(BIG_SOCAT),
    job(
        "serve-echo",
        "connections of 64 bytes echoed, 20 at a time (who has no echo: by cat)",
        &[rate("connections/s"), cost("CPU µs/connection", 1.0)],
        Skill::Echo,
        Kind::ServeShort(Server::Echo),
    )
    .against("socat"),
    job(
        "serve-exec",
        "the same by a cat for each",
        &[rate("connections/s"), cost("CPU µs/connection", 1.0)],
        Skill::Exec,
        Kind::ServeShort(Server::Program),
    )
    .against("socat"),
    job(
        "serve-idle",
        "500 idle connections to an echo (by cat: 50)",
        &[cost("KiB/connection", 1.0)],
        Skill::Echo,
        Kind::ServeIdle,
    )
    .against("socat"),
    job(
        "broker-50",
        "what one sends in pieces of 8 KiB goes to 50 others: bytes delivered in sum",
        &[rate("GB/s"), cost("CPU s/GB", 1.0)],
        Skill::Broker,
        Kind::Broker,
    )
    .against("ncat"),
    job(
        "tls-handshakes",
        "TLS connections, 20 at a time: full handshake, then the end both ways",
        &[rate("connections/s"), cost("CPU µs/connection", 1.0)],
        Skill::TlsServer,
        Kind::TlsShort,
    )
    .against("socat"),
    job(
        "tls-idle",
        "500 idle TLS connections (socat, a process for each: 50)",
        &[cost("KiB/connection", 1.0)],
        Skill::TlsServerOfMany,
        Kind::TlsIdle,
    )
    .against("ncat"),
    job(
        "scan-closed",
        "65 535 loopback ports, all but the benchmark's own closed",
        &[cost("wall s", 1.0), cost("CPU s", 1.0)],
        Skill::Scan,
        Kind::Scan(Ports::Closed),
    ),
    job(
        "scan-mute",
        "1000 ports of an address that never answers, -w 1 \
         (who tries one after the other: 2, times 500)",
        &[cost("wall s", 1.0), cost("CPU s", 1.0)],
        Skill::Scan,
        Kind::Scan(Ports::Mute),
    ),
    job(
        "idle",
        "context switches in 10 seconds in which nothing happens",
        &[cost("of a client", 1.0), cost("of a listener", 1.0)],
        Skill::Talk,
        Kind::Idle,
    ),
];

impl Job {
    /// True if `word`, given to --only, means this one.
    pub fn is(&self, word: &str) -> bool {
        self.name.starts_with(word)
    }

    /// True if it is only done when asked for.
    pub fn is_optional(&self) -> bool {
        matches!(self.kind, Kind::OneShotInstructions)
    }

    /// True if it takes too long for a quick look.
    pub fn is_long(&self) -> bool {
        matches!(self.kind, Kind::Size(LONG..))
    }

    /// True if it moves data from one netcat to another.
    pub fn is_bulk(&self) -> bool {
        matches!(self.kind, Kind::Bulk { .. })
    }

    /// The same with rnc and the reference against each other, too.
    const fn mixed(mut self) -> Self {
        if let Kind::Bulk { mixed, .. } = &mut self.kind {
            *mixed = true;
        }
        self
    }

    /// The same with both directions at once.
    const fn both_ways(mut self) -> Self {
        if let Kind::Bulk { shape, .. } = &mut self.kind {
            shape.both_ways = true;
        }
        self.needs = match self.needs {
            Skill::Unix => Skill::UnixBothWays,
            Skill::Tls => Skill::TlsBothWays,
            _ => Skill::BothWays,
        };
        self
    }

    /// The same with another contender for 1.
    const fn against(mut self, reference: &'static str) -> Self {
        self.reference = reference;
        self
    }
}

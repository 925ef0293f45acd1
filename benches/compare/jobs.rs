//! The table of jobs, and the rounds.

use std::collections::VecDeque;
use std::io::IsTerminal;

use anyhow::Result;

use crate::bulk::{self, Sink, Source};
use crate::contender::{Contender, Pair};
use crate::data::{Check, Data};
use crate::netns::Network;
use crate::oneshot::{self, Server};
use crate::options::Options;
use crate::pingpong::{self, Placing};
use crate::udp::{self, Load};

/// One thing to measure.
#[derive(Debug)]
pub struct Job {
    /// As --only and the JSON call it.
    pub name: &'static str,
    /// What happens, for the heading.
    pub about: &'static str,
    /// The figures one round gives, in their order.
    pub metrics: &'static [Metric],
    kind: Kind,
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

/// How it is measured.
#[derive(Debug)]
enum Kind {
    Bulk { ends: (Source, Sink), mixed: bool },
    OneShot,
    OneShotMemory,
    PingPong(Placing),
    Udp(Load),
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

/// See [`bulk::transfer`].
const BULK: &[Metric] = &[
    rate("GB/s"),
    cost("CPU s/GB", 1.0),
    cost("sender CPU s/GB", 1.0),
    cost("receiver CPU s/GB", 1.0),
];

/// See [`pingpong::play`].
const PING_PONG: &[Metric] = &[cost("µs/trip", 1.0), cost("CPU µs/trip", 1.0)];

/// See [`udp::run`].
const UDP_RECEIVED: &[Metric] = &[rate("arrived %"), cost("CPU µs/datagram", 0.7)];

/// All jobs. More shapes of bulk transfer are more lines here.
pub const JOBS: &[Job] = &[
    Job {
        name: "file-null",
        about: "file → socket → /dev/null",
        metrics: BULK,
        kind: Kind::Bulk {
            ends: (Source::File, Sink::Null),
            mixed: true,
        },
    },
    Job {
        name: "pipe-pipe",
        about: "pipe → socket → pipe, plain writer and reader",
        metrics: BULK,
        kind: Kind::Bulk {
            ends: (Source::Pipe, Sink::Pipe),
            mixed: false,
        },
    },
    Job {
        name: "file-file",
        about: "file → socket → existing file, both on tmpfs",
        metrics: BULK,
        kind: Kind::Bulk {
            ends: (Source::File, Sink::File),
            mixed: false,
        },
    },
    Job {
        name: "one-shot",
        about: "start, connect, GET, read to the end, leave",
        metrics: &[cost("wall ms", 1.2), cost("CPU ms", 1.0)],
        kind: Kind::OneShot,
    },
    Job {
        name: "one-shot-memory",
        about: "the same, peak of resident memory",
        metrics: &[cost("peak RSS MiB", 1.2)],
        kind: Kind::OneShotMemory,
    },
    Job {
        name: "ping-pong",
        about: "32 bytes there and back, all on one processor",
        metrics: PING_PONG,
        kind: Kind::PingPong(Placing::Together),
    },
    Job {
        name: "ping-pong-free",
        about: "the same, on all processors",
        metrics: PING_PONG,
        kind: Kind::PingPong(Placing::Free),
    },
    Job {
        name: "udp-steady",
        about: "300,000 datagrams of 64 bytes a second → file",
        metrics: UDP_RECEIVED,
        kind: Kind::Udp(Load::Receive {
            bytes: 64,
            rate: Some(300_000),
        }),
    },
    Job {
        name: "udp-flood",
        about: "datagrams of 64 bytes, as many as go → file",
        metrics: UDP_RECEIVED,
        kind: Kind::Udp(Load::Receive {
            bytes: 64,
            rate: None,
        }),
    },
    Job {
        name: "udp-flood-1400",
        about: "datagrams of 1400 bytes, as many as go → file",
        metrics: UDP_RECEIVED,
        kind: Kind::Udp(Load::Receive {
            bytes: 1400,
            rate: None,
        }),
    },
    Job {
        name: "udp-send-1400",
        about: "pipe → datagrams of 1400 bytes, beside a plain loop of send(2)",
        metrics: &[rate("GB/s"), rate("× plain loop")],
        kind: Kind::Udp(Load::Send { bytes: 1400 }),
    },
];

impl Job {
    /// True if `word`, given to --only, means this one.
    pub fn is(&self, word: &str) -> bool {
        self.name.starts_with(word)
    }
}

/// What all rounds share.
#[derive(Debug)]
pub struct Bench {
    pub network: Network,
    pub data: Data,
    server: Server,
    rounds: Option<usize>,
    quick: bool,
    verify: bool,
}

/// The figures of one job.
#[derive(Debug)]
pub struct Outcome {
    pub job: &'static Job,
    pub rounds: usize,
    pub rows: Vec<Row>,
}

/// The figures of one contender in one job.
#[derive(Debug)]
pub struct Row {
    pub name: String,
    /// For each metric, what each good round gave.
    pub samples: Vec<Vec<f64>>,
    /// What went wrong, round by round.
    pub failures: Vec<String>,
}

/// After so many failures a contender is not run again in that job.
const ENOUGH_FAILURES: usize = 2;

impl Bench {
    /// Makes the data and starts the server.
    pub fn new(options: &Options, network: Network) -> Result<Self> {
        let mib = options
            .mib
            .unwrap_or(if options.quick { 512 } else { 1024 });
        Ok(Self {
            network,
            data: Data::new(mib * 1024 * 1024)?,
            server: Server::start()?,
            rounds: options.rounds,
            quick: options.quick,
            verify: options.verify,
        })
    }

    /// Runs one job: every contender once unmeasured, for checking and warming up, then the
    /// rounds, all contenders in each.
    pub fn measure(&self, job: &'static Job, contenders: &[Contender]) -> Outcome {
        let mut pairs: Vec<Pair> = contenders.iter().map(Pair::same).collect();
        if let Kind::Bulk { mixed: true, .. } = job.kind {
            pairs.extend(Pair::mixed(contenders));
        }
        if let Kind::Udp(load) = job.kind {
            pairs.retain(|pair| udp::can(&pair.sender, load));
        }
        let empty = vec![Vec::new(); job.metrics.len()];
        let row = |pair: &Pair| Row {
            name: pair.name(),
            samples: empty.clone(),
            failures: vec![],
        };
        let mut rows: Vec<Row> = pairs.iter().map(row).collect();
        let rounds = self.rounds(job);
        let first = if self.verify {
            Check::Bytes
        } else {
            Check::Length
        };
        let mut checks = VecDeque::from(vec![Check::Length; rounds]);
        checks.push_front(first);
        let is_watched = std::io::stderr().is_terminal();
        for (round, check) in checks.into_iter().enumerate() {
            if is_watched {
                eprint!("\r{}: round {round} of {rounds} ", job.name);
            }
            for at in order(rows.len(), round) {
                let (pair, row) = (&pairs[at], &mut rows[at]);
                if row.failures.len() >= ENOUGH_FAILURES {
                    continue;
                }
                match self.once(job, pair, check) {
                    Ok(_) if round == 0 => {}
                    Ok(figures) => row.add(figures),
                    Err(why) => row.failures.push(format!("round {round}: {why:#}")),
                }
            }
        }
        if is_watched {
            eprint!("\r{:40}\r", "");
        }
        Outcome { job, rounds, rows }
    }

    /// One run of one contender.
    fn once(&self, job: &Job, pair: &Pair, check: Check) -> Result<Vec<f64>> {
        match job.kind {
            Kind::Bulk { ends, .. } => bulk::transfer(&self.data, &self.network, pair, ends, check),
            Kind::Udp(load) => udp::run(&pair.receiver, load),
            Kind::OneShot => oneshot::timed(&self.server, &pair.sender),
            Kind::OneShotMemory => oneshot::memory(&self.server, &pair.sender),
            Kind::PingPong(placing) => {
                let trips = if self.quick { 4_000 } else { 10_000 };
                pingpong::play(&pair.sender, placing, trips)
            }
        }
    }

    /// How often each contender runs in a job.
    fn rounds(&self, job: &Job) -> usize {
        match (&job.kind, self.quick) {
            (Kind::OneShot, false) => 200,
            (Kind::OneShot, true) => 50,
            // Where the kernel places the three differs from start to start, and that is most of
            // what a round shows: many short rounds tell more than a few long ones.
            (Kind::PingPong(_), false) => self.rounds.unwrap_or(5) * 5,
            (Kind::PingPong(_), true) => self.rounds.unwrap_or(3) * 5,
            (_, false) => self.rounds.unwrap_or(5),
            (_, true) => self.rounds.unwrap_or(3),
        }
    }
}

/// The order of a round: everyone once, but not always behind the same one. Who follows ncat
/// finds the caches cold, and in a fixed order that alone made socat 1.3 times as slow to start.
fn order(count: usize, round: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut word = round as u64 + 1;
    for at in (1..count).rev() {
        // A linear congruential generator (Knuth's MMIX); its upper bits are the good ones.
        word = word
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        order.swap(at, (word >> 33) as usize % (at + 1));
    }
    order
}

impl Row {
    /// Adds what one round gave.
    fn add(&mut self, figures: Vec<f64>) {
        for (samples, figure) in self.samples.iter_mut().zip(figures) {
            samples.push(figure);
        }
    }
}

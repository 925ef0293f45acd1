//! The rounds: every contender once in each, and what came out.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::IsTerminal;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;

use crate::bulk;
use crate::contender::{Contender, Pair};
use crate::data::{Check, Data};
use crate::idle;
use crate::jobs::{Job, Kind};
use crate::netns::Network;
use crate::oneshot::{self, Server};
use crate::options::Options;
use crate::pingpong;
use crate::place::Transport;
use crate::relay;
use crate::scan::{self, Ports};
use crate::serve;
use crate::tls;
use crate::udp;

/// What all rounds share.
#[derive(Debug)]
pub struct Bench {
    pub network: Network,
    pub data: Data,
    /// The source of the size measured last.
    sized: RefCell<Option<Rc<Data>>>,
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
    /// Why nothing was measured.
    pub left_out: Option<String>,
}

/// The figures of one contender in one job.
#[derive(Debug)]
pub struct Row {
    pub name: String,
    /// For each metric, what each good round gave.
    pub samples: Vec<Vec<f64>>,
    /// What went wrong, round by round.
    pub failures: Vec<String>,
    /// It is not run any more.
    is_out: bool,
}

/// Transfers of fewer bytes are over in a moment, and want more rounds.
const SMALL: u64 = 32 << 20;

/// After so many failures a contender is not run again in that job.
const ENOUGH_FAILURES: usize = 2;

impl Bench {
    /// Makes the data and starts the server.
    pub fn new(options: &Options, network: Network) -> Result<Self> {
        let mib = options
            .mib
            .unwrap_or(if options.quick { 256 } else { 1024 });
        Ok(Self {
            network,
            data: Data::new(mib * 1024 * 1024, true)?,
            sized: RefCell::default(),
            server: Server::start()?,
            rounds: options.rounds,
            quick: options.quick,
            verify: options.verify,
        })
    }

    /// Runs one job: every contender once unmeasured, for checking and warming up, then the
    /// rounds, all contenders in each.
    pub fn measure(&self, job: &'static Job, contenders: &[Contender]) -> Outcome {
        let rounds = self.rounds(job);
        let pairs = pairs(job, contenders);
        let mut outcome = Outcome {
            job,
            rounds,
            rows: pairs.iter().map(|pair| Row::new(pair, job)).collect(),
            left_out: self.obstacle(job).map(|why| format!("{why:#}")),
        };
        match job.kind {
            _ if outcome.left_out.is_some() => outcome.rows.clear(),
            Kind::Idle => {
                let results = idle::watch(pairs.iter().map(|pair| &pair.sender));
                for (row, result) in outcome.rows.iter_mut().zip(results) {
                    row.add(result, "the only round");
                }
            }
            _ => self.go_round(&mut outcome, &pairs),
        }
        outcome
    }

    /// All rounds of one job.
    fn go_round(&self, outcome: &mut Outcome, pairs: &[Pair]) {
        let (job, rounds) = (outcome.job, outcome.rounds);
        let first = if self.verify {
            Check::Bytes
        } else {
            Check::Counted
        };
        let mut checks = VecDeque::from(vec![Check::Length; rounds]);
        checks.push_front(first);
        let is_watched = std::io::stderr().is_terminal();
        // Nobody has anything to warm up where the time goes by with waiting.
        let first = usize::from(matches!(job.kind, Kind::Scan(Ports::Mute)));
        for (round, check) in checks.into_iter().enumerate().skip(first) {
            if is_watched {
                eprint!("\r{}: round {round} of {rounds} ", job.name);
            }
            for at in order(pairs.len(), round) {
                let (pair, row) = (&pairs[at], &mut outcome.rows[at]);
                if row.is_out || row.failures.len() >= ENOUGH_FAILURES {
                    continue;
                }
                match self.once(job, pair, check) {
                    Ok(_) if round == 0 => {}
                    Err(why) if round == 0 => row.give_up(why),
                    result => row.add(result, &format!("round {round}")),
                }
            }
        }
        if is_watched {
            eprint!("\r{:40}\r", "");
        }
    }

    /// Why a job cannot be done here at all.
    fn obstacle(&self, job: &Job) -> Option<anyhow::Error> {
        match &job.kind {
            Kind::OneShotInstructions => oneshot::has_callgrind().err(),
            Kind::Scan(ports) => ports.prepare(&self.network).err(),
            _ => None,
        }
    }

    /// One run of one contender.
    fn once(&self, job: &Job, pair: &Pair, check: Check) -> Result<Vec<f64>> {
        match job.kind {
            Kind::Bulk { shape, .. } => {
                bulk::transfer(&self.data, &self.network, pair, shape, check)
            }
            Kind::Size(bytes) => {
                let data = self.sized(bytes)?;
                let figures = bulk::transfer(&data, &self.network, pair, bulk::SIZED, check)?;
                Ok(vec![bytes as f64 / 1e6 / figures[0]])
            }
            Kind::OneShot => oneshot::timed(&self.server, &pair.sender),
            Kind::OneShotMemory => oneshot::memory(&self.server, &pair.sender),
            Kind::PingPong(placing) => {
                let trips = if self.quick { 1_000 } else { 10_000 };
                pingpong::play(&pair.sender, placing, trips)
            }
            Kind::Udp(load) => {
                let time = Duration::from_millis(if self.quick { 150 } else { 1000 });
                udp::run(&pair.receiver, load, time)
            }
            Kind::OneShotInstructions => oneshot::instructions(&self.server, &pair.sender),
            Kind::RelayBulk => relay::bulk(&self.data, &pair.sender, check),
            Kind::RelayShort => {
                let time = Duration::from_millis(if self.quick { 300 } else { 2000 });
                relay::short(&pair.sender, time)
            }
            Kind::RelayIdle => relay::idle(&pair.sender),
            Kind::ServeShort(server) => {
                let time = Duration::from_millis(if self.quick { 300 } else { 2000 });
                serve::short(&pair.sender, server, time)
            }
            Kind::ServeIdle => serve::idle(&pair.sender),
            Kind::Broker => serve::broker(&pair.sender, if self.quick { 16 } else { 64 } << 20),
            Kind::TlsShort => {
                let time = Duration::from_millis(if self.quick { 300 } else { 2000 });
                tls::short(&pair.sender, time)
            }
            Kind::TlsIdle => tls::idle(&pair.sender),
            Kind::Scan(ports) => scan::look(&pair.sender, ports),
            Kind::Idle => unreachable!("all contenders idle together"),
        }
    }

    /// A source of so many bytes.
    fn sized(&self, bytes: u64) -> Result<Rc<Data>> {
        let mut sized = self.sized.borrow_mut();
        if let Some(data) = sized.as_ref().filter(|data| data.len == bytes) {
            return Ok(Rc::clone(data));
        }
        *sized = None;
        Ok(Rc::clone(sized.insert(Rc::new(Data::new(bytes, false)?))))
    }

    /// How often each contender runs in a job.
    fn rounds(&self, job: &Job) -> usize {
        match (&job.kind, self.quick) {
            (Kind::OneShot, false) => 200,
            (Kind::OneShot, true) => 50,
            (Kind::Size(0..SMALL), false) => self.rounds.unwrap_or(5) * 10,
            (Kind::Size(0..SMALL), true) => self.rounds.unwrap_or(3) * 5,
            // Where the kernel places the three differs from start to start, and that is most of
            // what a round shows: many short rounds tell more than a few long ones.
            (Kind::PingPong(_), false) => self.rounds.unwrap_or(5) * 5,
            (Kind::PingPong(_), true) => self.rounds.unwrap_or(3) * 4,
            // The same from run to run.
            (Kind::Idle | Kind::OneShotInstructions, _) => 1,
            (Kind::Scan(Ports::Mute), true) => 1,
            // Every bulk job is there more than once, and TCP is what most use.
            (Kind::Bulk { shape, .. }, true) if shape.transport != Transport::Tcp => {
                self.rounds.unwrap_or(2)
            }
            (_, false) => self.rounds.unwrap_or(5),
            (_, true) => self.rounds.unwrap_or(3),
        }
    }
}

/// Who takes part in a job.
fn pairs(job: &Job, contenders: &[Contender]) -> Vec<Pair> {
    let able = contenders.iter().filter(|one| one.can(job.needs));
    let mut pairs: Vec<Pair> = able.map(Pair::same).collect();
    if let Kind::Bulk { mixed: true, .. } = job.kind {
        pairs.extend(Pair::mixed(contenders));
    }
    pairs
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
    /// One without figures.
    fn new(pair: &Pair, job: &Job) -> Self {
        Self {
            name: pair.name(),
            samples: vec![Vec::new(); job.metrics.len()],
            failures: Vec::new(),
            is_out: false,
        }
    }

    /// Who cannot do the first round, which is not timed, is not waited for again.
    fn give_up(&mut self, why: anyhow::Error) {
        self.failures = vec![format!("not even once: {why:#}")];
        self.is_out = true;
    }

    /// Adds what one round gave.
    fn add(&mut self, result: Result<Vec<f64>>, when: &str) {
        match result {
            Ok(figures) => {
                for (samples, figure) in self.samples.iter_mut().zip(figures) {
                    samples.push(figure);
                }
            }
            Err(why) => self.failures.push(format!("{when}: {why:#}")),
        }
    }
}

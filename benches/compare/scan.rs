//! Scan: many ports of one host, with `-z`.

use std::net::{SocketAddr, TcpStream};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::child::{Child, PATIENCE};
use crate::contender::Contender;
use crate::netns::Network;
use crate::sys;

/// This host in the mute network, and the other one, which is not there.
const MUTE_SELF: [u8; 4] = [10, 99, 0, 1];
const MUTE: &str = "10.99.0.2";

/// Ports of the mute host, and how many of them are enough for who tries one after the other.
const MUTE_PORTS: u16 = 1000;
const FEW_PORTS: u16 = 2;

/// Which ports are looked at.
#[derive(Clone, Copy, Debug)]
pub enum Ports {
    /// All of 127.0.0.1, of which the benchmark's own server is open.
    Closed,
    /// Those of a host that never answers.
    Mute,
}

impl Ports {
    /// Sees to it that there is something to scan.
    ///
    /// # Errors
    /// When these are not ours to scan, or no mute network can be made.
    pub fn prepare(self, network: &Network) -> Result<()> {
        ensure!(
            network.is_private,
            "it needs a network namespace of its own"
        );
        match self {
            Self::Closed => Ok(()),
            Self::Mute => make_mute(),
        }
    }
}

/// Scans once; seconds of wall and processor time, those of a few ports made up to all.
pub fn look(contender: &Contender, ports: Ports) -> Result<Vec<f64>> {
    let few = contender.scans_in_turn();
    let (host, range, times) = match ports {
        Ports::Closed => ("127.0.0.1", 1..=u16::MAX, 1.0),
        Ports::Mute if few => (MUTE, 1..=FEW_PORTS, f64::from(MUTE_PORTS / FEW_PORTS)),
        Ports::Mute => (MUTE, 1..=MUTE_PORTS, 1.0),
    };
    let (wall, cpu, code) = scan(contender, host, &range)?;
    match ports {
        // One is open, and that is a success.
        Ports::Closed => ensure!(code == Some(0), "it found no port, not even the open one"),
        Ports::Mute => {
            let is_found = contender.tells_by_exit_code() && code == Some(0);
            ensure!(!is_found, "it found a port where nothing answers");
            ensure!(wall > 0.9, "it did not wait: {wall:.3} s");
        }
    }
    Ok(vec![wall * times, cpu * times])
}

/// One scan: wall and processor time in seconds, and the exit code.
fn scan(
    contender: &Contender,
    host: &str,
    ports: &RangeInclusive<u16>,
) -> Result<(f64, f64, Option<i32>)> {
    let start = Instant::now();
    let command = contender.scan(host, ports);
    let child = Child::start(command, Stdio::null(), Stdio::null())?;
    let exit = child.finish_anyway(start + PATIENCE)?;
    let wall = start.elapsed().as_secs_f64();
    Ok((wall, exit.cpu.as_secs_f64(), exit.status.code()))
}

/// Makes a network with a host that takes every packet and says nothing, once.
fn make_mute() -> Result<()> {
    static TUNNEL: OnceLock<Result<OwnedFd, String>> = OnceLock::new();
    let make = || sys::make_tunnel(MUTE_SELF).map_err(|why| why.to_string());
    if let Err(why) = TUNNEL.get_or_init(make) {
        anyhow::bail!("no mute network (TUN device): {why}");
    }
    // Whatever else goes on here: this host must be mute.
    let address: SocketAddr = format!("{MUTE}:1").parse().context("not an address")?;
    let answer = TcpStream::connect_timeout(&address, Duration::from_millis(100));
    ensure!(
        answer.is_err_and(|why| why.kind() == std::io::ErrorKind::TimedOut),
        "the mute host answers"
    );
    Ok(())
}

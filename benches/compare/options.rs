//! The words behind `--`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::jobs::{JOBS, Job};

/// What was asked for.
#[derive(Debug, Default)]
pub struct Options {
    /// Less data and fewer rounds: the whole run stays under three minutes.
    pub quick: bool,
    /// Compare every byte once for each contender and job, before the timed rounds.
    pub verify: bool,
    /// Where to write the results as JSON.
    pub json: Option<PathBuf>,
    /// Beginnings of the names of the jobs to run; all when empty.
    pub only: Vec<String>,
    /// Names of the contenders to run; all that are installed when empty.
    pub with: Vec<String>,
    /// Rounds of the bulk and memory jobs; of ping-pong five times as many.
    pub rounds: Option<usize>,
    /// Mebibytes of one bulk transfer.
    pub mib: Option<u64>,
}

impl Options {
    /// Reads the words; `None` when help was asked for.
    ///
    /// # Errors
    /// On an unknown option, job, or number.
    pub fn parse(words: &[String]) -> Result<Option<Self>> {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .with_context(|| format!("{word} needs a value"))
            };
            match word.as_str() {
                "--bench" => {}
                "--quick" => options.quick = true,
                "--verify" => options.verify = true,
                "--json" => options.json = Some(value()?.into()),
                "--only" => options.only.push(value()?.clone()),
                "--with" => options.with.extend(value()?.split(',').map(str::to_owned)),
                "--rounds" => options.rounds = Some(positive(word, value()?)? as usize),
                "--mib" => options.mib = Some(positive(word, value()?)?),
                "-h" | "--help" => return Ok(None),
                _ => bail!("unknown option {word} (see --help)"),
            }
        }
        if let Some(unknown) = options
            .only
            .iter()
            .find(|only| !JOBS.iter().any(|j| j.is(only)))
        {
            let known: Vec<_> = JOBS.iter().map(|job| job.name).collect();
            bail!(
                "--only {unknown}: no such job; there are {}",
                known.join(", ")
            );
        }
        Ok(Some(options))
    }

    /// The jobs asked for, in the order of the table.
    pub fn jobs(&self) -> impl Iterator<Item = &'static Job> {
        let wanted = |job: &&Job| self.only.is_empty() || self.only.iter().any(|only| job.is(only));
        JOBS.iter().filter(wanted)
    }
}

/// The text of --help.
pub fn help() -> String {
    let mut text = String::from(
        "usage: cargo bench --bench compare -- [--quick] [--verify] [--json FILE] [--only JOB]...\n\
         \x20      [--with NAME,NAME...] [--rounds N] [--mib N]\n\njobs (a beginning is enough):\n",
    );
    for job in JOBS {
        text.push_str(&format!("  {:<15} {}\n", job.name, job.about));
    }
    text
}

/// Reads a number of at least 1.
fn positive(option: &str, text: &str) -> Result<u64> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => bail!("{option} {text}: not a number of at least 1"),
    }
}

//! The words behind `--`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::jobs::{JOBS, Job};

/// What was asked for.
#[derive(Debug, Default)]
pub struct Options {
    /// Less data and fewer rounds: the whole run takes some minutes.
    pub quick: bool,
    /// Compare every byte once for each contender and job, before the timed rounds.
    pub verify: bool,
    /// Count instructions too, which takes long.
    pub instructions: bool,
    /// Where to draw the chart.
    pub chart: Option<PathBuf>,
    /// Other builds of rnc to run, by name and path.
    pub also: Vec<(&'static str, PathBuf)>,
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
                "--chart" => options.chart = Some(value()?.into()),
                "--instructions" => options.instructions = true,
                "--also" => options.also.push(build(value()?)?),
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
        let chosen = |job: &Job| self.only.is_empty() || self.only.iter().any(|only| job.is(only));
        let named = |job: &Job| self.only.iter().any(|only| only == job.name);
        let asked = move |job: &Job| !job.is_optional() || self.instructions;
        let allowed = move |job: &Job| named(job) || (asked(job) && !(self.quick && job.is_long()));
        JOBS.iter().filter(move |job| chosen(job) && allowed(job))
    }
}

/// The text of --help.
pub fn help() -> String {
    let mut text = String::from(
        "usage: cargo bench --bench compare -- [--quick] [--verify] [--instructions] [--json FILE]\n\
         \x20      [--chart FILE] [--only JOB]... [--with NAME,NAME...] [--also NAME=RNC]...\n\
         \x20      [--rounds N] [--mib N]\n\njobs (a beginning is enough):\n",
    );
    for job in JOBS {
        text.push_str(&format!("  {:<22} {}\n", job.name, job.about));
    }
    text
}

/// Reads `NAME=PATH`, another build of rnc.
fn build(text: &str) -> Result<(&'static str, PathBuf)> {
    let Some((name, path)) = text.split_once('=') else {
        bail!("--also {text}: not NAME=PATH");
    };
    let path = std::fs::canonicalize(path).with_context(|| format!("--also {text}"))?;
    // Names live as long as the program; there are few.
    Ok((name.to_owned().leak(), path))
}

/// Reads a number of at least 1.
fn positive(option: &str, text: &str) -> Result<u64> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => bail!("{option} {text}: not a number of at least 1"),
    }
}

//! `--output`, `--hex-dump`, `--hex`: what is written down of the traffic, and where. Ncat's
//! options, so the same in all dialects.

use super::*;
use crate::plan::{Log, LogFormat, LogPlace};

impl Planner<'_> {
    pub(super) fn logs(&self) -> Result<Vec<Log>, Wrong> {
        let args = self.args;
        self.check_log_conflicts()?;
        let file = |path: &OsString, format| Log {
            place: LogPlace::File {
                path: path.into(),
                appends: args.append_output,
            },
            format,
        };
        let mut logs = Vec::new();
        if let Some(path) = &args.output {
            logs.push(file(path, self.log_format()?));
        }
        if let Some(path) = &args.hex_dump {
            logs.push(file(path, self.dialect.hex_dump));
        }
        if args.hex {
            let colours = self.facts.stderr_shows_colours;
            logs.push(Log {
                place: LogPlace::Stderr,
                format: LogFormat::Hex { colours },
            });
        }
        Ok(logs)
    }

    fn log_format(&self) -> Result<LogFormat, Wrong> {
        match self.args.log_format.as_deref() {
            None | Some("plain") => Ok(LogFormat::Raw),
            Some("tagged") => Ok(LogFormat::Tagged),
            Some("json") => Ok(LogFormat::Json),
            Some(other) => said(format!(
                "--log-format {}: not plain, tagged or json",
                other.escape_debug()
            )),
        }
    }

    fn check_log_conflicts(&self) -> Result<(), Wrong> {
        let args = self.args;
        let asked = [
            (args.output.is_some(), "--output"),
            (args.hex_dump.is_some(), "--hex-dump"),
            (args.hex, "--hex"),
        ];
        if let Some((_, option)) = asked.iter().find(|(asked, _)| *asked) {
            if args.zero {
                return said(format!("{option} cannot be used with -z"));
            }
            if args.pass_fd {
                return said(format!("{option} cannot be used with -F"));
            }
        }
        if args.log_format.is_some() && args.output.is_none() {
            return said("--log-format needs --output");
        }
        let stdout = |path: &Option<OsString>| path.as_deref() == Some(OsStr::new("-"));
        if self.dialect.strict_words
            && let Some((_, option)) = [
                (stdout(&args.output), "--output"),
                (stdout(&args.hex_dump), "--hex-dump"),
                (stdout(&args.port_file), "--port-file"),
            ]
            .iter()
            .find(|(is_stdout, _)| *is_stdout)
        {
            return said(format!(
                "{option} -: standard output is for the data; a file of that name is ./-"
            ));
        }
        if args.append_output && args.output.is_none() && args.hex_dump.is_none() {
            return said("--append-output needs --output or --hex-dump");
        }
        if args.output.is_some() && args.output == args.hex_dump {
            return said("--output and --hex-dump cannot be the same file");
        }
        Ok(())
    }
}

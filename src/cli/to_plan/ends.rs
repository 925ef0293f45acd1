//! The rules at the end of a stream: when a session is over, and when the end of standard input is
//! passed on to the peer.

use super::*;
use crate::plan::{Ends, PassEnd, Until};

/// As `PassEnd::WhenQuiet`, through a proxy: most of them drop the connection at a client's FIN,
/// and a round trip through them may take long.
const QUIET_BEHIND_PROXY: Duration = Duration::from_secs(15);

impl Planner<'_> {
    pub(super) fn ends(&self, place: &Place) -> Result<Ends, Wrong> {
        let (args, dialect) = (self.args, self.dialect);
        let quit = self.quit()?;
        let pass_end = self.pass_end(place, quit)?;
        let until = self.until()?;
        let ends = Ends {
            until,
            pass_end,
            waits_for_answers: args.shutdown.is_none() && self.follows_http(place),
            time_limit_is_end: !dialect.tells_failures,
            user_may_end: self.facts.stdin == Input::Terminal,
            ..Ends::BOTH
        };
        if self.runs_program() {
            return Ok(Ends { quit, ..ends });
        }
        let lingers = dialect.tcp_client_lingers && !args.listen && !args.udp;
        let udp_quit = dialect
            .udp_client_quit
            .filter(|_| args.udp && !args.listen && args.quit.is_none());
        Ok(Ends {
            quit: quit.filter(|_| !lingers).or(udp_quit),
            linger: quit.filter(|_| lingers),
            ..ends
        })
    }

    fn until(&self) -> Result<Until, Wrong> {
        let (args, dialect) = (self.args, self.dialect);
        let kept_open = dialect.until_kept_open_client.filter(|_| args.keep_open);
        let runs_program = self.runs_program();
        let default = if runs_program {
            Until::Both
        } else if args.listen {
            dialect.until_listener
        } else {
            kept_open.unwrap_or(dialect.until_client)
        };
        let is_typed = self.facts.stdin == Input::Terminal && !runs_program;
        let terminal = dialect.until_terminal.filter(|_| is_typed);
        Ok(match args.until.as_deref() {
            Some("peer") => Until::Peer,
            Some("stdin") => Until::Stdin,
            Some("both") => Until::Both,
            Some("never") => Until::Never,
            Some(other) => return said(format!("--until {other}: not peer, stdin, both or never")),
            // Clients that only send are many, and would stay for ever.
            None if self.talk().is_some() => Until::Peer,
            None if args.send_only => Until::Stdin,
            None if args.no_stdin => Until::Peer,
            None => terminal.unwrap_or(default),
        })
    }

    /// `-N`, `--no-shutdown`, `--shutdown`, or what the dialect does.
    fn pass_end(&self, place: &Place, quit: Option<Duration>) -> Result<PassEnd, Wrong> {
        let args = self.args;
        if let Some(word) = &args.shutdown {
            return self.shutdown(word);
        }
        if args.no_shutdown {
            return Ok(PassEnd::Never);
        }
        let is_typed = self.facts.stdin == Input::Terminal;
        if args.shutdown_now || args.send_only || self.runs_program() {
            return Ok(PassEnd::Now);
        }
        // Under cron, systemd, docker or in the background, where an end at once would say that
        // the answer is complete.
        let is_missing = self.dialect.null_is_no_stdin && self.facts.stdin == Input::Null;
        if args.listen && is_missing {
            return Ok(PassEnd::Never);
        }
        Ok(match self.dialect.pass_end {
            // For nc -q includes -N.
            PassEnd::Never if quit.is_some() => PassEnd::Now,
            PassEnd::WhenQuiet(_) if is_typed || !self.is_stream_client(place) => PassEnd::Now,
            PassEnd::WhenQuiet(_) if args.proxy.is_some() => PassEnd::WhenQuiet(QUIET_BEHIND_PROXY),
            pass_end => pass_end,
        })
    }

    /// `--shutdown TIME|now|never`
    fn shutdown(&self, word: &str) -> Result<PassEnd, Wrong> {
        match word {
            "now" => Ok(PassEnd::Now),
            "never" => Ok(PassEnd::Never),
            time => match duration(time) {
                Ok(Duration::ZERO) => Ok(PassEnd::Now),
                Ok(time) => Ok(PassEnd::WhenQuiet(time)),
                Err(_) => said(format!(
                    "--shutdown {}: not now, never or a time such as 5s",
                    time.escape_debug()
                )),
            },
        }
    }

    /// Returns whether silence counts only once the writer of the pipe has written, or gone.
    pub(super) fn waits_for_writer(&self) -> bool {
        let is_joined = self.services().is_empty() && !self.runs_program() && self.talk().is_none();
        let is_read = self.facts.stdin == Input::Pipe && !self.args.no_stdin;
        self.dialect.waits_for_writer && is_joined && is_read
    }

    /// Returns whether requests of HTTP are recognised on standard input.
    pub(super) fn follows_http(&self, place: &Place) -> bool {
        let args = self.args;
        let hears_answers = !args.send_only && !args.no_stdin && !self.runs_program();
        self.dialect.follows_http && self.is_stream_client(place) && !args.udp && hears_answers
    }

    /// `-q`: a negative time is no limit.
    fn quit(&self) -> Result<Option<Duration>, Wrong> {
        let Some(word) = &self.args.quit else {
            return Ok(None);
        };
        let negative = word
            .strip_prefix('-')
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
        if negative {
            return Ok(None);
        }
        self.time("-q", "quit timer", Some(word))
    }

    /// Returns whether a stream is connected, or a port of IP.
    fn is_stream_client(&self, place: &Place) -> bool {
        let sends_datagrams = self.args.udp && matches!(place, Place::Unix(_));
        !self.args.listen && !sends_datagrams
    }
}

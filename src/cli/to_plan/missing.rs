//! A host or a port that is missing. It is reported only when nothing else is wrong: that an option
//! needs `-l` says more than that a client has no port.

use super::*;
use crate::parse::url::{self, Url};

impl Planner<'_> {
    /// Refuses a place without a host, a port or a path where it needs one.
    pub(super) fn check_whole(&self, place: &Place) -> Result<(), Wrong> {
        match place {
            Place::Unix(path) if path.as_os_str().is_empty() => {
                let missing = "missing socket pathname".into();
                Err(if self.args.listen {
                    Wrong::Said(missing)
                } else {
                    Wrong::Shape(missing)
                })
            }
            Place::Ip { host: None, .. } if !self.args.listen => Err(self.no_host()),
            Place::Ip { host, ports } if ports.is_empty() => Err(self.no_port(host.as_deref())),
            Place::Ip { .. } => self
                .source_host()
                .map_or(Ok(()), |host| self.check_host(&host)),
            _ => Ok(()),
        }
    }

    fn no_host(&self) -> Wrong {
        Wrong::Shape(match self.dialect.wording {
            Wording::Netcat => "missing host and port (rnc -h shows how)".into(),
            Wording::Ncat => "You must specify a host to connect to".into(),
        })
    }

    fn no_port(&self, host: Option<&str>) -> Wrong {
        let missing = "missing port number";
        if self.dialect.strict_operands {
            return Wrong::Said(missing.into());
        }
        let alone = host.filter(|host| is_port(host) && !self.args.listen);
        Wrong::Said(match (alone, self.swallowed()) {
            (Some(port), _) => format!("no host given, only port {port} (to listen: -l {port})"),
            (None, Some((option, port))) => format!("{missing}: {option} took {port}"),
            (None, None) => missing.into(),
        })
    }

    /// An option whose value looks like the port that is missing, and that port.
    fn swallowed(&self) -> Option<(&'static str, &str)> {
        let args = self.args;
        let table = [
            ("-e", args.exec.as_deref()),
            ("-c", args.sh_exec.as_deref()),
            ("-s", args.source.as_deref()),
            ("--relay", args.relay.as_deref()),
            ("--output", args.output.as_deref()),
            ("--hex-dump", args.hex_dump.as_deref()),
            ("--port-file", args.port_file.as_deref()),
            ("-w", args.wait.as_deref().map(OsStr::new)),
            ("-q", args.quit.as_deref().map(OsStr::new)),
            ("-i", args.interval.as_deref().map(OsStr::new)),
            ("-I", args.recv_buffer.as_deref().map(OsStr::new)),
            ("-O", args.send_buffer.as_deref().map(OsStr::new)),
            ("-W", args.recv_limit.as_deref().map(OsStr::new)),
            ("--max-conns", args.max_conns.as_deref().map(OsStr::new)),
        ];
        table.into_iter().find_map(|(option, value)| {
            let value = value.and_then(OsStr::to_str);
            value
                .filter(|value| is_port(value))
                .map(|port| (option, port))
        })
    }

    /// Refuses a port in the place of a host. As an address it would be one of 0.0.0.0/8, where no
    /// host is. RFC 1122, section 3.2.1.3.
    pub(super) fn check_host(&self, host: &str) -> Result<(), Wrong> {
        match self.dialect.wording {
            _ if self.dialect.strict_operands || !is_port(host) => Ok(()),
            Wording::Ncat => Err(self.no_host()),
            Wording::Netcat => said(format!("{host} is a port number, not a host")),
        }
    }

    /// What is wrong with an address word.
    pub(super) fn bad_address(&self, word: &OsStr, error: &dyn std::fmt::Display) -> Wrong {
        let shown = printable(word.as_encoded_bytes());
        Wrong::Said(match word.to_str().and_then(url::url) {
            Some(url) => format!("{shown} is a URL; to connect: rnc {}", operands_of(&url)),
            None => format!("address \"{shown}\": {error}"),
        })
    }
}

/// Returns whether a word is a port in digits.
pub(super) fn is_port(word: &str) -> bool {
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    is_number && word.parse::<u16>().is_ok_and(|port| port != 0)
}

/// What is typed instead of a URL: `--tls localhost 443`.
fn operands_of(url: &Url<'_>) -> String {
    let scheme = url.scheme.to_ascii_lowercase();
    let (option, usual) = match scheme.as_str() {
        "http" | "ws" => ("", Some(80)),
        "https" | "wss" => ("--tls ", Some(443)),
        "udp" => ("-u ", None),
        other => ("", names::service_port(other, "tcp")),
    };
    let host = printable(url.host.as_bytes());
    let usual = usual.map_or("PORT".into(), |port| port.to_string());
    format!(
        "{option}{host} {}",
        url.port.map_or(usual, |port| printable(port.as_bytes()))
    )
}

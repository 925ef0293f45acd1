//! Ends in words: `--relay TARGET`, and the operand.

use super::*;
use crate::cli::args::TlsArgs;
use crate::parse::end::{EndWord, end_word};
use crate::parse::url::{self, Url};
use crate::parse::words::words;
use crate::plan::How;
use crate::plan::tls::Spelling;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What may stand before a base and a colon; `unix:` and `vsock:` are part of an address.
const KINDS: [&str; 5] = ["tls", "tcp", "udp", "exec", "sh"];
/// Those followed by a command, whose commas are its own.
const COMMANDS: [&str; 2] = ["exec", "sh"];

/// Returns whether an end in words is a program.
pub(super) fn names_program(word: &OsStr) -> bool {
    let kind = end_word(word, &KINDS, &COMMANDS).kind;
    kind.is_some_and(|kind| COMMANDS.contains(&kind))
}

/// The longest pause between attempts to connect, where none is given.
const RETRY: Duration = Duration::from_secs(5);
const RETRY_WORD: &str = "5s";

/// The options of an end, as typed.
struct EndOptions {
    tls: TlsArgs,
    /// The time for connecting.
    timeout: Option<Duration>,
    /// The longest pause between attempts to connect.
    retry: Option<Duration>,
}

impl Planner<'_> {
    /// The words, with what the kind of an end before the operand, and the options behind it, make of
    /// them: `tls:example.com:443,ca=ca.pem` is `--tls --tls-ca ca.pem example.com:443`.
    pub(super) fn with_end(&self) -> Result<Args, Wrong> {
        let mut args = self.args.clone();
        let Some(word) = self.args.operands.first() else {
            return Ok(args);
        };
        let parts = end_word(word, &KINDS, &COMMANDS);
        let is_url = parts.base.as_bytes().starts_with(b"//");
        let Some(kind) = parts.kind.filter(|_| !is_url) else {
            return Ok(args);
        };
        let shown = printable(word.as_encoded_bytes());
        let of_operand = |wrong| match wrong {
            Wrong::Said(why) => Wrong::Said(format!("{shown}: {why}")),
            wrong => wrong,
        };
        if COMMANDS.contains(&kind) {
            return said(format!("{shown}: a program is run with -e or -c"));
        }
        if kind != "udp" && args.udp {
            return said(format!("{shown} cannot be used with -u"));
        }
        let options = self
            .end_options(&parts, self.args.tls.clone())
            .map_err(of_operand)?;
        if options.timeout.is_some() {
            return said(format!("{shown}: timeout: that of an operand is -w"));
        }
        args.udp |= kind == "udp";
        args.tls = options.tls;
        if let Some((_, value)) = parts.options.iter().find(|(name, _)| name == "retry") {
            let longest = value.as_deref().map_or_else(|| RETRY_WORD.into(), text);
            args.retry = Some(longest);
        }
        args.operands[0] = parts.base;
        Ok(args)
    }

    /// What the clients of a listener are joined to by `--relay`: a connection or a program for each.
    pub(super) fn target(&self, word: &OsStr, timeout: Option<Duration>) -> Result<Partner, Wrong> {
        let shown = printable(word.as_encoded_bytes());
        let of_target = |wrong| of_target(&wrong, &shown);
        if let Some(url) = word.to_str().and_then(url::url) {
            return said(format!(
                "--relay {shown}: a URL; HOST:PORT is wanted: {}",
                without_scheme(&url)
            ));
        }
        let parts = end_word(word, &KINDS, &COMMANDS);
        let base = self.base(&parts).map_err(of_target)?;
        let is_ip = matches!(base, Base::Ip { .. });
        if self.args.proxy.is_some() && !is_ip {
            return said(format!("-x cannot be used with --relay {shown}"));
        }
        if let Base::Program(program) = base {
            return Ok(Partner::Program(program));
        }
        let carries_datagrams = is_ip && !matches!(parts.kind, Some("tcp" | "tls"));
        if self.args.udp && !carries_datagrams {
            return said(format!(
                "--relay {shown} cannot be used with -u: it carries no datagrams"
            ));
        }
        if !self.args.udp && parts.kind == Some("udp") {
            return said(format!("--relay {shown} needs -u"));
        }
        let end = self.remote(base, &parts, timeout).map_err(of_target)?;
        Ok(Partner::Relay(Box::new(end)))
    }

    /// The base of an end.
    fn base(&self, parts: &EndWord) -> Result<Base, Wrong> {
        let words = match parts.kind {
            Some("exec") => command(&parts.base),
            Some("sh") if parts.base.is_empty() => Vec::new(),
            Some("sh") => return Ok(runs(shell(&parts.base))),
            _ => return self.address(parts),
        };
        if words.is_empty() {
            return said("no program");
        }
        Ok(runs(words))
    }

    /// The base of an end that is an address.
    fn address(&self, parts: &EndWord) -> Result<Base, Wrong> {
        match hostport::address(&parts.base) {
            Err(error) => said(error.to_string()),
            Ok(Address::Unix(_) | Address::Vsock(..))
                if matches!(parts.kind, Some("tcp" | "udp")) =>
            {
                said("not HOST:PORT")
            }
            Ok(Address::Unix(path)) => Ok(Base::Unix {
                path,
                datagrams: None,
            }),
            Ok(Address::Vsock(Some(cid), port)) => Ok(Base::Vsock { cid, port }),
            Ok(Address::Vsock(None, _)) => said("missing CID"),
            Ok(Address::HostPort(host, word)) => {
                self.check_host(&host)?;
                let named = || names::service_port(&word, self.transport().name());
                let port = ports::port(&word).or_else(|error| named().ok_or(error));
                let port = port.map_err(|error| bad_port(&error, &word, self.dialect.wording))?;
                let host = host.into();
                Ok(Base::Ip { host, port })
            }
            Ok(Address::AnyHost(_)) => said("missing host"),
            Ok(Address::Host(_)) => said("not HOST:PORT or unix:PATH"),
        }
    }

    /// An end elsewhere, with the layers on it.
    fn remote(&self, base: Base, parts: &EndWord, timeout: Option<Duration>) -> Result<End, Wrong> {
        let options = self.end_options(parts, TlsArgs::default())?;
        let named = match &base {
            Base::Unix { .. } => Err("a Unix socket"),
            Base::Vsock { .. } => Err("vsock"),
            _ => Ok(()),
        };
        Ok(End {
            base,
            layers: self.layers(&options.tls, Spelling::Word, named)?,
            how: {
                let how = self.how(options.timeout.or(timeout), false)?;
                How {
                    retry: options.retry.or(how.retry),
                    ..how
                }
            },
        })
    }

    /// The options of an end, named as the long options of the command line, added to those of TLS
    /// in `tls`.
    fn end_options(&self, parts: &EndWord, tls: TlsArgs) -> Result<EndOptions, Wrong> {
        let mut options = EndOptions {
            tls: TlsArgs {
                tls: tls.tls || parts.kind == Some("tls"),
                ..tls
            },
            timeout: None,
            retry: None,
        };
        for (name, value) in &parts.options {
            if name.is_empty() {
                return said("no option after a comma");
            }
            let word = value.as_deref().map(text).filter(|word| !word.is_empty());
            match (name.as_str(), word) {
                ("timeout", None) => return said("timeout: needs a value"),
                ("timeout", word) => {
                    options.timeout = self.time("timeout", "timeout", word.as_ref())?;
                }
                ("retry", None) => options.retry = Some(RETRY),
                ("retry", word) => options.retry = self.limit("retry", word.as_ref())?,
                (name, _) => {
                    let taken = options.tls.set(name, value.as_deref());
                    let name = name.escape_debug();
                    taken.map_err(|why| Wrong::Said(format!("{name}: {why}")))?;
                }
            }
        }
        Ok(options)
    }

    /// Refuses a relay that would connect to itself: each client would bring the next, until no
    /// descriptors are left. A name is only known once it is looked up.
    pub(super) fn check_relay(&self, place: &Place) -> Result<(), Wrong> {
        let Some(word) = &self.args.relay else {
            return Ok(());
        };
        let target = end_word(word, &KINDS, &COMMANDS).base;
        let is_itself = match (place, hostport::address(&target)) {
            (Place::Unix(path), Ok(Address::Unix(target))) => *path == target,
            (Place::Ip { host, ports }, Ok(Address::HostPort(target, port))) => {
                ports.first() == Some(&port)
                    && match host {
                        Some(host) => *host == target,
                        None => is_here(&target),
                    }
            }
            _ => false,
        };
        if is_itself && self.args.proxy.is_none() {
            let shown = printable(word.as_encoded_bytes());
            return said(format!("--relay {shown}: this is where rnc itself listens"));
        }
        Ok(())
    }
}

/// Returns whether a host is this machine, as far as the word itself shows.
fn is_here(host: &str) -> bool {
    let is_loopback = |ip: std::net::IpAddr| ip.is_loopback() || ip.is_unspecified();
    host == "localhost" || host.parse().is_ok_and(is_loopback)
}

/// A program that is run for each client.
fn runs(words: Vec<OsString>) -> Base {
    Base::Program(Program {
        words,
        terminal: false,
        passes_status: false,
        has_quotes: false,
    })
}

/// What is wrong with a part of a target, with the target, and with its options as they are typed
/// there.
fn of_target(wrong: &Wrong, shown: &str) -> Wrong {
    let (Wrong::Said(why) | Wrong::Shape(why)) = wrong;
    let why = why.replace("--tls-", "");
    let why = why
        .replace("--tls", "tls")
        .replace("--starttls", "starttls");
    Wrong::Said(format!("--relay {shown}: {why}"))
}

/// What is typed instead of a URL.
fn without_scheme(url: &Url<'_>) -> String {
    let is_secure = ["https", "wss"].contains(&url.scheme.to_ascii_lowercase().as_str());
    let layer = if is_secure { "tls:" } else { "" };
    format!("{layer}{}:PORT", printable(url.host.as_bytes()))
}

/// The words of a program, as `-e` has them.
pub(super) fn command(line: &OsStr) -> Vec<OsString> {
    let words = words(line.as_bytes()).into_iter();
    words.map(OsString::from_vec).collect()
}

/// The words that run a command of the shell, as `-c` does.
pub(super) fn shell(line: &OsStr) -> Vec<OsString> {
    vec!["/bin/sh".into(), "-c".into(), line.to_owned()]
}

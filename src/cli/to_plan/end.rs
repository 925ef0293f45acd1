//! Ends in words: `--relay TARGET`.

use super::*;
use crate::cli::args::TlsArgs;
use crate::parse::end::{EndWord, end_word};
use crate::parse::url;
use crate::parse::words::words;
use crate::plan::Layer;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What may stand before a base and a colon; `unix:` and `vsock:` are part of an address.
const KINDS: [&str; 5] = ["tls", "tcp", "udp", "exec", "sh"];
/// Those behind which all is one command.
const COMMANDS: [&str; 2] = ["exec", "sh"];

/// Returns whether an end in words is a program.
pub(super) fn names_program(word: &OsStr) -> bool {
    let kind = end_word(word, &KINDS, &COMMANDS).kind;
    kind.is_some_and(|kind| COMMANDS.contains(&kind))
}

impl Planner<'_> {
    /// The end that the clients of a listener are relayed to.
    pub(super) fn target(&self, word: &OsStr, timeout: Option<Duration>) -> Result<End, Wrong> {
        let shown = printable(word.as_encoded_bytes());
        if let Some(url) = word.to_str().and_then(url::url) {
            let host = printable(url.host.as_bytes());
            return said(format!(
                "--relay {shown}: a URL; HOST:PORT is wanted: {host}:PORT"
            ));
        }
        let parts = end_word(word, &KINDS, &COMMANDS);
        let base = self.base(&parts, &shown)?;
        let (tls, limit) = self.end_options(&parts, &shown)?;
        let mut how = self.how(limit.or(timeout), false)?;
        match parts.kind {
            Some("udp") if !self.args.udp => {
                return said(format!("--relay {shown} needs -u"));
            }
            Some("tcp" | "tls") => how.net.transport = Transport::Tcp,
            _ => {}
        }
        let nameless = match &base {
            Base::Unix { .. } => Err("a Unix socket"),
            Base::Vsock { .. } => Err("vsock"),
            _ => Ok(()),
        };
        let is_program = matches!(base, Base::Program(_));
        let proxy = self.proxy()?.filter(|_| !is_program).map(Layer::Proxy);
        let tls = self.tls_client(&tls, nameless)?.map(Layer::Tls);
        let layers = proxy.into_iter().chain(tls).collect();
        let end = End { base, layers, how };
        if self.args.udp && !is_program && !(end.keeps_messages() && end.layers.is_empty()) {
            return said(format!(
                "--relay {shown} cannot be used with -u: it carries no datagrams"
            ));
        }
        Ok(end)
    }

    fn base(&self, parts: &EndWord, shown: &str) -> Result<Base, Wrong> {
        let words = match parts.kind {
            Some("exec") => Some(command(&format!("--relay {shown}"), &parts.base)?),
            Some("sh") => Some(shell(&parts.base)),
            _ => None,
        };
        if let Some(words) = words {
            return Ok(Base::Program(Program {
                words,
                terminal: false,
                passes_status: false,
                has_quotes: false,
            }));
        }
        let has_proxy = self.args.proxy.is_some();
        match hostport::address(&parts.base) {
            Err(error) => said(format!("--relay {shown}: {error}")),
            Ok(Address::Unix(_) | Address::Vsock(..)) if has_proxy => {
                said(format!("-x cannot be used with --relay {shown}"))
            }
            Ok(Address::Unix(path)) => Ok(Base::Unix {
                path,
                datagrams: None,
            }),
            Ok(Address::Vsock(Some(cid), port)) => Ok(Base::Vsock { cid, port }),
            Ok(Address::Vsock(None, _)) => said(format!("--relay {shown}: missing CID")),
            Ok(Address::HostPort(host, word)) => {
                self.check_host(&host)?;
                let named = || names::service_port(&word, self.transport().name());
                let port = ports::port(&word).or_else(|error| named().ok_or(error));
                let port = port.map_err(|error| bad_port(&error, &word, self.dialect.wording))?;
                let host = host.into();
                Ok(Base::Ip { host, port })
            }
            Ok(Address::AnyHost(_)) => said(format!("--relay {shown}: missing host")),
            Ok(Address::Host(_)) => said(format!("--relay {shown}: not HOST:PORT or unix:PATH")),
        }
    }

    /// The options of an end, named as the long options of the command line: those of TLS, and the
    /// time for connecting.
    fn end_options(
        &self,
        parts: &EndWord,
        shown: &str,
    ) -> Result<(TlsArgs, Option<Duration>), Wrong> {
        let mut timeout = None;
        let mut tls = TlsArgs {
            tls: parts.kind == Some("tls"),
            ..TlsArgs::default()
        };
        for (name, value) in &parts.options {
            if name == "timeout" {
                let word = value.as_deref().map(text).unwrap_or_default();
                timeout =
                    self.time(&format!("--relay {shown}: timeout"), "timeout", Some(&word))?;
                continue;
            }
            let taken = tls.set(name, value.as_deref());
            taken.map_err(|why| Wrong::Said(format!("--relay {shown}: {name}: {why}")))?;
        }
        Ok((tls, timeout))
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

/// The words of a program, as `-e` has them.
pub(super) fn command(option: &str, line: &OsStr) -> Result<Vec<OsString>, Wrong> {
    let words = words(line.as_bytes()).into_iter();
    let words: Vec<OsString> = words.map(OsString::from_vec).collect();
    if words.is_empty() {
        said(format!("{option} names no program"))
    } else {
        Ok(words)
    }
}

/// The words that run a command of the shell, as `-c` does.
pub(super) fn shell(line: &OsStr) -> Vec<OsString> {
    vec!["/bin/sh".into(), "-c".into(), line.to_owned()]
}

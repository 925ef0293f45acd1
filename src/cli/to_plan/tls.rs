//! TLS: as a client or a server, what is trusted, and our certificate. Each of its options asks for
//! it.

use super::*;
use crate::cli::args::TlsArgs;
use crate::cli::dialect::TlsRules;
use crate::parse::ciphers::{self, ciphers};
use crate::parse::pin::pin;
use crate::plan::Layer;
use crate::plan::starttls::Protocol;
use crate::plan::tls::{Client, Common, Identity, Pin, Server, Spelling, Trust, Version};

/// How much the names of protocols (ALPN) may be together, in bytes: far more than anybody needs,
/// and far less than a ClientHello can hold. RFC 8446, section 4.1.2.
const MOST_ALPN_BYTES: usize = 4096;

impl Planner<'_> {
    /// What is put on an end: the way through a proxy, and TLS.
    pub(super) fn layers(
        &self,
        args: &TlsArgs,
        spelling: Spelling,
        named: Result<(), &str>,
    ) -> Result<Vec<Layer>, Wrong> {
        let proxy = self.proxy()?.map(Layer::Proxy);
        let tls = self.tls_client(args, spelling, named)?.map(Layer::Tls);
        Ok(proxy.into_iter().chain(tls).collect())
    }

    /// TLS with the server of an end, if one of the options asks for it, which are spelled so.
    /// `named` is what has no name that could be checked.
    fn tls_client(
        &self,
        args: &TlsArgs,
        spelling: Spelling,
        named: Result<(), &str>,
    ) -> Result<Option<Client>, Wrong> {
        let Some(asked) = self.asked(args)? else {
            return Ok(None);
        };
        check_tls_side(args, &self.dialect.tls, false)?;
        check_tls_options(args)?;
        let common = self.tls_common(args)?;
        let trust = self.server_trust(args)?;
        let server_name = args.servername.clone();
        if server_name.as_deref() == Some("") {
            return said("--tls-servername: no name");
        }
        let checks_name = matches!(trust, Trust::Platform | Trust::Authorities(_));
        if let Err(address) = named
            && checks_name
            && server_name.is_none()
        {
            return said(format!(
                "{asked} over {address} needs --tls-servername, or --tls-pin: there is no name to check"
            ));
        }
        Ok(Some(Client {
            spelling,
            warns: trust == Trust::Anyone && self.dialect.tls.checks_servers,
            tells_doubts: trust == Trust::Anyone
                && !self.dialect.tls.checks_servers
                && self.args.verbose > 0,
            common,
            trust,
            server_name,
            starttls: starttls(args)?,
        }))
    }

    /// TLS with the clients of a listener, if one of the options asks for it.
    pub(super) fn tls_server(&self) -> Result<Option<Server>, Wrong> {
        let args = &self.args.tls;
        if self.asked(args)?.is_none() {
            return Ok(None);
        }
        check_tls_side(args, &self.dialect.tls, true)?;
        check_tls_options(args)?;
        let common = self.tls_common(args)?;
        let pins = pins("--tls-client-pin", &args.client_pin)?;
        let authorities = args.client_ca.as_ref();
        Ok(Some(Server {
            common,
            clients: if pins.is_empty() {
                authorities.map(|file| Trust::Authorities(file.into()))
            } else {
                Some(Trust::Pins(pins))
            },
            save: args.save.as_ref().map(PathBuf::from),
            takes_bare_ends: self.dialect.tls.listeners_take_bare_ends,
        }))
    }

    /// The option that asks for TLS, where that can be had.
    fn asked(&self, args: &TlsArgs) -> Result<Option<&'static str>, Wrong> {
        let Some(asked) = args.asks() else {
            return Ok(None);
        };
        if !cfg!(feature = "tls") {
            return said(format!("{asked}: this rnc was built without TLS"));
        }
        self.check_tls_shape(asked)?;
        Ok(Some(asked))
    }

    /// Whose server it must be.
    fn server_trust(&self, args: &TlsArgs) -> Result<Trust, Wrong> {
        let pins = pins("--tls-pin", &args.pin)?;
        let checks = args.verify || self.dialect.tls.checks_servers;
        Ok(match &args.ca {
            _ if !pins.is_empty() => Trust::Pins(pins),
            Some(file) => Trust::Authorities(file.into()),
            None if checks && !args.no_verify => Trust::Platform,
            None => Trust::Anyone,
        })
    }

    fn tls_common(&self, args: &TlsArgs) -> Result<Common, Wrong> {
        let oldest = version("--tls-min", args.min.as_deref(), Version::V1_2)?;
        let newest = version("--tls-max", args.max.as_deref(), Version::V1_3)?;
        if oldest > newest {
            return said("--tls-min is above --tls-max");
        }
        let identity = args.cert.as_ref().map(|cert| Identity {
            cert: cert.into(),
            key: args.key.as_ref().unwrap_or(cert).into(),
        });
        Ok(Common {
            identity,
            versions: (oldest, newest),
            ciphers: self.tls_ciphers(args, oldest, newest)?,
            alpn: args.alpn.as_deref().map_or(Ok(Vec::new()), alpn)?,
        })
    }

    /// `--tls-ciphers`: names in rustls.
    fn tls_ciphers(
        &self,
        args: &TlsArgs,
        oldest: Version,
        newest: Version,
    ) -> Result<Vec<String>, Wrong> {
        let Some(list) = &args.ciphers else {
            return Ok(Vec::new());
        };
        let mut names = ciphers(list).map_err(|word| {
            let known: Vec<&str> = ciphers::all().collect();
            let (word, known) = (word.escape_debug(), known.join(", "));
            Wrong::Said(format!(
                "--tls-ciphers: \"{word}\" is no cipher suite of rnc, which has {known}"
            ))
        })?;
        let names_tls13 = names.iter().any(|name| ciphers::is_tls13(name));
        if self.dialect.tls.keeps_tls13_ciphers && !names_tls13 {
            names.extend(ciphers::all().filter(|name| ciphers::is_tls13(name)));
        }
        let is_usable = |name: &&str| {
            if ciphers::is_tls13(name) {
                newest == Version::V1_3
            } else {
                oldest == Version::V1_2
            }
        };
        if names.iter().any(is_usable) {
            Ok(names.into_iter().map(str::to_string).collect())
        } else {
            said("--tls-ciphers has none for the version of --tls-min and --tls-max")
        }
    }

    /// Rejects what TLS cannot be put on, and a build without TLS.
    fn check_tls_shape(&self, asked: &str) -> Result<(), Wrong> {
        let args = self.args;
        let table = [
            (args.udp, "-u: rnc has no DTLS"),
            (args.zero, "-z"),
            (args.pass_fd, "-F"),
        ];
        match table.iter().find(|(found, _)| *found) {
            Some((_, other)) => said(format!("{asked} cannot be used with {other}")),
            None => Ok(()),
        }
    }
}

/// Options of servers need `-l`, those of clients cannot be used with it.
fn check_tls_side(args: &TlsArgs, dialect: &TlsRules, listen: bool) -> Result<(), Wrong> {
    let servers = [
        (args.save.is_some(), "--tls-save"),
        (args.client_ca.is_some(), "--tls-client-ca"),
        (!args.client_pin.is_empty(), "--tls-client-pin"),
    ];
    if let Some((_, option)) = servers.iter().find(|(typed, _)| *typed && !listen) {
        return said(format!("{option} needs -l"));
    }
    let refused = !dialect.listeners_ignore_checks;
    let clients = [
        (
            args.ca.is_some() && refused,
            "--tls-ca",
            ": --tls-client-ca is for clients",
        ),
        (
            !args.pin.is_empty(),
            "--tls-pin",
            ": --tls-client-pin is for clients",
        ),
        (args.no_verify, "--tls-no-verify", ""),
        (args.verify && refused, "--tls-verify", ""),
        (args.servername.is_some() && refused, "--tls-servername", ""),
        (args.starttls.is_some(), "--starttls", ""),
    ];
    match clients.iter().find(|(typed, _, _)| *typed && listen) {
        Some((_, option, instead)) => said(format!("{option} cannot be used with -l{instead}")),
        None => Ok(()),
    }
}

/// Rejects options that contradict each other.
fn check_tls_options(args: &TlsArgs) -> Result<(), Wrong> {
    let pins = !args.pin.is_empty();
    let table = [
        (
            pins && args.ca.is_some(),
            "--tls-pin cannot be used with --tls-ca: no authority counts then",
        ),
        (
            pins && args.verify,
            "--tls-pin cannot be used with --tls-verify: no authority counts then",
        ),
        (
            pins && args.no_verify,
            "--tls-no-verify cannot be used with --tls-pin",
        ),
        (
            args.ca.is_some() && args.no_verify,
            "--tls-no-verify cannot be used with --tls-ca",
        ),
        (
            args.verify && args.no_verify,
            "--tls-no-verify cannot be used with --tls-verify",
        ),
        (
            args.key.is_some() && args.cert.is_none(),
            "--tls-key needs --tls-cert",
        ),
        (
            args.save.is_some() && args.cert.is_some(),
            "--tls-save cannot be used with --tls-cert",
        ),
        (
            args.client_ca.is_some() && !args.client_pin.is_empty(),
            "--tls-client-pin cannot be used with --tls-client-ca",
        ),
    ];
    match table.iter().find(|(found, _)| *found) {
        Some((_, message)) => said(*message),
        None => Ok(()),
    }
}

fn starttls(args: &TlsArgs) -> Result<Option<Protocol>, Wrong> {
    let Some(word) = &args.starttls else {
        return Ok(None);
    };
    match word.parse() {
        Ok(protocol) => Ok(Some(protocol)),
        Err(unknown) => said(format!("--starttls {}: {unknown}", word.escape_debug())),
    }
}

fn pins(option: &str, words: &[String]) -> Result<Vec<Pin>, Wrong> {
    let read = |word: &String| {
        let shown = word.escape_debug();
        pin(word).map_err(|error| Wrong::Said(format!("{option} {shown}: {error}")))
    };
    words.iter().map(read).collect()
}

fn version(option: &str, word: Option<&str>, default: Version) -> Result<Version, Wrong> {
    match word {
        None => Ok(default),
        Some("1.2") => Ok(Version::V1_2),
        Some("1.3") => Ok(Version::V1_3),
        Some(other) => said(format!(
            "{option} {}: rnc speaks TLS 1.2 and 1.3 only",
            other.escape_debug()
        )),
    }
}

/// The list of `--tls-alpn`: names of 1 to 255 bytes. RFC 7301, section 3.1.
fn alpn(list: &str) -> Result<Vec<Vec<u8>>, Wrong> {
    let names: Vec<Vec<u8>> = list
        .split(',')
        .map(|name| name.as_bytes().to_vec())
        .collect();
    if list.len() > MOST_ALPN_BYTES || names.iter().any(|name| !(1..=255).contains(&name.len())) {
        return said(format!(
            "--tls-alpn {}: names of 1 to 255 bytes between commas, {MOST_ALPN_BYTES} bytes at most",
            list.escape_debug()
        ));
    }
    Ok(names)
}

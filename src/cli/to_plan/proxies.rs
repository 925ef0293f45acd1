//! Through which proxy, as whom, and who looks names up.

use super::*;
use crate::parse::url;
use crate::plan::{Proxy, ProxyKind, ProxyNames};

impl Planner<'_> {
    pub(super) fn proxy(&self) -> Result<Option<Proxy>, Wrong> {
        let kind = self.proxy_kind()?;
        let Some(word) = &self.args.proxy else {
            return Ok(None);
        };
        if let Some(url) = url::url(word).filter(|_| !self.dialect.strict_operands) {
            let (word, host) = (word.escape_debug(), url.host.escape_debug());
            return said(format!(
                "-x {word}: a URL; HOST:PORT is wanted, and its kind with -X: {host}:PORT"
            ));
        }
        let (host, port) = hostport::proxy(word).map_err(|error| Wrong::Said(error.to_string()))?;
        self.check_host(&host)?;
        let standard = if kind == ProxyKind::Http { 3128 } else { 1080 };
        let named = |word: &str| names::service_port(word, "tcp");
        let port = match &port {
            Some(word) => ports::port(word)
                .or_else(|error| named(word).ok_or(error))
                .map_err(|error| bad_port(&error, word, self.dialect.wording))?,
            None => standard,
        };
        let (user, password) = self.proxy_login();
        Ok(Some(Proxy {
            kind,
            host,
            port,
            user,
            password,
            names: self.proxy_names(kind)?,
            names_the_host: self.dialect.names_the_host,
        }))
    }

    /// The user, and the password unless it is to be asked for.
    fn proxy_login(&self) -> (Option<String>, Option<String>) {
        let typed = self.args.proxy_auth.as_ref();
        let (user, password) = match typed.or(self.facts.proxy_auth.as_ref()) {
            None => (None, None),
            Some(auth) => match auth.split_once(':') {
                Some((user, password)) => (Some(user.to_string()), Some(password.to_string())),
                None => (Some(auth.clone()), None),
            },
        };
        (self.args.proxy_user.clone().or(user), password)
    }

    /// `--proxy-dns`. What SOCKS4 is called tells whether the proxy knows 4A.
    fn proxy_names(&self, kind: ProxyKind) -> Result<ProxyNames, Wrong> {
        let spelt = self.args.proxy_type.as_deref().unwrap_or_default();
        let is_4a = spelt.to_lowercase().ends_with("4a");
        Ok(match self.args.proxy_dns.as_deref() {
            Some("local") => ProxyNames::Local,
            Some("remote") => ProxyNames::Remote,
            Some("both") => ProxyNames::Both,
            Some("none") => ProxyNames::Neither,
            Some(other) => {
                let other = other.escape_debug();
                return said(format!(
                    "--proxy-dns {other}: not local, remote, both or none"
                ));
            }
            None if kind == ProxyKind::Socks4 && !is_4a => self.dialect.socks4_names,
            None => ProxyNames::Remote,
        })
    }

    /// What `-X` names, which is judged without a proxy too.
    fn proxy_kind(&self) -> Result<ProxyKind, Wrong> {
        Ok(match self.args.proxy_type.as_deref() {
            None => self.dialect.proxy_kind,
            Some("5" | "socks5") => ProxyKind::Socks5,
            Some("4" | "4a" | "4A" | "socks4" | "socks4a") => ProxyKind::Socks4,
            Some(http) if ["connect", "http"].contains(&http.to_lowercase().as_str()) => {
                ProxyKind::Http
            }
            Some(_) if self.dialect.strict_operands => return said("unsupported proxy protocol"),
            Some(other) => {
                return said(format!(
                    "unsupported proxy protocol: {other} (5, 4, 4a or connect)"
                ));
            }
        })
    }
}

//! The options of TLS, as typed.

use crate::cli::matches::arguments;
use clap::ArgMatches;
use std::ffi::{OsStr, OsString};

arguments! {
    /// The words of the group. Where the option table was built without it, nothing was typed.
    TlsArgs from matches {
        tls: flag "tls",
        ca: path "tls-ca",
        pin: words "tls-pin",
        no_verify: flag "tls-no-verify",
        verify: flag "tls-verify",
        servername: word "tls-servername",
        cert: path "tls-cert",
        key: path "tls-key",
        save: path "tls-save",
        client_ca: path "tls-client-ca",
        client_pin: words "tls-client-pin",
        alpn: word "tls-alpn",
        min: word "tls-min",
        max: word "tls-max",
        ciphers: word "tls-ciphers",
        starttls: word "starttls",
    }
}

impl TlsArgs {
    /// Sets what the option of an end says, named as the long one without `--tls-`.
    ///
    /// # Errors
    /// Why it cannot be set.
    pub fn set(&mut self, name: &str, value: Option<&OsStr>) -> Result<(), &'static str> {
        let flag = match name {
            "no-verify" => Some(&mut self.no_verify),
            "verify" => Some(&mut self.verify),
            _ => None,
        };
        if let Some(flag) = flag {
            *flag = true;
            return value.map_or(Ok(()), |_| Err("takes no value"));
        }
        let text = || value.map(|value| value.to_string_lossy().into_owned());
        match name {
            "ca" => self.ca = value.map(OsStr::to_owned),
            "cert" => self.cert = value.map(OsStr::to_owned),
            "key" => self.key = value.map(OsStr::to_owned),
            "pin" => self.pin.extend(text()),
            "servername" => self.servername = text(),
            "alpn" => self.alpn = text(),
            "min" => self.min = text(),
            "max" => self.max = text(),
            "ciphers" => self.ciphers = text(),
            "starttls" => self.starttls = text(),
            _ => return Err("unknown option"),
        }
        match value {
            Some(value) if !value.is_empty() => Ok(()),
            _ => Err("needs a value"),
        }
    }

    /// The option that asks for TLS, as each of them does.
    pub fn asks(&self) -> Option<&'static str> {
        let table = [
            (self.tls, "--tls"),
            (self.starttls.is_some(), "--starttls"),
            (self.ca.is_some(), "--tls-ca"),
            (!self.pin.is_empty(), "--tls-pin"),
            (self.no_verify, "--tls-no-verify"),
            (self.verify, "--tls-verify"),
            (self.servername.is_some(), "--tls-servername"),
            (self.cert.is_some(), "--tls-cert"),
            (self.key.is_some(), "--tls-key"),
            (self.save.is_some(), "--tls-save"),
            (self.client_ca.is_some(), "--tls-client-ca"),
            (!self.client_pin.is_empty(), "--tls-client-pin"),
            (self.alpn.is_some(), "--tls-alpn"),
            (self.min.is_some(), "--tls-min"),
            (self.max.is_some(), "--tls-max"),
            (self.ciphers.is_some(), "--tls-ciphers"),
        ];
        let typed = table.into_iter().find(|(typed, _)| *typed);
        typed.map(|(_, option)| option)
    }
}

//! The options of TLS, as typed.

use crate::cli::matches::arguments;
use clap::ArgMatches;
use std::ffi::OsString;

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

//! Options for TLS on the connections.

use super::option::{grouped, known, setting, switch};
use crate::plan::starttls::Protocol;
use clap::{Arg, ArgAction, ValueHint};

const TLS: &str = "TLS";

/// The options, with their group. Each is known by its name with `ssl` in it too, as Ncat has it.
pub fn tls() -> Vec<Arg> {
    grouped(
        TLS,
        [
            switch(
                "tls",
                "Encrypt; the server's certificate is checked",
                "TLS 1.2 or 1.3. A client checks that the certificate was signed for the HOST it \
                 dialled by an authority that the system trusts. With -l a new certificate is made \
                 if there is no --tls-cert, and how to connect to it is said on standard error. \
                 All options of this group imply --tls, and --tls in their names can be spelt \
                 --ssl: --ssl-pin. With --relay it is for the clients; tls: in its TARGET is for the \
                 target. Not with -u, -z or -F.",
            )
            .alias("ssl"),
            file(
                "tls-ca",
                "FILE",
                "Trust the authorities in FILE, not the system's",
                "Certificates in PEM, or one in DER. A server's own certificate may be among them. Also \
                 --ssl-trustfile. Not with -l or --tls-no-verify.",
            )
            .aliases(["ssl-ca", "ssl-trustfile", "tls-trustfile"]),
            setting(
                "tls-pin",
                "sha256:HEX",
                "Trust only the certificate with this fingerprint",
                "That of the whole certificate, as rnc -l --tls shows it, or openssl x509 \
                 -fingerprint -sha256. Names, dates and authorities do not count then. May be \
                 given more than once. Not with -l, --tls-ca, --tls-verify or --tls-no-verify.",
            )
            .alias("ssl-pin")
            .action(ArgAction::Append)
            .hide_short_help(true),
            switch(
                "tls-no-verify",
                "Trust any certificate: the connection can be listened to",
                "Others on the network path can read and change all data. A line says so on standard \
                 error. As ncat: so without --tls-verify or --tls-ca. Not with -l, --tls-ca, \
                 --tls-pin or --tls-verify.",
            )
            .alias("ssl-no-verify")
            .hide_short_help(true),
            switch(
                "tls-verify",
                "Check the server's certificate (rnc always does)",
                "As ncat: only with this, --tls-ca or --tls-pin. Not with -l.",
            )
            .alias("ssl-verify")
            .hide_short_help(true),
            setting(
                "tls-servername",
                "NAME",
                "The server's name, if not the HOST that was dialled",
                "It is asked for (SNI), and the certificate has to be for it. Not with -l.",
            )
            .alias("ssl-servername")
            .value_hint(ValueHint::Hostname)
            .hide_short_help(true),
            file(
                "tls-cert",
                "FILE",
                "Our own certificate",
                "In PEM, those between it and its authority behind it, or alone in DER. A client \
                 shows it to a server that asks. What is in it is for the peer to judge.",
            )
            .alias("ssl-cert")
            .hide_short_help(true),
            file(
                "tls-key",
                "FILE",
                "Its private key",
                "In PEM or DER, without a passphrase. Without this it is in the file of --tls-cert. \
                 Needs --tls-cert.",
            )
            .alias("ssl-key")
            .hide_short_help(true),
            directory(
                "tls-save",
                "DIR",
                "With -l: keep the certificate that is made in DIR",
                "As cert.pem and key.pem, for their owner only. If they are there already, they are \
                 used, and the fingerprint stays the same, unless they are another user's or the \
                 key is open to others: that is an error. DIR is made if it is not there, the \
                 directories it is in are not. Needs -l; not with --tls-cert.",
            )
            .alias("ssl-save")
            .hide_short_help(true),
            file(
                "tls-client-ca",
                "FILE",
                "With -l: only clients with a certificate of these authorities",
                "Certificates in PEM, or one in DER. A client's own certificate may be among them. \
                 Needs -l; not with --tls-client-pin.",
            )
            .alias("ssl-client-ca")
            .hide_short_help(true),
            setting(
                "tls-client-pin",
                "sha256:HEX",
                "With -l: only the client with this certificate",
                "As --tls-pin. May be given more than once. Needs -l; not with --tls-client-ca.",
            )
            .alias("ssl-client-pin")
            .action(ArgAction::Append)
            .hide_short_help(true),
            setting(
                "tls-alpn",
                "LIST",
                "Protocols to offer (ALPN), the best first: h2,http/1.1",
                "Names between commas, each of 1 to 255 bytes. A server that knows none of them \
                 may refuse; rnc does. Of those that both know a listener takes its own best.",
            )
            .alias("ssl-alpn")
            .hide_short_help(true),
            version(
                "tls-min",
                "The oldest version to speak: 1.2 or 1.3",
                "1.2 by default; rnc speaks nothing older.",
            )
            .alias("ssl-min"),
            version(
                "tls-max",
                "The newest version to speak: 1.2 or 1.3",
                "1.3 by default.",
            )
            .alias("ssl-max"),
            setting(
                "tls-ciphers",
                "LIST",
                "Cipher suites to use; a client's best first",
                "Names between commas or colons, as rustls, the RFCs or OpenSSL have them; a name \
                 that is none shows which there are. OpenSSL's groups, such as HIGH, are not known. \
                 A listener takes what its client likes best of them. As ncat: those of TLS 1.3 \
                 stay in use if none of them is named.",
            )
            .alias("ssl-ciphers")
            .hide_short_help(true),
            known(
                setting(
                    "starttls",
                    "PROTOCOL",
                    "Begin in plain text, and ask for TLS",
                    "As the clients of these protocols do: smtp, lmtp, imap, pop3, sieve, nntp, ftp, \
                     xmpp, xmpp-server (as another server), postgres, ldap, mysql. An XMPP stream \
                     is opened to the name of --tls-servername, or else to HOST. What the server \
                     says before TLS is not shown. Not with -l.",
                ),
                &Protocol::NAMES,
            )
            .hide_short_help(true),
        ],
    )
}

fn file(long: &'static str, name: &'static str, help: &'static str, more: &'static str) -> Arg {
    setting(long, name, help, more).value_hint(ValueHint::FilePath)
}

fn directory(
    long: &'static str,
    name: &'static str,
    help: &'static str,
    more: &'static str,
) -> Arg {
    setting(long, name, help, more).value_hint(ValueHint::DirPath)
}

fn version(long: &'static str, help: &'static str, more: &'static str) -> Arg {
    known(setting(long, "VERSION", help, more), &["1.2", "1.3"]).hide_short_help(true)
}

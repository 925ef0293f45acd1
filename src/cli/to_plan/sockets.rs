//! Addresses to send from, and socket options.

use super::*;

impl Planner<'_> {
    /// `is_local`: with `-l`, and over sockets of other kinds, `-s` and `-p` have other meanings.
    pub(super) fn net(&self, is_local: bool) -> Result<Net, Wrong> {
        let args = self.args;
        let listens_on_port = args.listen || is_local;
        let source_port = match args.source_port.as_deref().filter(|_| !listens_on_port) {
            Some(word) => Some(self.listen_port(word)?),
            None => None,
        };
        let family = match (args.ipv4, args.ipv6) {
            (true, _) => Family::V4,
            (false, true) => Family::V6,
            (false, false) => Family::Any,
        };
        Ok(Net {
            family,
            transport: self.transport(),
            numeric: args.nodns,
            gives_hints: !self.dialect.plain_errors,
            source: self.source_host().filter(|_| !listens_on_port),
            source_port,
            options: self.socket_options()?,
        })
    }

    fn socket_options(&self) -> Result<SocketOptions, Wrong> {
        let args = self.args;
        let tos = match &args.tos {
            Some(word) => {
                let read = tos::tos(word).map_err(|error| Wrong::Said(format!("{error} {word}")));
                Some(read?)
            }
            None => None,
        };
        Ok(SocketOptions {
            debug: args.debug,
            broadcast: args.broadcast,
            recv_buffer: self.buffer("-I", "TCP receive window", args.recv_buffer.as_ref())?,
            send_buffer: self.buffer("-O", "TCP send window", args.send_buffer.as_ref())?,
            ttl: self.ttl("-M", "ttl", args.ttl.as_ref())?,
            min_ttl: self.ttl("-m", "minttl", args.min_ttl.as_ref())?,
            tos,
            answers: args.listen && !args.no_stdin,
            own_groups_only: !args.join.is_empty(),
            multicast_loop: self.multicast_loop()?,
            signs: args.md5sig,
            // A scan leaves no connection that could last.
            keepalive: self.dialect.keepalive && !args.zero,
        })
    }

    fn multicast_loop(&self) -> Result<Option<bool>, Wrong> {
        match self.args.multicast_loop.as_deref() {
            None => Ok(None),
            Some("yes") => Ok(Some(true)),
            Some("no") => Ok(Some(false)),
            Some(other) => {
                let other = other.escape_debug();
                said(format!("--multicast-loop {other}: not yes or no"))
            }
        }
    }

    fn ttl(&self, option: &str, name: &str, word: Option<&String>) -> Result<Option<u8>, Wrong> {
        let Some(word) = word else { return Ok(None) };
        let read = strtonum(word, 0, 255).map(|value| u8::try_from(value).unwrap_or(u8::MAX));
        read.map(Some).map_err(|error| {
            if self.dialect.plain_numbers {
                Wrong::Said(format!("{name} is {error}"))
            } else {
                Wrong::Said(format!("{option} {word}: {error} (0 to 255)"))
            }
        })
    }

    fn buffer(
        &self,
        option: &str,
        name: &str,
        word: Option<&String>,
    ) -> Result<Option<usize>, Wrong> {
        let Some(word) = word else { return Ok(None) };
        let most = 65536i64 << 14;
        if self.dialect.plain_numbers {
            let read = strtonum(word, 1, most);
            let read = read.map_err(|error| Wrong::Said(format!("{name} {error}: {word}")))?;
            return Ok(usize::try_from(read).ok());
        }
        match size::size(word) {
            Ok(bytes) if bytes > 0 && i64::try_from(bytes).is_ok_and(|bytes| bytes <= most) => {
                Ok(usize::try_from(bytes).ok())
            }
            Ok(_) => said(format!("{option} {word}: not between 1 byte and 1 GiB")),
            Err(error) => said(format!("{option} {word}: {error}")),
        }
    }
}

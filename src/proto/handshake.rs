//! A dialogue before a session, as a machine.

use super::refused::Refused;
use core::net::IpAddr;

/// A dialogue before the session, with a proxy that is asked for a way through or with a server
/// that is asked for TLS; it ends in that, or in a refusal.
pub trait Handshake {
    /// Moves on with `input`, and appends to `output` what is to be sent.
    ///
    /// It is called first with an empty input, to let the client speak, then whenever bytes came:
    /// those not used before, with the new ones behind. (The machines here use all they are given
    /// until they are done; a caller need not keep more than it read.) What is appended by the step
    /// that says [`Progress::Done`] has to be sent as well, before anything else.
    ///
    /// # Errors
    /// [`Refused`]; the connection is then of no more use.
    fn step(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Progress, Refused>;

    /// Says what it means that the connection ended before the handshake did: `None` where the
    /// dialogue goes on over a new one, as after [`Progress::Anew`].
    fn lost(&mut self) -> Option<Refused> {
        Some(Refused::Closed)
    }
}

impl<H: Handshake + ?Sized> Handshake for Box<H> {
    fn step(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Progress, Refused> {
        (**self).step(input, output)
    }

    fn lost(&mut self) -> Option<Refused> {
        (**self).lost()
    }
}

/// How far a handshake got. `used` is how many bytes of the input it consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The peer has to say more. What was not used is to be offered again with more behind it.
    More {
        /// Bytes consumed.
        used: usize,
    },
    /// The way is open. What was not used is the peer's first bytes of the session; where TLS is to
    /// begin, they are none of it.
    Done {
        /// Bytes consumed.
        used: usize,
    },
    /// The dialogue goes on over a new connection, which it begins with an empty input; this one
    /// is of no more use.
    Anew,
}

impl Progress {
    /// How far it got with `input`, of which `rest` was not used.
    pub fn of(input: &[u8], rest: &[u8], is_done: bool) -> Progress {
        let used = input.len() - rest.len();
        if is_done {
            Progress::Done { used }
        } else {
            Progress::More { used }
        }
    }
}

/// Where a proxy is asked to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An address.
    Ip(IpAddr),
    /// A name, for the proxy to look up.
    Name(String),
}

impl From<&str> for Target {
    /// Takes an IPv4 or IPv6 address, without brackets, for an address, and all else for a name.
    fn from(host: &str) -> Self {
        host.parse()
            .map_or_else(|_| Self::Name(host.to_owned()), Self::Ip)
    }
}

/// The piece of an answer that has not come whole yet.
#[derive(Default)]
pub struct Partial(Vec<u8>);

impl Partial {
    /// Moves bytes from the front of `input` until there are `N`, then gives them out. Until then
    /// it must be asked for the same `N`.
    pub fn take<const N: usize>(&mut self, input: &mut &[u8]) -> Option<[u8; N]> {
        self.fill(N, input);
        let whole = <[u8; N]>::try_from(self.0.as_slice()).ok()?;
        self.0.clear();
        Some(whole)
    }

    /// As `take`, for a length that the peer has chosen.
    pub fn take_bytes(&mut self, len: usize, input: &mut &[u8]) -> Option<Vec<u8>> {
        self.fill(len, input);
        (self.0.len() == len).then(|| std::mem::take(&mut self.0))
    }

    fn fill(&mut self, len: usize, input: &mut &[u8]) {
        let missing = len.saturating_sub(self.0.len()).min(input.len());
        let (head, rest) = input.split_at(missing);
        self.0.extend_from_slice(head);
        *input = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_an_address_if_it_can_be() {
        assert_eq!(
            Target::from("10.0.0.1"),
            Target::Ip(IpAddr::from([10, 0, 0, 1]))
        );
        assert_eq!(Target::from("::1"), Target::Ip(IpAddr::V6(1.into())));
        for name in ["example.org", "[::1]", "fe80::1%eth0", "1.2.3", ""] {
            assert_eq!(Target::from(name), Target::Name(name.to_owned()));
        }
    }
}

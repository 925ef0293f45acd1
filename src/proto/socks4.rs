//! SOCKS4 client, and SOCKS4A where the proxy is to look the name up.
//!
//! After "SOCKS: A protocol for TCP proxy across firewalls" (Ying-Da Lee) and "SOCKS 4A: A simple
//! extension to SOCKS 4 protocol"; there is no RFC.
//!
//! ```text
//!   Start -- request --> Reply -- code 90 --> Rest -- 6 bytes --> Done
//! ```

use super::handshake::Partial;
use super::{Handshake, Progress, Refused, Target};
use core::net::IpAddr;

const VERSION: u8 = 4;
const CD_CONNECT: u8 = 1;
const CD_GRANTED: u8 = 90;
/// The address that says a name follows: 0.0.0.x with x not 0. SOCKS 4A.
const NAME_FOLLOWS: [u8; 4] = [0, 0, 0, 1];
/// The longest name asked for: no name of the DNS is longer.
const NAME_MAX: usize = 255;

/// Asks a SOCKS4 proxy for a connection.
pub struct Socks4 {
    request: Vec<u8>,
    partial: Partial,
    state: Socks4State,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Socks4State {
    /// Our request.
    Start,
    /// The version and code of the reply.
    Reply,
    /// The port and address in the reply, which mean nothing after a CONNECT.
    Rest,
    /// The session.
    Done,
}

impl Socks4 {
    /// A request for `target`, in the name of `user`, which may be empty.
    ///
    /// # Errors
    /// [`Refused::Request`] for an IPv6 address, a name that is empty or longer than 255 bytes,
    /// and a name or user with a NUL in it.
    pub fn new(target: &Target, port: u16, user: &str) -> Result<Self, Refused> {
        let (address, name) = match target {
            Target::Ip(IpAddr::V4(address)) => (address.octets(), None),
            Target::Ip(IpAddr::V6(_)) => {
                return Err(Refused::Request("SOCKS4 cannot reach IPv6 addresses"));
            }
            Target::Name(name) => (NAME_FOLLOWS, Some(name.as_str())),
        };
        if name.is_some_and(|name| name.is_empty() || name.len() > NAME_MAX) {
            return Err(Refused::Request("host name empty or too long for SOCKS4"));
        }
        let mut request = vec![VERSION, CD_CONNECT];
        request.extend_from_slice(&port.to_be_bytes());
        request.extend_from_slice(&address);
        for text in std::iter::once(user).chain(name) {
            if text.contains('\0') {
                return Err(Refused::Request("NUL in the user or host name for SOCKS4"));
            }
            request.extend_from_slice(text.as_bytes());
            request.push(0);
        }
        Ok(Self {
            request,
            partial: Partial::default(),
            state: Socks4State::Start,
        })
    }

    /// Takes one step, if enough has come for it; returns the state after it.
    fn advance(
        &mut self,
        rest: &mut &[u8],
        output: &mut Vec<u8>,
    ) -> Result<Option<Socks4State>, Refused> {
        match self.state {
            Socks4State::Start => {
                output.append(&mut self.request);
                Ok(Some(Socks4State::Reply))
            }
            Socks4State::Reply => self.partial.take(rest).map(granted).transpose(),
            Socks4State::Rest => Ok(self.partial.take(rest).map(|_: [u8; 6]| Socks4State::Done)),
            Socks4State::Done => Ok(None),
        }
    }
}

/// Judges the version and code of a reply. The version is 0, but some proxies send their own.
fn granted([version, code]: [u8; 2]) -> Result<Socks4State, Refused> {
    match (version, code) {
        (0 | VERSION, CD_GRANTED) => Ok(Socks4State::Rest),
        (0 | VERSION, _) => Err(Refused::Socks4(code)),
        _ => Err(Refused::garbage(&[version, code])),
    }
}

impl Handshake for Socks4 {
    fn step(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Progress, Refused> {
        let mut rest = input;
        while let Some(next) = self.advance(&mut rest, output)? {
            self.state = next;
        }
        Ok(Progress::of(input, rest, self.state == Socks4State::Done))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::testing::{converse, feed};
    use proptest::prelude::*;

    const GRANTED: [u8; 8] = [0, 90, 1, 2, 3, 4, 5, 6];

    fn socks(host: &str, user: &str) -> Result<Socks4, Refused> {
        Socks4::new(&Target::from(host), 0x1234, user)
    }

    fn made() -> Socks4 {
        socks("10.0.0.1", "").unwrap()
    }

    #[test]
    fn asks_for_an_address_in_the_users_name() {
        let (end, sent) = converse(|| socks("10.0.0.1", "me").unwrap(), &GRANTED);
        assert_eq!(sent, b"\x04\x01\x12\x34\x0a\x00\x00\x01me\0");
        assert_eq!(end, Ok(Some(vec![])));
    }

    #[test]
    fn names_go_to_the_proxy_as_4a() {
        let (end, sent) = converse(|| socks("example.org", "").unwrap(), &GRANTED);
        assert_eq!(sent, b"\x04\x01\x12\x34\0\0\0\x01\0example.org\0");
        assert_eq!(end, Ok(Some(vec![])));
    }

    #[test]
    fn session_bytes_behind_the_reply_are_kept() {
        let answer = [&GRANTED[..], b"\x00\x5ahello"].concat();
        assert_eq!(
            converse(made, &answer).0,
            Ok(Some(b"\x00\x5ahello".to_vec()))
        );
        let own_version = [4, 90, 0, 0, 0, 0, 0, 0, b'x'];
        assert_eq!(converse(made, &own_version).0, Ok(Some(b"x".to_vec())));
    }

    #[test]
    fn refusals_are_told_before_the_reply_is_whole() {
        for code in [0, 91, 92, 93, 255] {
            assert_eq!(converse(made, &[0, code]).0, Err(Refused::Socks4(code)));
        }
    }

    #[test]
    fn other_languages_are_garbage() {
        assert_eq!(
            converse(made, b"HTTP/1.0 400").0,
            Err(Refused::Garbage("\"HT\"".into()))
        );
    }

    #[test]
    fn a_short_reply_is_waited_for() {
        for len in 0..GRANTED.len() {
            assert_eq!(converse(made, &GRANTED[..len]).0, Ok(None));
        }
        assert_eq!(made().lost(), Some(Refused::Closed));
    }

    #[test]
    fn what_socks4_cannot_say_is_refused_unsent() {
        let refused = |host: &str, user: &str| socks(host, user).err();
        assert!(matches!(refused("::1", ""), Some(Refused::Request(_))));
        assert!(matches!(refused("", ""), Some(Refused::Request(_))));
        assert!(matches!(
            refused(&"x".repeat(256), ""),
            Some(Refused::Request(_))
        ));
        assert!(matches!(refused("a\0b", ""), Some(Refused::Request(_))));
        assert!(matches!(refused("a", "m\0e"), Some(Refused::Request(_))));
        assert!(refused(&"x".repeat(255), "me").is_none());
    }

    proptest! {
        #[test]
        fn no_answer_panics_and_no_cut_matters(answer in proptest::collection::vec(
            prop_oneof![Just(0), Just(4), Just(90), any::<u8>()], 0..20)
        ) {
            let _ = converse(made, &answer);
        }

        #[test]
        fn session_bytes_survive(session: Vec<u8>) {
            let answer = [&GRANTED[..], &session].concat();
            prop_assert_eq!(feed(made(), answer.chunks(3)).0, Ok(Some(session)));
        }
    }
}

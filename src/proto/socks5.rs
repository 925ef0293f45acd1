//! SOCKS5 client, RFC 1928, with user and password, RFC 1929.
//!
//! ```text
//!   Start -- methods --> Method -- none --> (request) ------------------> Reply
//!                          +-- password --> (login) --> Status -- ok --> (request) --^
//!                          +-- password, which is to be asked for --> refused: PasswordWanted
//!   Reply -- code 0 --> Kind -- v4, v6 --> Rest --> Done
//!                        +-- name --> NameLength --^
//! ```

use super::handshake::Partial;
use super::{Handshake, Progress, Refused, Target};
use core::net::IpAddr;

const VERSION: u8 = 5;
const METHOD_NONE: u8 = 0x00;
const METHOD_PASSWORD: u8 = 0x02;
const METHOD_UNACCEPTABLE: u8 = 0xff;
/// Version of the subnegotiation. RFC 1929, section 2.
const LOGIN_VERSION: u8 = 1;
const CMD_CONNECT: u8 = 1;
const RESERVED: u8 = 0;
const ATYP_V4: u8 = 1;
const ATYP_NAME: u8 = 3;
const ATYP_V6: u8 = 4;
const REP_SUCCEEDED: u8 = 0;
/// The bytes of the port behind each address.
const PORT_LEN: usize = 2;

/// Asks a SOCKS5 proxy for a connection.
pub struct Socks5 {
    login: LoginState,
    request: Vec<u8>,
    partial: Partial,
    state: Socks5State,
}

/// What is known of the user and the password.
enum LoginState {
    /// There is no user.
    Missing,
    /// A user, whose password is asked for when the proxy wants it.
    Unasked,
    /// The message of RFC 1929; sent only when the proxy chooses it.
    Known(Vec<u8>),
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Socks5State {
    /// Our methods.
    Start,
    /// The method chosen. RFC 1928, section 3.
    Method,
    /// The verdict on user and password. RFC 1929, section 2.
    Status,
    /// The version and code of the reply. RFC 1928, section 6.
    Reply,
    /// A reserved byte and the kind of the bound address.
    Kind,
    /// The length of the bound name.
    NameLength,
    /// So many bytes of the bound address and port, which a client of CONNECT does not need.
    Rest(usize),
    /// The session.
    Done,
}

impl Socks5 {
    /// A request for `target`. With a `user` both no authentication and user/password are offered;
    /// without one only the former. If the proxy chooses the latter and there is no `password`, one
    /// is wanted ([`Refused::PasswordWanted`]).
    ///
    /// # Errors
    /// [`Refused::Request`] for an empty name, and for a name, user or password longer than 255
    /// bytes.
    pub fn new(
        target: &Target,
        port: u16,
        user: Option<&str>,
        password: Option<&str>,
    ) -> Result<Self, Refused> {
        let mut request = vec![VERSION, CMD_CONNECT, RESERVED];
        match target {
            Target::Ip(IpAddr::V4(address)) => {
                request.push(ATYP_V4);
                request.extend_from_slice(&address.octets());
            }
            Target::Ip(IpAddr::V6(address)) => {
                request.push(ATYP_V6);
                request.extend_from_slice(&address.octets());
            }
            Target::Name(name) if name.is_empty() => {
                return Err(Refused::Request("host name empty"));
            }
            Target::Name(name) => {
                request.push(ATYP_NAME);
                push_counted(&mut request, name, "host name too long for SOCKS5")?;
            }
        }
        request.extend_from_slice(&port.to_be_bytes());
        let login = match (user, password) {
            (None, _) => LoginState::Missing,
            (Some(_), None) => LoginState::Unasked,
            (Some(user), Some(password)) => LoginState::Known(login_message(user, password)?),
        };
        Ok(Self {
            login,
            request,
            partial: Partial::default(),
            state: Socks5State::Start,
        })
    }

    /// Takes one step, if enough has come for it; returns the state after it.
    fn advance(
        &mut self,
        rest: &mut &[u8],
        output: &mut Vec<u8>,
    ) -> Result<Option<Socks5State>, Refused> {
        match self.state {
            Socks5State::Start => {
                output.extend_from_slice(match self.login {
                    LoginState::Missing => &[VERSION, 1, METHOD_NONE],
                    LoginState::Unasked | LoginState::Known(_) => {
                        &[VERSION, 2, METHOD_NONE, METHOD_PASSWORD]
                    }
                });
                Ok(Some(Socks5State::Method))
            }
            Socks5State::Method => {
                let method = self.partial.take(rest);
                method
                    .map(|method| self.answer_method(method, output))
                    .transpose()
            }
            Socks5State::Status => {
                let status = self.partial.take(rest);
                status
                    .map(|status| self.answer_status(status, output))
                    .transpose()
            }
            Socks5State::Reply => self.partial.take(rest).map(succeeded).transpose(),
            Socks5State::Kind => self.partial.take(rest).map(after_kind).transpose(),
            Socks5State::NameLength => {
                let length = self.partial.take(rest);
                Ok(length
                    .map(|[length]: [u8; 1]| Socks5State::Rest(usize::from(length) + PORT_LEN)))
            }
            Socks5State::Rest(0) => Ok(Some(Socks5State::Done)),
            Socks5State::Rest(left) => {
                let (skipped, behind) = rest.split_at(left.min(rest.len()));
                *rest = behind;
                Ok((!skipped.is_empty()).then_some(Socks5State::Rest(left - skipped.len())))
            }
            Socks5State::Done => Ok(None),
        }
    }

    /// Goes on with the method the proxy chose.
    fn answer_method(
        &mut self,
        [version, method]: [u8; 2],
        output: &mut Vec<u8>,
    ) -> Result<Socks5State, Refused> {
        match (version, method, &mut self.login) {
            (VERSION, METHOD_NONE, _) => {
                output.append(&mut self.request);
                Ok(Socks5State::Reply)
            }
            (VERSION, METHOD_PASSWORD, LoginState::Known(login)) => {
                output.append(login);
                Ok(Socks5State::Status)
            }
            // Without a user it was not offered, but what it means is plain.
            (VERSION, METHOD_PASSWORD, _) | (VERSION, METHOD_UNACCEPTABLE, LoginState::Missing) => {
                Err(Refused::PasswordWanted(None))
            }
            (VERSION, METHOD_UNACCEPTABLE, _) => Err(Refused::NoMethod),
            _ => Err(Refused::garbage(&[version, method])),
        }
    }

    /// Goes on after the verdict on user and password. RFC 1929, section 2.
    fn answer_status(
        &mut self,
        [version, status]: [u8; 2],
        output: &mut Vec<u8>,
    ) -> Result<Socks5State, Refused> {
        match (version, status) {
            // The version is 1, but some proxies put that of SOCKS there.
            (LOGIN_VERSION | VERSION, 0) => {
                output.append(&mut self.request);
                Ok(Socks5State::Reply)
            }
            (LOGIN_VERSION | VERSION, _) => Err(Refused::PasswordRejected),
            _ => Err(Refused::garbage(&[version, status])),
        }
    }
}

/// The message with user and password. RFC 1929, section 2; an empty password is sent as such.
fn login_message(user: &str, password: &str) -> Result<Vec<u8>, Refused> {
    let mut message = vec![LOGIN_VERSION];
    push_counted(&mut message, user, "user name too long for SOCKS5")?;
    push_counted(&mut message, password, "password too long for SOCKS5")?;
    Ok(message)
}

/// Appends `text` with its length in one byte in front.
fn push_counted(message: &mut Vec<u8>, text: &str, too_long: &'static str) -> Result<(), Refused> {
    message.push(u8::try_from(text.len()).map_err(|_| Refused::Request(too_long))?);
    message.extend_from_slice(text.as_bytes());
    Ok(())
}

/// Judges the version and code of a reply at once: some proxies close after a bad code, without
/// the rest of the reply.
fn succeeded([version, code]: [u8; 2]) -> Result<Socks5State, Refused> {
    match (version, code) {
        (VERSION, REP_SUCCEEDED) => Ok(Socks5State::Kind),
        (VERSION, _) => Err(Refused::Socks5(code)),
        _ => Err(Refused::garbage(&[version, code])),
    }
}

/// What follows the kind of an address. RFC 1928, section 5: a name is as good as an address.
fn after_kind([reserved, kind]: [u8; 2]) -> Result<Socks5State, Refused> {
    match kind {
        ATYP_V4 => Ok(Socks5State::Rest(4 + PORT_LEN)),
        ATYP_V6 => Ok(Socks5State::Rest(16 + PORT_LEN)),
        ATYP_NAME => Ok(Socks5State::NameLength),
        _ => Err(Refused::garbage(&[reserved, kind])),
    }
}

impl Handshake for Socks5 {
    fn step(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Progress, Refused> {
        let mut rest = input;
        while let Some(next) = self.advance(&mut rest, output)? {
            self.state = next;
        }
        Ok(Progress::of(input, rest, self.state == Socks5State::Done))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::testing::{converse, feed};
    use proptest::prelude::*;

    /// The answers to a client without login, up to the code of the reply.
    const GRANTED: [u8; 4] = [5, 0, 5, 0];
    const V4: [u8; 8] = [0, 1, 10, 0, 0, 1, 0x12, 0x34];

    fn socks(host: &str, login: Option<(&str, &str)>) -> Result<Socks5, Refused> {
        let (user, password) = login.unzip();
        Socks5::new(&Target::from(host), 0x1234, user, password)
    }

    fn with_user() -> Socks5 {
        Socks5::new(&Target::from("h"), 0x1234, Some("me"), None).unwrap()
    }

    fn made() -> Socks5 {
        socks("h", None).unwrap()
    }

    fn with_login() -> Socks5 {
        socks("h", Some(("me", "secret"))).unwrap()
    }

    #[test]
    fn asks_for_addresses_and_names_in_their_own_form() {
        let v6 = "2001:db8::1"
            .parse::<core::net::Ipv6Addr>()
            .unwrap()
            .octets();
        let cases = [
            ("10.0.0.1", [&[1][..], &[10, 0, 0, 1]].concat()),
            ("2001:db8::1", [&[4][..], &v6].concat()),
            ("example.org", b"\x03\x0bexample.org".to_vec()),
        ];
        for (host, address) in cases {
            let answer = [&GRANTED[..], &V4].concat();
            let (end, sent) = converse(|| socks(host, None).unwrap(), &answer);
            assert_eq!(end, Ok(Some(vec![])));
            assert_eq!(
                sent,
                [&b"\x05\x01\0\x05\x01\0"[..], &address, b"\x12\x34"].concat()
            );
        }
    }

    #[test]
    fn nothing_but_the_methods_is_sent_before_an_answer() {
        assert_eq!(feed(made(), std::iter::empty()).1, [5, 1, 0]);
        assert_eq!(feed(with_login(), std::iter::empty()).1, [5, 2, 0, 2]);
        assert_eq!(feed(with_user(), std::iter::empty()).1, [5, 2, 0, 2]);
    }

    #[test]
    fn every_kind_of_bound_address_is_taken() {
        let name = b"\0\x03\x05proxy\x12\x34";
        let no_name = b"\0\x03\0\x12\x34";
        let v6 = [&[0, 4][..], &[7; 18]].concat();
        for bound in [&V4[..], &v6, name, no_name] {
            let answer = [&GRANTED[..], bound, b"hello"].concat();
            assert_eq!(converse(made, &answer).0, Ok(Some(b"hello".to_vec())));
            for len in 0..answer.len() - b"hello".len() {
                assert_eq!(converse(made, &answer[..len]).0, Ok(None));
            }
        }
    }

    #[test]
    fn the_password_is_sent_only_when_asked_for() {
        let plain = [&GRANTED[..], &V4].concat();
        let wanted = b"\x05\x02\0\x02\x05\x01\0\x03\x01h\x12\x34".to_vec();
        for made in [with_login, with_user] {
            assert_eq!(converse(made, &plain), (Ok(Some(vec![])), wanted.clone()));
        }

        for version in [1, 5] {
            let asked = [&[5, 2, version, 0, 5, 0][..], &V4, b"x"].concat();
            let (end, sent) = converse(with_login, &asked);
            assert_eq!(end, Ok(Some(b"x".to_vec())));
            let wanted = b"\x05\x02\0\x02\x01\x02me\x06secret\x05\x01\0\x03\x01h\x12\x34";
            assert_eq!(sent, wanted);
        }
    }

    #[test]
    fn refusals_say_which() {
        let wanted = || Refused::PasswordWanted(None);
        assert_eq!(converse(made, &[5, 0xff]).0, Err(wanted()));
        assert_eq!(converse(made, &[5, 2]).0, Err(wanted()));
        assert_eq!(converse(with_user, &[5, 2]).0, Err(wanted()));
        assert_eq!(converse(with_user, &[5, 0xff]).0, Err(Refused::NoMethod));
        assert_eq!(converse(with_login, &[5, 0xff]).0, Err(Refused::NoMethod));
        assert_eq!(
            converse(with_login, &[5, 2, 1, 1]).0,
            Err(Refused::PasswordRejected)
        );
        for code in 1..=255 {
            assert_eq!(
                converse(made, &[5, 0, 5, code]).0,
                Err(Refused::Socks5(code))
            );
        }
    }

    #[test]
    fn other_languages_are_garbage() {
        for answer in [
            &b"HTTP/1.0"[..],
            &[4, 0],
            &[5, 1],
            &[5, 0, 4, 0],
            &[5, 0, 5, 0, 0, 2],
        ] {
            assert!(matches!(converse(made, answer).0, Err(Refused::Garbage(_))));
        }
        assert!(matches!(
            converse(with_login, &[5, 2, 9, 0]).0,
            Err(Refused::Garbage(_))
        ));
    }

    #[test]
    fn lengths_beyond_one_byte_are_refused_unsent() {
        let (fits, long) = ("x".repeat(255), "x".repeat(256));
        let text = |host: &str, login| socks(host, login).err().map(|error| error.to_string());
        assert_eq!(text(&fits, Some((&fits, &fits))), None);
        assert_eq!(text("h", Some(("me", ""))), None);
        assert_eq!(
            text(&long, None),
            Some("host name too long for SOCKS5".into())
        );
        assert_eq!(
            text("h", Some((&long, ""))),
            Some("user name too long for SOCKS5".into())
        );
        assert_eq!(
            text("h", Some(("", &long))),
            Some("password too long for SOCKS5".into())
        );
        assert_eq!(text("", None), Some("host name empty".into()));
    }

    proptest! {
        #[test]
        fn no_answer_panics_and_no_cut_matters(answer in proptest::collection::vec(
            prop_oneof![Just(5), Just(0), 0u8..6, any::<u8>()], 0..24)
        ) {
            let _ = converse(made, &answer);
            let _ = converse(with_login, &answer);
            let _ = converse(with_user, &answer);
        }

        #[test]
        fn session_bytes_survive(name in "[a-z]{0,255}", session: Vec<u8>) {
            let length = [u8::try_from(name.len()).unwrap()];
            let parts: [&[u8]; 6] =
                [&GRANTED, &[0, 3], &length, name.as_bytes(), &[1, 2], &session];
            prop_assert_eq!(feed(made(), parts.concat().chunks(7)).0, Ok(Some(session)));
        }
    }
}

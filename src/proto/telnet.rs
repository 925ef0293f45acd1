//! Telnet without options: commands are taken out, every option is declined, and the byte that
//! begins commands is doubled where it is data. RFC 854.
//!
//! ```text
//!          IAC              WILL WONT DO DONT           any: answer to WILL, DO
//!   Data ------> Command ----------------------> Option -----------> Data
//!    ^             |  |  SB        IAC
//!    |  IAC: 0xff  |  +-----> Sub -----> SubCommand -- SE --> Data
//!    +-- others ---+           ^            |   |
//!                              +--- IAC ----+   +-- others: as in Command
//! ```

use super::find::find;

/// Interpret as command; doubled, the data byte 255. RFC 854, "telnet command structure".
const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
/// Subnegotiation begins; it ends with IAC SE. RFC 855.
const SB: u8 = 250;

/// Takes telnet commands out of a stream. It keeps one state and no bytes, so a subnegotiation
/// without end costs nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Telnet {
    state: TelnetState,
    /// The data stays as it is on the wire, to be sent on.
    keeps_doubled: bool,
}

/// What the next byte is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum TelnetState {
    /// Data, or the IAC that ends it.
    #[default]
    Data,
    /// The command after IAC.
    Command,
    /// The option of a command, and the command that answers it, if one does.
    Option { answer: Option<u8> },
    /// A parameter of a subnegotiation, or the IAC that interrupts it.
    Sub,
    /// The command after IAC in a subnegotiation.
    SubCommand,
}

impl Telnet {
    /// One whose output goes to other telnet peers: a data byte 255 stays doubled.
    pub fn for_peers() -> Telnet {
        Telnet {
            keeps_doubled: true,
            ..Telnet::default()
        }
    }

    /// Appends the data in `input` to `out`, and to `reply` what is to be sent to the peer.
    ///
    /// Each WILL is answered with DONT and each DO with WONT. WONT and DONT say how it is anyway,
    /// and get no answer: two ends that acknowledge each other's refusals go on for ever (RFC 854,
    /// "general considerations"; RFC 1143, section 7, state NO). nc answers them. Data is
    /// untouched, CR NUL too. `out` and `reply` together grow by no more than the input has bytes,
    /// and those of a command cut before.
    pub fn apply(&mut self, input: &[u8], out: &mut Vec<u8>, reply: &mut Vec<u8>) {
        let mut rest = input;
        loop {
            if matches!(self.state, TelnetState::Data | TelnetState::Sub) {
                let run = find(IAC, rest).unwrap_or(rest.len());
                if self.state == TelnetState::Data {
                    out.extend_from_slice(&rest[..run]);
                }
                rest = &rest[run..];
            }
            let Some((&byte, behind)) = rest.split_first() else {
                return;
            };
            self.state = self.next(byte, out, reply);
            rest = behind;
        }
    }

    /// The state after `byte`, which in Data and Sub is an IAC.
    fn next(self, byte: u8, out: &mut Vec<u8>, reply: &mut Vec<u8>) -> TelnetState {
        match (self.state, byte) {
            (TelnetState::Data, _) => TelnetState::Command,
            (TelnetState::Sub, _) => TelnetState::SubCommand,
            (TelnetState::SubCommand, IAC) => TelnetState::Sub,
            (TelnetState::Command, IAC) => {
                let count = if self.keeps_doubled { 2 } else { 1 };
                out.extend(std::iter::repeat_n(IAC, count));
                TelnetState::Data
            }
            (TelnetState::Option { answer }, option) => {
                reply.extend(answer.iter().flat_map(|&answer| [IAC, answer, option]));
                TelnetState::Data
            }
            // Any other command in a subnegotiation than SE means that its end was forgotten;
            // taking it for an end keeps a broken peer from silencing the rest of the session.
            (TelnetState::Command | TelnetState::SubCommand, WILL) => {
                TelnetState::Option { answer: Some(DONT) }
            }
            (TelnetState::Command | TelnetState::SubCommand, DO) => {
                TelnetState::Option { answer: Some(WONT) }
            }
            (TelnetState::Command | TelnetState::SubCommand, WONT | DONT) => {
                TelnetState::Option { answer: None }
            }
            (TelnetState::Command | TelnetState::SubCommand, SB) => TelnetState::Sub,
            (TelnetState::Command | TelnetState::SubCommand, _) => TelnetState::Data,
        }
    }
}

/// Appends data as it is sent to a telnet peer: each byte 255 doubled. RFC 854.
pub fn double(mut input: &[u8], out: &mut Vec<u8>) {
    while let Some(at) = find(IAC, input) {
        out.extend_from_slice(&input[..=at]);
        out.push(IAC);
        input = &input[at + 1..];
    }
    out.extend_from_slice(input);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SE: u8 = 240;
    const NOP: u8 = 241;

    fn apply<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u8>, Vec<u8>) {
        let (mut telnet, mut out, mut reply) = (Telnet::default(), Vec::new(), Vec::new());
        pieces
            .into_iter()
            .for_each(|piece| telnet.apply(piece, &mut out, &mut reply));
        (out, reply)
    }

    #[track_caller]
    fn assert_gives(input: &[u8], out: &[u8], reply: &[u8]) {
        let wanted = (out.to_vec(), reply.to_vec());
        assert_eq!(apply([input]), wanted);
        assert_eq!(apply(input.chunks(1)), wanted);
        for at in 0..=input.len() {
            let (head, tail) = input.split_at(at);
            assert_eq!(apply([head, tail]), wanted, "cut at {at}");
        }
    }

    #[test]
    fn data_is_untouched() {
        assert_gives(
            b"login:\r\0\r\n\xf0\xfe\x00",
            b"login:\r\0\r\n\xf0\xfe\x00",
            b"",
        );
    }

    #[test]
    fn every_offer_and_request_is_declined_and_no_refusal_is_answered() {
        assert_gives(
            &[
                b'a', IAC, WILL, 1, b'b', IAC, WONT, 2, IAC, DO, 3, b'c', IAC, DONT, IAC, b'd',
            ],
            b"abcd",
            &[IAC, DONT, 1, IAC, WONT, 3],
        );
    }

    #[test]
    fn doubled_iac_is_one_data_byte() {
        assert_gives(
            &[IAC, IAC, IAC, IAC, b'x', IAC, IAC],
            &[IAC, IAC, b'x', IAC],
            b"",
        );
    }

    #[test]
    fn commands_without_option_vanish() {
        assert_gives(&[b'a', IAC, NOP, b'b', IAC, SE, IAC, 3, b'c'], b"abc", b"");
    }

    #[test]
    fn subnegotiation_vanishes_whatever_is_in_it() {
        let input = [
            b'a', IAC, SB, 24, WILL, IAC, IAC, SE, 0, b'x', IAC, SE, b'b',
        ];
        assert_gives(&input, b"ab", b"");
    }

    #[test]
    fn a_command_ends_a_subnegotiation_that_was_left_open() {
        assert_gives(
            &[IAC, SB, 24, b'x', IAC, DO, 1, b'a'],
            b"a",
            &[IAC, WONT, 1],
        );
        assert_gives(&[IAC, SB, 24, IAC, SB, 25, IAC, SE, b'a'], b"a", b"");
    }

    proptest! {
        #[test]
        fn no_cut_matters(input in proptest::collection::vec(
            prop_oneof![Just(IAC), 240u8..=255, any::<u8>()], 0..60)
        ) {
            let whole = apply([&input[..]]);
            prop_assert_eq!(&whole, &apply(input.chunks(1)));
            for at in 0..=input.len() {
                let (head, tail) = input.split_at(at);
                prop_assert_eq!(&whole, &apply([head, tail]));
            }
            prop_assert!(whole.0.len() + whole.1.len() <= input.len());
        }

        #[test]
        fn doubled_data_comes_back_and_can_be_sent_on(data in proptest::collection::vec(
            prop_oneof![Just(IAC), any::<u8>()], 0..60)
        ) {
            let (mut wire, mut kept) = (Vec::new(), Vec::new());
            double(&data, &mut wire);
            Telnet::for_peers().apply(&wire, &mut kept, &mut Vec::new());
            prop_assert_eq!(&kept, &wire);
            prop_assert_eq!(apply([&wire[..]]), (data, Vec::new()));
        }

        #[test]
        fn two_ends_come_to_rest(input in proptest::collection::vec(
            prop_oneof![Just(IAC), 240u8..=255, any::<u8>()], 0..60)
        ) {
            let (_, reply) = apply([&input[..]]);
            prop_assert_eq!(apply([&reply[..]]), (Vec::new(), Vec::new()));
        }
    }
}

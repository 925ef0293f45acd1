//! SSLRequest of MySQL. "Client/Server Protocol", sections "Connection Phase", "HandshakeV10",
//! "SSLRequest" and "ERR_Packet".
//!
//! The server speaks first, and is not asked: TLS begins behind our packet, without an answer.
//!
//! ```text
//!   Header --> Packet -- handshake --> (request) --> TLS
//! ```

use crate::proto::answer::ANSWER_MAX;
use crate::proto::find::find;
use crate::proto::handshake::Partial;
use crate::proto::{Handshake, Progress, Refused};

/// The first byte of a handshake: the version of the protocol.
const PROTOCOL_VERSION: u8 = 10;
/// The first byte of an error.
const ERR: u8 = 0xff;
/// Capability: packets as of MySQL 4.1.
const CLIENT_PROTOCOL_41: u32 = 0x0000_0200;
/// Capability: TLS.
const CLIENT_SSL: u32 = 0x0000_0800;
/// What the server's own client can do; of that, a client says what the server can do too. The
/// login under TLS has to say the same again.
const CAPABILITIES: u32 = 0x007f_ae85;
/// The longest packet we take: 16 MiB, as the server's own client.
const MAX_PACKET: u32 = 0x0100_0000;
/// The character set: utf8_general_ci, which every server since 4.1 has.
const CHARACTER_SET: u8 = 33;
/// Bytes of zeros that end the request.
const FILLER: [u8; 23] = [0; 23];

/// Asks a MySQL or MariaDB server for TLS.
#[derive(Default)]
pub struct Mysql {
    partial: Partial,
    state: MysqlState,
}

/// What comes next.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum MysqlState {
    /// The length of a packet in three bytes, the lowest first, and its number.
    #[default]
    Header,
    /// So many bytes of packet.
    Packet(usize),
    /// TLS.
    Done,
}

impl Mysql {
    /// Takes one step, if enough has come for it; returns the state after it.
    fn advance(
        &mut self,
        rest: &mut &[u8],
        output: &mut Vec<u8>,
    ) -> Result<Option<MysqlState>, Refused> {
        match self.state {
            MysqlState::Header => self.partial.take(rest).map(after_header).transpose(),
            MysqlState::Packet(length) => {
                let Some(packet) = self.partial.take_bytes(length, rest) else {
                    return Ok(None);
                };
                output.extend_from_slice(&request(judge(&packet)?));
                Ok(Some(MysqlState::Done))
            }
            MysqlState::Done => Ok(None),
        }
    }
}

/// What follows the header of the first packet, whose number is 0.
fn after_header(header: [u8; 4]) -> Result<MysqlState, Refused> {
    let [low, middle, high, number] = header;
    if number != 0 {
        return Err(Refused::garbage(&header));
    }
    let length = u32::from_le_bytes([low, middle, high, 0]);
    let length = usize::try_from(length).ok();
    let length = length.filter(|length| *length <= ANSWER_MAX);
    length.map(MysqlState::Packet).ok_or(Refused::TooLong)
}

/// Judges the first packet; gives the capabilities of a server that can do TLS.
fn judge(packet: &[u8]) -> Result<u32, Refused> {
    let garbage = || Refused::garbage(packet);
    match packet.split_first().ok_or_else(garbage)? {
        (&PROTOCOL_VERSION, handshake) => {
            let capabilities = capabilities(handshake).ok_or_else(garbage)?;
            let wanted = CLIENT_SSL | CLIENT_PROTOCOL_41;
            if capabilities & wanted == wanted {
                Ok(capabilities)
            } else {
                Err(Refused::NoStarttls)
            }
        }
        (&ERR, error) => Err(error_text(error).map_or_else(garbage, Refused::Server)),
        _ => Err(garbage()),
    }
}

/// The capabilities in a handshake, behind the version of the protocol; those of the first servers
/// end with the lower half.
fn capabilities(handshake: &[u8]) -> Option<u32> {
    let server_version = find(0, handshake)?;
    // A number in four bytes, a challenge in eight, and a zero.
    let behind = handshake.get(server_version + 1 + 4 + 8 + 1..)?;
    let (low, behind) = behind.split_first_chunk()?;
    // A character set in one byte, and a status in two.
    let high = behind.get(3..).and_then(|behind| behind.first_chunk());
    let half = |bytes: &[u8; 2]| u32::from(u16::from_le_bytes(*bytes));
    Some(half(low) | (high.map_or(0, half) << 16))
}

/// What an error says, behind its first byte: a number, and a text.
fn error_text(error: &[u8]) -> Option<String> {
    let (number, text) = error.split_first_chunk()?;
    // A state in five letters, which most errors of this early time do not have.
    let text = match text.split_at_checked(6) {
        Some(([b'#', ..], text)) => text,
        _ => text,
    };
    let number = u16::from_le_bytes(*number);
    Some(format!("{} (MySQL error {number})", Refused::shown(text)))
}

/// Our packet, the one with the number 1.
fn request(server: u32) -> Vec<u8> {
    let header = [32, 0, 0, 1];
    let capabilities = (CAPABILITIES & server).to_le_bytes();
    let max_packet = MAX_PACKET.to_le_bytes();
    [
        &header[..],
        &capabilities,
        &max_packet,
        &[CHARACTER_SET],
        &FILLER,
    ]
    .concat()
}

impl Handshake for Mysql {
    fn step(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Progress, Refused> {
        let mut rest = input;
        while let Some(next) = self.advance(&mut rest, output)? {
            self.state = next;
        }
        Ok(Progress::of(input, rest, self.state == MysqlState::Done))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::testing::{converse, feed};

    fn packet(payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
        [&length[..3], &[0], payload].concat()
    }

    /// A handshake with these capabilities.
    fn handshake(capabilities: u32) -> Vec<u8> {
        let [a, b, c, d] = capabilities.to_le_bytes();
        let head = b"\x0a8.0.32\0\x08\0\0\0\x1cF\x19FYv@K\0";
        [
            &head[..],
            &[a, b, 33, 2, 0, c, d, 21],
            &[0; 10],
            b"123456789012\0mysql\0",
        ]
        .concat()
    }

    fn end(payload: &[u8]) -> Result<Option<Vec<u8>>, Refused> {
        converse(Mysql::default, &packet(payload)).0
    }

    #[test]
    fn only_what_the_server_can_do_is_asked_for() {
        assert_eq!(
            feed(Mysql::default(), std::iter::empty()),
            (Ok(None), vec![])
        );
        for (server, asked) in [
            (u32::MAX, CAPABILITIES),
            (0x8a00, 0x8a00),
            (0x0100_0a00, 0x0a00),
        ] {
            let (end, sent) = converse(Mysql::default, &packet(&handshake(server)));
            assert_eq!(end, Ok(Some(vec![])));
            let filler = [0; 23];
            let wanted = [
                &b"\x20\0\0\x01"[..],
                &asked.to_le_bytes(),
                b"\0\0\0\x01\x21",
                &filler[..],
            ];
            assert_eq!(sent, wanted.concat());
        }
        // The handshake of a server that has the lower half of the capabilities only.
        let whole = handshake(0x0a00);
        assert_eq!(end(&whole[..23]), Ok(Some(vec![])));
    }

    #[test]
    fn servers_without_tls_are_told() {
        for capabilities in [0, !CLIENT_SSL, !CLIENT_PROTOCOL_41] {
            assert_eq!(end(&handshake(capabilities)), Err(Refused::NoStarttls));
        }
    }

    #[test]
    fn errors_tell_the_text_and_the_number() {
        let text = "Too many\\x07 connections (MySQL error 1040)".to_owned();
        for error in [
            &b"\xff\x10\x04Too many\x07 connections"[..],
            b"\xff\x10\x04#08004Too many\x07 connections",
        ] {
            assert_eq!(end(error), Err(Refused::Server(text.clone())));
        }
    }

    #[test]
    fn all_else_is_garbage() {
        let mut later = packet(&handshake(u32::MAX));
        later[3] = 1;
        for answer in [
            &later[..],
            b"HTTP",
            &packet(b""),
            &packet(b"\x09old"),
            &packet(b"\xff\x10"),
            &packet(b"\x0a8.0"),
            &packet(&handshake(u32::MAX)[..22]),
        ] {
            let end = converse(Mysql::default, answer).0;
            assert!(
                matches!(end, Err(Refused::Garbage(_))),
                "{end:?} {answer:x?}"
            );
        }
    }

    #[test]
    fn a_packet_has_a_longest() {
        assert_eq!(converse(Mysql::default, b"\0\0\x01\0").0, Ok(None));
        assert_eq!(
            converse(Mysql::default, b"\x01\0\x01\0").0,
            Err(Refused::TooLong)
        );
    }
}

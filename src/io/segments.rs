//! Messages that the kernel cuts out of what is sent at once (UDP_SEGMENT, Linux).

use crate::sys::sockopt;
use socket2::Socket;

/// The most the kernel cuts at once: UDP_MAX_SEGMENTS was 64 before Linux 6.9, and all of it, with
/// its header, has to fit an IP packet.
const MOST_SEGMENTS: usize = 64;
const MOST_SEGMENTED_BYTES: usize = 65_507;

/// Whether the kernel cuts what is sent into messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Segments {
    /// Nothing has been sent yet that is longer than a message.
    #[default]
    Untried,
    /// It does.
    On,
    /// It cannot, or what it made could not be sent.
    Refused,
}

impl Segments {
    /// How many of `len` bytes one send takes, where a message has `message` at most: one message,
    /// or as many as the kernel cuts.
    pub fn piece_bytes(&mut self, sock: &Socket, len: usize, message: usize) -> usize {
        if len <= message {
            return message;
        }
        let count = MOST_SEGMENTS.min(MOST_SEGMENTED_BYTES / message);
        if *self == Segments::Untried {
            let bytes = u16::try_from(message).ok().filter(|_| count > 1);
            let set = bytes.map(|bytes| sockopt::set_udp_segment(sock, bytes));
            *self = match set {
                Some(Ok(())) => Segments::On,
                Some(Err(_)) | None => Segments::Refused,
            };
        }
        match self {
            Segments::On => message * count,
            Segments::Untried | Segments::Refused => message,
        }
    }

    /// Gives up having messages cut by the kernel, which it refuses for those that do not fit the
    /// way (MTU) and on some ways altogether (IPsec); `false` when it was not tried.
    pub fn give_up(&mut self, sock: &Socket) -> bool {
        let gives_up = *self == Segments::On;
        if gives_up {
            *self = Segments::Refused;
            // 0 is always taken where another number was.
            let _ = sockopt::set_udp_segment(sock, 0);
        }
        gives_up
    }
}

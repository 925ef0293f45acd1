//! The two ends of a session as the test holds them: the peer, over any transport, and the far end.

use super::common::{DEADLINE, Running, Sock, eventually};
use super::peer::TlsSock;
use std::io::{ErrorKind, Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;

/// The peer.
pub enum Peer {
    Plain(Sock),
    Tls(Box<TlsSock>),
    Udp(UdpSocket),
    UnixDatagram(UnixDatagram),
}

/// What a side has heard, and how that ended.
#[derive(Default)]
pub struct Heard {
    pub bytes: Vec<u8>,
    /// `None` as long as it goes on.
    pub end: Option<&'static str>,
}

impl Peer {
    #[track_caller]
    pub fn say(&mut self, bytes: &[u8], rnc: &Running) {
        let said = match self {
            Peer::Plain(sock) => sock.write_all(bytes),
            Peer::Tls(sock) => sock.write_all(bytes).and_then(|()| sock.flush()),
            Peer::Udp(sock) => sock.send(bytes).map(drop),
            Peer::UnixDatagram(sock) => sock.send(bytes).map(drop),
        };
        if let Err(error) = said {
            rnc.fail(&format!("its peer could not write: {error}"));
        }
    }

    /// Reads as many bytes as `wanted` has, or one datagram.
    #[track_caller]
    pub fn hears(&mut self, wanted: &[u8], heard: &mut Heard, rnc: &Running) {
        let mut buf = vec![0; wanted.len().max(1)];
        let got = match self {
            Peer::Plain(sock) => sock.read_exact(&mut buf).map(|()| wanted.len()),
            Peer::Tls(sock) => sock.read_exact(&mut buf).map(|()| wanted.len()),
            Peer::Udp(sock) => sock.recv(&mut buf),
            Peer::UnixDatagram(sock) => sock.recv(&mut buf),
        };
        match got {
            Ok(len) => heard.bytes.extend(&buf[..len]),
            Err(error) => rnc.fail(&format!("its peer did not hear {wanted:?}: {error}")),
        }
    }

    /// Ends what it sends.
    pub fn half_close(&mut self, rnc: &Running) {
        match self {
            Peer::Plain(sock) => sock.half_close(),
            Peer::Tls(sock) => sock.half_close(rnc),
            Peer::Udp(_) | Peer::UnixDatagram(_) => {}
        }
    }

    /// Breaks the connection off. A Unix socket does so by leaving something unread.
    pub fn reset(self) {
        match self {
            Peer::Plain(sock) => sock.reset(),
            Peer::Tls(sock) => sock.into_sock().reset(),
            Peer::Udp(_) | Peer::UnixDatagram(_) => {}
        }
    }

    /// Ends TCP without the end of TLS.
    pub fn cut_off(&mut self) {
        if let Peer::Tls(sock) = self {
            sock.sock().half_close();
        }
    }

    /// Waits until something can be read.
    pub fn waits_for_more(&mut self) {
        let sock = match self {
            Peer::Plain(sock) => sock,
            Peer::Tls(sock) => sock.sock(),
            Peer::Udp(_) | Peer::UnixDatagram(_) => return,
        };
        eventually(|| !sock.has_nothing_to_read());
    }

    /// Reads on to the end, whatever it is.
    pub fn rest(&mut self, heard: &mut Heard) {
        let read = match self {
            Peer::Plain(sock) => sock.read_to_end(&mut heard.bytes),
            Peer::Tls(sock) => sock.read_to_end(&mut heard.bytes),
            Peer::Udp(_) | Peer::UnixDatagram(_) => return,
        };
        heard.end = Some(end(read));
    }
}

fn end(read: std::io::Result<usize>) -> &'static str {
    match read.map_err(|error| error.kind()) {
        Ok(_) => "end",
        Err(ErrorKind::ConnectionReset) => "reset",
        Err(ErrorKind::UnexpectedEof) => "cut off",
        Err(ErrorKind::WouldBlock) => "nothing more",
        Err(_) => "error",
    }
}

/// The far end.
pub enum Far {
    /// Standard input and output.
    Stdio,
    /// The target of a relay.
    Target(Sock),
    /// In rnc itself, or a program it has started.
    Inside,
}

impl Far {
    /// The same for a proxy, which is spoken to as a peer is.
    #[track_caller]
    pub fn into_peer(self) -> Peer {
        match self {
            Far::Target(sock) => Peer::Plain(sock),
            Far::Stdio | Far::Inside => panic!("there is no connection"),
        }
    }

    #[track_caller]
    pub fn say(&mut self, bytes: &[u8], rnc: &mut Running) {
        match self {
            Far::Stdio => rnc.send(bytes),
            Far::Target(sock) => sock.say(bytes, rnc),
            Far::Inside => {}
        }
    }

    /// Waits until it has heard this.
    #[track_caller]
    pub fn hears(&mut self, wanted: &[u8], heard: &mut Heard, rnc: &Running) {
        match self {
            Far::Stdio => {
                let seen = |bytes: &[u8]| bytes.windows(wanted.len()).any(|part| part == wanted);
                if !rnc.stdout.wait_until(seen) {
                    rnc.fail(&format!("{wanted:?} did not appear on stdout"));
                }
            }
            Far::Target(sock) => heard.bytes.extend(sock.read_some(wanted.len(), rnc)),
            Far::Inside => {}
        }
    }

    /// Ends what it sends.
    pub fn close(&mut self, rnc: &mut Running) {
        match self {
            Far::Stdio => rnc.close_stdin(),
            Far::Target(sock) => sock.half_close(),
            Far::Inside => {}
        }
    }

    /// Reads on to the end, whatever it is; standard output is read when rnc has ended.
    pub fn rest(&mut self, heard: &mut Heard) {
        if let Far::Target(sock) = self {
            heard.end = Some(end(sock.read_to_end(&mut heard.bytes)));
        }
    }
}

/// Sets the deadlines of a socket of datagrams.
pub fn with_deadline(sock: UnixDatagram) -> UnixDatagram {
    sock.set_read_timeout(Some(DEADLINE)).expect("SO_RCVTIMEO");
    sock
}

//! A running rnc in either role, with the test as its peer.

use crate::common::{
    Cmd, Running, Server, Sock, Stdin, TempDir, Transport, connect_to_listener, rnc,
};
use std::ffi::OsString;
use std::path::PathBuf;

/// Which end rnc is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Connect,
    Listen,
}

/// Every role on every transport.
pub const EVERYWHERE: [(Role, Transport); 4] = [
    (Role::Connect, Transport::Tcp),
    (Role::Connect, Transport::Unix),
    (Role::Listen, Transport::Tcp),
    (Role::Listen, Transport::Unix),
];

/// rnc and the stream to it. Keeps what must live as long as they do.
pub struct Session {
    pub rnc: Running,
    pub peer: Sock,
    _server: Option<Server>,
    _dir: TempDir,
}

/// Starts rnc in a role and connects it with the test; `options` go before the address, `shape`
/// gives it its standard descriptors.
#[track_caller]
pub fn session_with(
    role: Role,
    transport: Transport,
    options: &[&str],
    shape: impl FnOnce(Cmd) -> Cmd,
) -> Session {
    let dir = TempDir::new();
    let options: Vec<OsString> = options.iter().map(OsString::from).collect();
    match role {
        Role::Connect => {
            let server = Server::new(transport, &dir);
            let rnc = shape(rnc(options.into_iter().chain(server.words()))).spawn();
            let peer = server.accept(&rnc);
            Session {
                rnc,
                peer,
                _server: Some(server),
                _dir: dir,
            }
        }
        Role::Listen => {
            let path = (transport == Transport::Unix).then(|| dir.join("listener"));
            let words = options.into_iter().chain(words_to_listen(path.as_ref()));
            let rnc = shape(rnc(words)).spawn();
            let peer = connect_to_listener(&rnc, path.as_ref());
            Session {
                rnc,
                peer,
                _server: None,
                _dir: dir,
            }
        }
    }
}

/// A session with a pipe on stdin, and stdout collected.
#[track_caller]
pub fn session(role: Role, transport: Transport) -> Session {
    session_with(role, transport, &[], |cmd| cmd.stdin(Stdin::Pipe))
}

/// Runs the same test in both roles on both transports.
pub fn everywhere(test: impl Fn(Role, Transport)) {
    for (role, transport) in EVERYWHERE {
        eprintln!("as {role:?} over {transport:?}:");
        test(role, transport);
    }
}

fn words_to_listen(path: Option<&PathBuf>) -> Vec<OsString> {
    match path {
        // -v so that it says when it listens.
        Some(path) => vec!["-l".into(), "-v".into(), "-U".into(), path.into()],
        None => vec!["-l".into(), "0".into()],
    }
}

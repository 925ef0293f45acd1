//! Called as nc: a server that is not trusted is told, and fails, though a session that breaks does
//! not.

use super::certs::Authority;
use super::peer::{TlsSock, server_config};
use crate::common::{Server, Stdin, rnc};

#[test]
fn an_untrusted_server_is_a_failure_that_is_told() {
    let authority = Authority::new();
    let stranger = authority.self_signed(&["127.0.0.1"]);
    let server = Server::tcp();
    let rnc = rnc(["--tls-ca"])
        .called("nc")
        .arg(&authority.file)
        .args(["127.0.0.1", &server.port().to_string()])
        .stdin(Stdin::Pipe)
        .spawn();
    let mut peer = TlsSock::server_before(server.accept(&rnc), server_config(&stranger));
    assert!(peer.try_shake_hands().is_err(), "the handshake has worked");
    drop(peer);
    rnc.wait().expect_code(1).expect_complaint("self-signed");
}

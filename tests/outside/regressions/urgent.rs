//! Urgent data (MSG_OOB) in the middle of a stream. It is not for us; what is around it is, also
//! where the kernel moves the bytes, which stops there and says that the stream has ended, or has
//! nothing.

use super::stop_at_rest;
use crate::common::{
    Running, Server, Sock, Stdin, Stdout, TempDir, assert_bytes, connect_to_listener, pattern, rnc,
};
use rustix::net::SendFlags;
use std::fs::File;
use std::io::{Read, Write};
use std::thread;

/// Enough for the kernel to be asked to move it.
const BULK: usize = 1 << 20;

/// Sends bulk, a byte that is urgent, and bulk again. (A second one would make the first a byte like
/// all others, if it had not been read by then.)
fn send_around_urgent(sock: &mut Sock) -> Vec<u8> {
    let parts = [pattern(BULK, 1), pattern(BULK, 2)];
    sock.write_all(&parts[0]).expect("write");
    assert_eq!(rustix::net::send(&*sock, b"X", SendFlags::OOB), Ok(1));
    sock.write_all(&parts[1]).expect("write");
    parts.concat()
}

/// All but the urgent byte is to be read from `out`, while the connection stays open.
#[track_caller]
fn passes_urgent_data(mut sock: Sock, mut out: impl Read + Send, rnc: &Running) {
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut got = vec![0; 2 * BULK];
            let done = out.read_exact(&mut got);
            (done, got)
        });
        let wanted = send_around_urgent(&mut sock);
        let (done, got) = reader.join().expect("reader");
        if let Err(error) = done {
            rnc.fail(&format!("something is missing: {error}"));
        }
        assert_bytes("behind rnc", &got, &wanted);
    });
    sock.half_close();
    drop(sock);
    let mut rest = Vec::new();
    out.read_to_end(&mut rest).expect("read");
    assert_bytes("the rest", &rest, b"");
}

#[test]
fn a_client_and_a_listener_give_all_to_a_pipe() {
    let server = Server::tcp();
    let mut client = rnc(server.words())
        .stdin(Stdin::Pipe)
        .stdout(Stdout::Unread)
        .spawn();
    let out = client.stdout_pipe.take().expect("stdout is Unread");
    passes_urgent_data(server.accept(&client), out, &client);
    client.wait().expect_code(0).expect_silence();

    let mut listener = rnc(["-l", "127.0.0.1", "0"]).stdout(Stdout::Unread).spawn();
    let out = listener.stdout_pipe.take().expect("stdout is Unread");
    passes_urgent_data(connect_to_listener(&listener, None), out, &listener);
    listener.wait().expect_code(0).expect_silence();
}

#[test]
fn a_relay_passes_on_all() {
    let target = Server::tcp();
    let onward = format!("127.0.0.1:{}", target.port());
    let relay = rnc(["-l", "--relay", &onward, "127.0.0.1", "0"]).spawn();
    let client = connect_to_listener(&relay, None);
    let behind = target.accept(&relay);
    passes_urgent_data(client, behind, &relay);
    relay.wait().expect_code(0).expect_silence();
}

#[test]
fn a_program_reads_all() {
    let host = rnc(["-l", "-e", "cat", "127.0.0.1", "0"]).spawn();
    let client = connect_to_listener(&host, None);
    passes_urgent_data(client.try_clone(), client, &host);
    host.wait().expect_code(0).expect_silence();
}

#[test]
fn what_comes_with_the_end_is_not_lost() {
    let parts = [pattern(BULK, 3), pattern(1000, 4)];
    let dir = TempDir::new();
    let path = dir.file("out", vec![0; BULK + 1000]);
    let file = File::options().write(true).open(&path).expect("open");
    for stdout in [Stdout::Captured, Stdout::Fd(file.into())] {
        let server = Server::tcp();
        let rnc = rnc(server.words()).stdout(stdout).spawn();
        let mut peer = server.accept(&rnc);
        peer.say(&parts[0], &rnc);
        stop_at_rest(&rnc);
        assert_eq!(rustix::net::send(&peer, b"X", SendFlags::OOB), Ok(1));
        peer.say(&parts[1], &rnc);
        drop(peer);
        rnc.go_on();
        let finished = rnc.wait().expect_code(0).expect_silence();
        if !finished.stdout.is_empty() {
            assert_bytes("stdout", &finished.stdout, &parts.concat());
        }
    }
    assert_bytes(
        "the file",
        &std::fs::read(&path).expect("read"),
        &parts.concat(),
    );
}

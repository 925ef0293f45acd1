//! The certificate a server makes when none is given: how clients are told of it, and how it is
//! kept.

use super::certs::pin_of;
use crate::common::{Running, Stdin, TempDir, rnc, shell};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

/// What stands before the command in the line that says how to connect.
const CONNECT_WITH: &str = "Connect with: ";

/// The command in that line.
#[track_caller]
fn client_command(listener: &Running) -> String {
    let command = |said: &[u8]| {
        let said = String::from_utf8_lossy(said).into_owned();
        let (_, rest) = said.split_once(CONNECT_WITH)?;
        let (command, _) = rest.split_once('\n')?;
        Some(command.to_string())
    };
    listener.stderr.wait_until(|said| command(said).is_some());
    match command(&listener.stderr.bytes()) {
        Some(command) => command,
        None => listener.fail("it does not say how to connect"),
    }
}

/// The fingerprint that is told.
#[track_caller]
fn told_pin(listener: &Running) -> String {
    client_command(listener);
    let said = listener.stderr.text();
    let at = said.find("sha256:").expect("a fingerprint");
    said[at..at + "sha256:".len() + 64].to_string()
}

#[test]
fn the_client_command_that_is_printed_works_when_pasted() {
    for options in [
        &["127.0.0.1", "0"][..],
        &["::1", "0"],
        &["localhost", "0"],
        &["0"],
        &["-4", "0"],
    ] {
        let mut listener = rnc(["-l", "--tls"])
            .args(options)
            .stdin(Stdin::Pipe)
            .spawn();
        let line = client_command(&listener);
        eprintln!("{line}");
        assert!(line.starts_with("rnc --tls --tls-pin sha256:"), "{line}");
        // The name of a machine need not resolve, here or elsewhere.
        let host = line.rsplit(' ').nth(1).expect("a host");
        assert!(host.parse::<std::net::IpAddr>().is_ok(), "{line}");
        listener.feed(b"from the listener\n".to_vec());
        let dir = TempDir::new();
        shell(&format!("echo to the listener | {line}"), &dir)
            .run()
            .expect_code(0)
            .expect_stdout("from the listener\n")
            .expect_silence();
        listener
            .wait()
            .expect_code(0)
            .expect_stdout("to the listener\n");
    }
}

#[test]
fn the_client_command_for_a_unix_socket_works_when_pasted() {
    let dir = TempDir::new();
    let mut listener = rnc(["-l", "--tls", "-U"])
        .arg(dir.join("a socket"))
        .stdin(Stdin::Pipe)
        .spawn();
    let line = client_command(&listener);
    listener.feed(b"from the listener\n".to_vec());
    shell(&format!("echo to the listener | {line}"), &dir)
        .run()
        .expect_code(0)
        .expect_stdout("from the listener\n")
        .expect_silence();
    listener
        .wait()
        .expect_code(0)
        .expect_stdout("to the listener\n");
}

#[test]
fn every_listener_makes_a_certificate_of_its_own() {
    let pins: Vec<String> = (0..2)
        .map(|_| told_pin(&rnc(["-l", "--tls", "127.0.0.1", "0"]).spawn()))
        .collect();
    assert_ne!(pins[0], pins[1]);
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

#[test]
fn a_certificate_that_is_kept_can_be_used_again() {
    let dir = TempDir::new();
    let save = dir.join("kept");
    fs::create_dir(&save).expect("a directory");
    let saving = || {
        rnc(["-l", "--tls", "--tls-save"])
            .arg(&save)
            .args(["127.0.0.1", "0"])
    };
    let first = saving().spawn();
    let pin = told_pin(&first);
    let (cert, key) = (save.join("cert.pem"), save.join("key.pem"));
    assert_eq!((mode(&cert), mode(&key)), (0o600, 0o600));
    let der = CertificateDer::from_pem_file(&cert).expect("a certificate");
    assert_eq!(pin_of(&der), pin);
    drop(first);
    let kept = (fs::read(&cert).expect("cert"), fs::read(&key).expect("key"));

    // Given by name.
    let mut again = rnc(["-l", "--tls", "--tls-cert"])
        .arg(&cert)
        .arg("--tls-key")
        .arg(&key)
        .args(["127.0.0.1", "0"])
        .stdin(Stdin::Pipe)
        .spawn();
    let port = again.listening_port().to_string();
    again.close_stdin();
    rnc(["--tls", "--tls-pin", &pin, "127.0.0.1", &port])
        .run()
        .expect_code(0)
        .expect_silence();
    again.wait().expect_code(0);

    // Another listener that keeps its own there has that one, and overwrites nothing.
    let other = saving().spawn();
    assert_eq!(told_pin(&other), pin);
    let now = (fs::read(&cert).expect("cert"), fs::read(&key).expect("key"));
    assert!(now == kept, "what was kept has changed");
}

#[test]
fn a_directory_to_keep_it_in_is_made_for_its_owner_alone() {
    let dir = TempDir::new();
    let save = dir.join("new");
    let rnc = rnc(["-l", "--tls", "--tls-save"])
        .arg(&save)
        .args(["127.0.0.1", "0"])
        .spawn();
    told_pin(&rnc);
    assert_eq!(mode(&save), 0o700);
    assert_eq!(mode(&save.join("key.pem")), 0o600);
}

#[test]
fn a_certificate_that_cannot_be_kept_is_told_before_anybody_is_let_in() {
    let dir = TempDir::new();
    let file = dir.file("file", "");
    let half = dir.join("half");
    fs::create_dir(&half).expect("a directory");
    fs::write(half.join("key.pem"), "not a key").expect("a file");
    for (place, reason) in [(&file, "file"), (&half, "cert.pem")] {
        let done = rnc(["-l", "--tls", "--tls-save"])
            .arg(place)
            .args(["127.0.0.1", "0"])
            .run();
        let done = done.expect_code(1).expect_complaint(reason);
        assert!(!done.stderr.contains("Listening"), "{done}");
    }
    let left = fs::read_to_string(half.join("key.pem")).expect("a file");
    assert_eq!(left, "not a key");
}

#[test]
fn fault_10_directories_on_the_way_are_not_made() {
    let dir = TempDir::new();
    rnc(["-l", "--tls", "--tls-save"])
        .arg(dir.join("mistyped/kept"))
        .args(["127.0.0.1", "0"])
        .run()
        .expect_code(1)
        .expect_complaint("No such file or directory");
    assert!(!dir.join("mistyped").exists());
}

#[test]
fn fault_10_a_key_that_others_put_there_or_may_read_is_not_used() {
    let dir = TempDir::new();
    let save = dir.join("kept");
    let saving = || {
        let words = ["-l", "--tls", "127.0.0.1", "0", "--tls-save"];
        rnc(words).arg(&save)
    };
    told_pin(&saving().spawn());
    let (cert, key) = (save.join("cert.pem"), save.join("key.pem"));
    let chmod = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
    };
    let refused = |why: &str| {
        let done = saving().run().expect_code(1).expect_complaint(why);
        assert!(!done.stderr.contains("Listening"), "{done}");
    };
    for (path, bad, good) in [
        (&key, 0o644, 0o600),
        (&cert, 0o666, 0o644),
        (&save, 0o777, 0o700),
    ] {
        chmod(path, bad);
        refused(&format!("(chmod {good:03o})").replace("700", "775"));
        chmod(path, good);
    }
    fs::rename(&key, dir.join("key")).expect("rename");
    symlink(dir.join("key"), &key).expect("symlink");
    refused("it is a symbolic link");
    fs::rename(dir.join("key"), &key).expect("rename");
    // Only root can give files away.
    for path in [&key, &cert, &save] {
        if chown(path, Some(65_534), None).is_ok() {
            refused("it belongs to another user");
            chown(path, Some(0), None).expect("chown");
        }
    }
    told_pin(&saving().spawn());
}

#[test]
fn a_key_is_not_kept_where_others_could_replace_it() {
    let dir = TempDir::new();
    let save = dir.join("open");
    fs::create_dir(&save).expect("mkdir");
    fs::set_permissions(&save, fs::Permissions::from_mode(0o777)).expect("chmod");
    rnc(["-l", "--tls", "127.0.0.1", "0", "--tls-save"])
        .arg(&save)
        .run()
        .expect_code(1)
        .expect_complaint("its mode 777 is open to others (chmod 775)");
    assert_eq!(fs::read_dir(&save).expect("dir").count(), 0);
}

#[test]
fn half_a_certificate_is_not_kept() {
    let dir = TempDir::new();
    // No file may have a byte (RLIMIT_FSIZE).
    let full = "trap '' XFSZ; ulimit -f 0; exec";
    let save = dir.join("kept");
    let save = save.to_str().expect("a path in UTF-8");
    let listen = format!("rnc -l --tls --tls-save {save} 127.0.0.1 0");
    let done = shell(&format!("{full} {listen}"), &dir).run();
    let done = done.expect_code(1).expect_complaint("File too large");
    assert!(!done.stderr.contains("os error"), "{done}");
    told_pin(&shell(&format!("exec {listen}"), &dir).spawn());
}

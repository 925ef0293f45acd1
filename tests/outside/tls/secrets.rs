//! Key material: written where SSLKEYLOGFILE says, and nowhere else.

use super::certs::Authority;
use super::peer::{TlsSock, client_config, server_config};
use super::session::{ROLES, Role, tcp_pair};
use crate::common::{Stdin, TempDir, assert_bytes};
use rustls::{ClientConfig, KeyLog, ServerConfig};
use std::fs;
use std::sync::{Arc, Mutex};

/// The secrets of a session, as its other end knows them.
#[derive(Debug, Default)]
struct Secrets(Mutex<Vec<Vec<u8>>>);

impl KeyLog for Secrets {
    fn log(&self, _label: &str, _client_random: &[u8], secret: &[u8]) {
        let mut secrets = self.0.lock().expect("no panic elsewhere");
        secrets.push(secret.to_vec());
    }
}

impl Secrets {
    /// In the ways a log could have them.
    fn spelt(&self) -> Vec<Vec<u8>> {
        let secrets = self.0.lock().expect("no panic elsewhere");
        let spelt = secrets.iter().flat_map(|secret| {
            let digits: Vec<String> = secret.iter().map(|byte| format!("{byte:02x}")).collect();
            [
                secret.clone(),
                digits.concat().into_bytes(),
                digits.concat().to_uppercase().into_bytes(),
                // As a hex dump has its beginning.
                digits[..8].join(" ").into_bytes(),
            ]
        });
        spelt.collect()
    }

    #[track_caller]
    fn are_not_in(&self, place: &str, text: &[u8]) {
        let spelt = self.spelt();
        assert!(!spelt.is_empty(), "the handshake had no secrets");
        for secret in spelt {
            let found = text.windows(secret.len()).any(|part| part == secret);
            assert!(!found, "key material in {place}");
        }
    }
}

/// A whole session in this role, in an environment of its choice; gives what both ends know.
#[track_caller]
fn session(role: Role, options: &[&str], env: &[(&str, &str)]) -> (Arc<Secrets>, Vec<u8>) {
    let authority = Authority::new();
    let (mut rnc, sock) = tcp_pair(role, &authority, options, |cmd| {
        let cmd = cmd.stdin(Stdin::Pipe);
        env.iter()
            .fold(cmd, |cmd, (name, value)| cmd.env(name, value))
    });
    let secrets = Arc::new(Secrets::default());
    let mut peer = match role {
        Role::Connects => {
            let mut config: ServerConfig = server_config(&authority.for_here());
            config.key_log = Arc::clone(&secrets) as Arc<dyn KeyLog>;
            TlsSock::server_on(sock, config, &rnc)
        }
        Role::Listens => {
            let mut config: ClientConfig = client_config(&authority);
            config.key_log = Arc::clone(&secrets) as Arc<dyn KeyLog>;
            TlsSock::client_on(sock, config, &rnc)
        }
    };
    rnc.feed(b"from rnc".to_vec());
    assert_bytes("the peer got", &peer.read_all(&rnc), b"from rnc");
    peer.say("to rnc", &rnc);
    peer.half_close(&rnc);
    let done = rnc.wait().expect_code(0).expect_stdout("to rnc");
    (secrets, done.stderr.into_bytes())
}

#[test]
fn keys_are_logged_where_sslkeylogfile_says() {
    for role in ROLES {
        for (version, label) in [
            ("1.2", "CLIENT_RANDOM "),
            ("1.3", "CLIENT_TRAFFIC_SECRET_0 "),
        ] {
            let dir = TempDir::new();
            let log = dir.join("keys");
            let env = [("SSLKEYLOGFILE", log.to_str().expect("a path"))];
            let options = ["-N", "--tls-min", version, "--tls-max", version];
            let (secrets, _) = session(role, &options, &env);
            let logged = fs::read_to_string(&log).expect("a log");
            assert!(logged.contains(label), "{role:?}: {logged}");
            for secret in secrets.0.lock().expect("no panic elsewhere").iter() {
                let digits: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
                assert!(logged.contains(&digits), "{role:?}: {logged}");
            }
        }
    }
}

#[test]
fn keys_are_in_no_log_and_no_message() {
    for role in ROLES {
        for version in ["1.2", "1.3"] {
            let dir = TempDir::new();
            let text = |name: &str| dir.join(name).to_str().expect("a path").to_string();
            let (output, hex) = (text("output"), text("hex"));
            let options = ["-Nvvv", "--tls-min", version, "--tls-max", version];
            let logs = ["--output", &output, "--hex-dump", &hex];
            let (secrets, said) = session(role, &[&options[..], &logs].concat(), &[]);
            secrets.are_not_in("stderr", &said);
            let files: Vec<_> = fs::read_dir(dir.path())
                .expect("a directory")
                .map(|entry| entry.expect("a file").path())
                .collect();
            assert_eq!(files.len(), 2, "{files:?}");
            for file in files {
                let logged = fs::read(&file).expect("a log");
                secrets.are_not_in(&file.display().to_string(), &logged);
            }
            // What is logged is what was said in TLS.
            let logged = fs::read(&output).expect("a log");
            assert_bytes("the log", &logged, b"from rncto rnc");
        }
    }
}

#[test]
fn a_key_log_that_cannot_be_written_keeps_nobody_from_talking() {
    let dir = TempDir::new();
    let missing = dir.join("missing").join("keys");
    let env = [("SSLKEYLOGFILE", missing.to_str().expect("a path"))];
    session(Role::Connects, &[], &env);
}

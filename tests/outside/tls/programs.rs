//! Real programs that speak TLS, as servers and as clients, each joined to its stdin and stdout.

use super::certs::{Authority, Identity};
use crate::common::{Cmd, Running, Stdin, TempDir, eventually, listening_port_of, require};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

/// A program as a TLS server.
#[derive(Clone, Copy, Debug)]
pub enum ServerKind {
    Openssl,
    Ncat,
    Socat,
}

pub const SERVERS: [ServerKind; 3] = [ServerKind::Openssl, ServerKind::Ncat, ServerKind::Socat];

/// A program that listens with TLS.
pub struct TlsServer {
    pub running: Running,
    pub port: u16,
}

impl ServerKind {
    /// Starts it; `None` when this machine has no such program.
    #[track_caller]
    pub fn start(self, identity: &Identity) -> Option<TlsServer> {
        let cmd = match self {
            ServerKind::Openssl => return s_server(identity, &["-quiet"]),
            ServerKind::Ncat => Cmd::new(require("ncat", "ncat")?)
                .args(["--ssl", "-l", "127.0.0.1", "0", "--ssl-cert"])
                .arg(&identity.cert)
                .arg("--ssl-key")
                .arg(&identity.key),
            ServerKind::Socat => Cmd::new(require("socat", "socat")?)
                .arg(format!(
                    "OPENSSL-LISTEN:0,bind=127.0.0.1,verify=0,{}",
                    socat_files(identity)
                ))
                .arg("-"),
        };
        Some(listens(cmd))
    }
}

/// `openssl s_server` with these options, for one client.
#[track_caller]
pub fn s_server(identity: &Identity, options: &[&str]) -> Option<TlsServer> {
    let cmd = Cmd::new(require("openssl", "openssl")?)
        .args(["s_server", "-accept", "127.0.0.1:0", "-naccept", "1"])
        .arg("-cert")
        .arg(&identity.cert)
        .arg("-key")
        .arg(&identity.key)
        .args(options);
    Some(listens(cmd))
}

fn socat_files(identity: &Identity) -> String {
    let Identity { cert, key, .. } = identity;
    format!("cert={},key={}", cert.display(), key.display())
}

#[track_caller]
fn listens(cmd: Cmd) -> TlsServer {
    let running = cmd.stdin(Stdin::Pipe).spawn();
    let mut port = None;
    eventually(|| {
        port = listening_port_of(running.pid());
        port.is_some()
    });
    match port {
        Some(port) => TlsServer { running, port },
        None => running.fail("it does not listen"),
    }
}

/// A program as a TLS client.
#[derive(Clone, Copy, Debug)]
pub enum ClientKind {
    Openssl,
    Ncat,
    Socat,
}

pub const CLIENTS: [ClientKind; 3] = [ClientKind::Openssl, ClientKind::Ncat, ClientKind::Socat];

impl ClientKind {
    /// Starts it; it trusts the authority alone.
    #[track_caller]
    pub fn start(self, authority: &Authority, port: u16) -> Option<Running> {
        let file = authority.file.display();
        let cmd = match self {
            ClientKind::Openssl => s_client(authority, port, &["-quiet"])?,
            ClientKind::Ncat => Cmd::new(require("ncat", "ncat")?)
                .args(["--ssl-verify", "--ssl-trustfile"])
                .arg(&authority.file)
                .args(["localhost", "-4", &port.to_string()]),
            ClientKind::Socat => Cmd::new(require("socat", "socat")?).arg("-").arg(format!(
                "OPENSSL:localhost:{port},pf=ip4,verify=1,cafile={file}"
            )),
        };
        Some(cmd.stdin(Stdin::Pipe).spawn())
    }
}

/// `openssl s_client` with these options, which trusts the authority alone.
#[track_caller]
pub fn s_client(authority: &Authority, port: u16, options: &[&str]) -> Option<Cmd> {
    let openssl = require("openssl", "openssl")?;
    let cmd = Cmd::new(openssl)
        .args(["s_client", "-connect", &format!("127.0.0.1:{port}")])
        .args(["-servername", "localhost", "-verify_hostname", "localhost"])
        .args(["-verify_return_error", "-CAfile"])
        .arg(&authority.file)
        .args(options);
    Some(cmd.stdin(Stdin::Pipe))
}

/// An nginx with one page over TLS; all it writes is in a directory of its own.
pub struct Nginx {
    pub port: u16,
    _running: Running,
    _dir: TempDir,
}

pub const PAGE: &str = "<p>It works, says the page.</p>\n";

impl Nginx {
    /// Starts it; `more` are lines of its configuration.
    pub fn start(identity: &Identity, more: &str) -> Option<Nginx> {
        let nginx = require("nginx", "nginx-light")?;
        let dir = TempDir::new();
        dir.file("index.html", PAGE);
        // It takes over a socket as from its own predecessor at an upgrade: nobody can take the
        // port in between.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
        let port = listener.local_addr().expect("local_addr").port();
        let config = nginx_config(dir.path(), port, identity, more);
        let running = Cmd::new(nginx)
            .arg("-p")
            .arg(dir.path())
            .arg("-e")
            .arg(dir.join("error.log"))
            .arg("-c")
            .arg(dir.file("nginx.conf", config))
            .env("NGINX", "9;")
            .hand(listener.into(), 9)
            .with_its_children()
            .spawn();
        Some(Nginx {
            port,
            _running: running,
            _dir: dir,
        })
    }
}

fn nginx_config(dir: &Path, port: u16, identity: &Identity, more: &str) -> String {
    let dir = dir.display();
    let Identity { cert, key, .. } = identity;
    format!(
        "daemon off; worker_processes 1; pid {dir}/pid;
        events {{}}
        http {{
            access_log off;
            client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
            fastcgi_temp_path {dir}/fastcgi; uwsgi_temp_path {dir}/uwsgi;
            scgi_temp_path {dir}/scgi;
            default_type text/html;
            server {{
                listen 127.0.0.1:{port} ssl; root {dir};
                ssl_certificate {}; ssl_certificate_key {};
                {more}
            }}
        }}",
        cert.display(),
        key.display()
    )
}

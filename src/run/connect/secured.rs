//! Making the connection of a client secure.

use super::{Connect, State, io_exit};
use crate::exit::Exit;
use crate::io::connection::Connection;
use crate::io::reactor::Cx;
use crate::io::stream::Stream;
use crate::net::secure::{SecureError, Securing};
use crate::plan::Mode;
use crate::report;
use crate::run::outcome::failed;
use crate::run::secure;
use std::io;
use std::task::Poll;

impl Connect {
    /// A stream is connected: it is made secure, if that is wanted.
    pub(super) fn connected_stream(
        &mut self,
        stream: Stream,
        label: String,
        cx: Cx<'_>,
    ) -> Result<(), Exit> {
        let Some(tls) = &self.tls else {
            let conn = Connection::Stream(stream);
            let remote = conn.into_end(&cx.registrar).map_err(io_exit)?;
            return self.join(remote, label, cx);
        };
        let host = self.to().map(|to| to.host.as_str());
        let session = tls.session(host).map_err(|error| failed(&error.into()))?;
        let limit = match &self.plan.mode {
            Mode::ConnectUnix { timeout, .. } | Mode::ConnectVsock { timeout, .. } => *timeout,
            _ => self.to().and_then(|to| to.dialing.timeout),
        };
        let securing = Securing::new(
            stream,
            session,
            secure::asking(&self.plan, host),
            secure::limit(&self.plan.session.limits, limit),
            cx,
        );
        let securing = Box::new(securing.map_err(io_exit)?);
        self.state = State::Securing(securing, label);
        Ok(())
    }

    /// Goes on making a connection secure; `false` when it has to wait.
    pub(super) fn secure(&mut self, cx: Cx<'_>) -> Result<bool, Exit> {
        let (State::Securing(securing, label), Some(tls)) = (&mut self.state, &self.tls) else {
            return Ok(true);
        };
        let Poll::Ready(secured) = securing.drive(cx.now) else {
            return Ok(false);
        };
        let label = std::mem::take(label);
        match secured {
            Ok(conn) => {
                let host = self.to().map(|to| to.host.as_str());
                secure::tell_server(&conn, &label, tls, host);
                let remote = conn.into_end(&cx.registrar).map_err(io_exit)?;
                self.join(remote, label, cx)?;
            }
            Err(error) => {
                let host = self.to().map(|to| to.host.as_str());
                let line = secure::server_failed(&label, &error, tls, host, &self.plan);
                // As nc too, whose other failures of connecting are silent: who is not whom we
                // trust must not look like somebody who had nothing to say.
                report::error(&line);
                let timed_out = Exit::Code(self.plan.codes.connect_timed_out);
                let exit = match error {
                    SecureError::Late => timed_out,
                    SecureError::Handshake(error, _) if error.kind() == io::ErrorKind::TimedOut => {
                        timed_out
                    }
                    _ => Exit::FAILED,
                };
                self.session_over(exit, cx.now)?;
            }
        }
        Ok(true)
    }
}

//! Clients of Unix and vsock sockets.

use super::{Connect, State, io_exit};
use crate::exit::Exit;
use crate::io::reactor::Cx;
use crate::io::stream::Stream;
use crate::net::own_file::OwnFile;
use crate::parse::escape::printable;
use crate::plan::Mode;
use crate::report;
use crate::run::{session, words};
use socket2::Socket;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::task::Poll;

impl Connect {
    /// A Unix socket is connected, or cannot be.
    pub(super) fn unix_dialed(
        &mut self,
        dialed: io::Result<(Socket, Option<OwnFile>)>,
        cx: Cx<'_>,
    ) -> Result<(), Exit> {
        let Mode::ConnectUnix {
            path,
            datagram,
            zero_io,
            ..
        } = &self.plan.mode
        else {
            return Err(Exit::FAILED);
        };
        let (is_stream, zero_io) = (datagram.is_none(), *zero_io);
        let shown = printable(path.as_os_str().as_bytes());
        let (sock, file) = dialed.map_err(|error| {
            report::error(&words::not_reached(path, &error, &self.plan));
            match error.kind() {
                io::ErrorKind::TimedOut => Exit::Code(self.plan.codes.connect_timed_out),
                _ => Exit::FAILED,
            }
        })?;
        self._file = file;
        self.tally.open();
        if report::is_verbose(1) {
            words::reached(&shown)
                .iter()
                .for_each(|line| report::line(line));
        }
        self.state = State::Next;
        if zero_io {
            return Ok(());
        }
        let label = format!("{shown} (unix)");
        if is_stream {
            self.connected_stream(Stream::new(sock), label, cx)
        } else {
            let remote = session::datagram_end(sock, None, &cx.registrar).map_err(io_exit)?;
            self.join(remote, label, cx)
        }
    }

    /// Goes on connecting to a vsock port; `false` when it has to wait.
    pub(super) fn dial_vsock(&mut self, cx: Cx<'_>) -> Result<bool, Exit> {
        let (State::DialingVsock(dialer), Mode::ConnectVsock { cid, port, .. }) =
            (&mut self.state, &self.plan.mode)
        else {
            return Ok(true);
        };
        let label = format!("vsock {cid} port {port}");
        let Poll::Ready(dialed) = dialer.drive(cx) else {
            return Ok(false);
        };
        let stream = match dialed {
            Ok(stream) => stream,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                report::failure(&format!("connect to {label} timed out"));
                return Err(Exit::Code(self.plan.codes.connect_timed_out));
            }
            Err(error) => {
                let reason = report::reason(&error);
                report::error(&format!("connect to {label} failed: {reason}"));
                return Err(Exit::FAILED);
            }
        };
        self.tally.open();
        report::verbose(
            1,
            &format!("Connection to vsock {cid} port {port} succeeded!"),
        );
        self.connected_stream(stream, label, cx)?;
        Ok(true)
    }
}

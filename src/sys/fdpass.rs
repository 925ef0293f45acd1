//! Passing a descriptor to another process over a Unix socket (`-F`). See unix(7), SCM_RIGHTS.

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;

/// Sends `fd` with one NUL byte over standard output. Waits until it is taken.
///
/// # Errors
/// Standard output is no Unix socket, or its reader is gone.
pub fn pass_to_stdout(fd: BorrowedFd<'_>) -> io::Result<()> {
    let stdout = rustix::stdio::stdout();
    let fds = [fd];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    let nul = [IoSlice::new(&[0])];
    loop {
        match rustix::net::sendmsg(stdout, &nul, &mut control, SendFlags::NOSIGNAL) {
            Ok(1) => return Ok(()),
            Ok(_) => return Err(io::ErrorKind::WriteZero.into()),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let mut fds = [PollFd::from_borrowed_fd(stdout, PollFlags::OUT)];
                rustix::event::poll(&mut fds, None)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

//! Error texts as the C library words them, without Rust's "(os error N)".

use rustix::io::Errno;
use std::ffi::CStr;
use std::io;

/// Gives the reason of an I/O error in the words of `strerror(3)`, such as `Connection refused`.
/// An error that did not come from the system is given in its own words.
pub fn reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(code) => text(code),
        None => error.to_string(),
    }
}

/// Returns whether an accept failed because of the client, or the network on the way to it: the
/// next client may be there. See accept(2).
pub fn is_lost_client(error: &io::Error) -> bool {
    let client = [
        libc::ECONNABORTED,
        libc::EINTR,
        libc::EPROTO,
        libc::EPERM,
        libc::ENETDOWN,
        libc::ENOPROTOOPT,
        libc::EHOSTDOWN,
        libc::ENONET,
        libc::EHOSTUNREACH,
        libc::ENETUNREACH,
    ];
    error
        .raw_os_error()
        .is_some_and(|code| client.contains(&code))
}

/// Returns whether a system call is not available: not with these descriptors, not in this kernel,
/// or not to this process (the profile of a container). Another way is worth a try; an error that
/// was not about the call itself will come up there again.
pub fn is_refusal(error: Errno) -> bool {
    matches!(
        error,
        Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM | Errno::ACCESS
    )
}

/// Returns whether there are no descriptors left, for this process or for the whole system.
pub fn is_no_descriptor(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// Returns whether the kernel does not have the protocol asked for.
pub fn is_no_protocol(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EPROTONOSUPPORT)
}

/// Returns whether a connect that returned this error is under way (EINPROGRESS).
pub fn is_in_progress(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINPROGRESS)
}

/// Returns whether a FIFO cannot be opened or written to without waiting for its reader.
pub fn is_wait_for_reader(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENXIO | libc::EAGAIN))
}

/// The error of a connect to a port on which nothing listens.
pub fn refused() -> io::Error {
    io::Error::from_raw_os_error(libc::ECONNREFUSED)
}

/// The error of a peer whose system does not answer any more.
pub fn timed_out() -> io::Error {
    io::Error::from_raw_os_error(libc::ETIMEDOUT)
}

/// The error of an address family this system does not have.
pub fn no_family() -> io::Error {
    io::Error::from_raw_os_error(libc::EAFNOSUPPORT)
}

/// Returns whether the address family is missing on this system or has no address to bind.
pub fn is_no_family(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL)
    )
}

fn text(code: i32) -> String {
    let mut buf = [0u8; 128];
    // SAFETY: the pointer and the length describe `buf`, which outlives the call; POSIX
    // strerror_r writes a NUL-terminated text into it.
    let failed = unsafe { libc::strerror_r(code, buf.as_mut_ptr().cast(), buf.len()) };
    match CStr::from_bytes_until_nul(&buf) {
        Ok(text) if failed == 0 => text.to_string_lossy().into_owned(),
        _ => format!("error {code}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_has_no_os_error_number() {
        let error = io::Error::from_raw_os_error(libc::ECONNREFUSED);
        assert_eq!(reason(&error), "Connection refused");
    }
}

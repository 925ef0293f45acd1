//! Names of services and hosts, from the C library, so that /etc/services, /etc/hosts and NSS
//! say the same to rnc as to every other program. All calls here may block: keep them off the loop.

use crate::parse::escape::printable;
use std::ffi::{CStr, CString};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

/// The port of a service name, such as 80 for `http`; `proto` is `tcp` or `udp`.
/// See getservbyname(3).
pub fn service_port(name: &str, proto: &str) -> Option<u16> {
    // A service name has a letter in it (RFC 6335, section 5.1). A look-up reads files and loads
    // libraries, which would be most of rnc's start-up.
    if !name.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let name = CString::new(name).ok()?;
    let proto = CString::new(proto).ok()?;
    // SAFETY: both pointers are NUL-terminated strings that live through the call. The entry
    // returned is static memory of the C library; it is read before any other call could change
    // it, since rnc looks up services on its main thread only, before other threads exist.
    let port = unsafe {
        let entry = libc::getservbyname(name.as_ptr(), proto.as_ptr());
        entry.as_ref()?.s_port
    };
    u16::try_from(port).ok().map(u16::from_be)
}

/// The name of the service at a port, such as `http` for 80. See getservbyport(3).
pub fn service_name(port: u16, proto: &str) -> Option<String> {
    let proto = CString::new(proto).ok()?;
    // SAFETY: as in `service_port`; `s_name` points to a NUL-terminated string in the entry.
    let name = unsafe {
        let entry = libc::getservbyport(i32::from(port.to_be()), proto.as_ptr());
        CStr::from_ptr(entry.as_ref()?.s_name)
    };
    Some(name.to_string_lossy().into_owned())
}

/// The name of this machine, if it has one. See uname(2).
pub fn own() -> Option<String> {
    let uname = rustix::system::uname();
    let name = uname.nodename().to_str().ok()?;
    (!name.is_empty() && name != "(none)").then(|| name.to_owned())
}

/// The addresses of a host name, in the order of RFC 6724. See getaddrinfo(3).
///
/// # Errors
/// The text is the C library's (`Name or service not known`).
pub fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    match (host, port).to_socket_addrs() {
        Ok(found) => Ok(found.collect()),
        Err(error) => Err(io::Error::other(resolver_text(&error))),
    }
}

/// The name of an address, or `None` when it has none. See getnameinfo(3).
pub fn host_name(addr: &SocketAddr) -> Option<String> {
    let addr = socket2::SockAddr::from(*addr);
    let mut buf = [0u8; 1025]; // NI_MAXHOST
    let size = libc::socklen_t::try_from(buf.len()).ok()?;
    // SAFETY: the address pointer and length come from one SockAddr that lives through the call;
    // the host buffer is `buf` with its true length; no service buffer is given.
    let failed = unsafe {
        libc::getnameinfo(
            addr.as_ptr().cast(),
            addr.len(),
            buf.as_mut_ptr().cast(),
            size,
            std::ptr::null_mut(),
            0,
            libc::NI_NAMEREQD,
        )
    };
    if failed != 0 {
        return None;
    }
    // The owner of an address chooses its name.
    let name = CStr::from_bytes_until_nul(&buf).ok()?;
    Some(printable(name.to_bytes()))
}

/// The number of a user by name, such as 0 for `root`. See getpwnam(3).
pub fn user_id(name: &str) -> Option<u32> {
    let name = CString::new(name).ok()?;
    // SAFETY: the pointer is a NUL-terminated string that lives through the call. The entry
    // returned is static memory of the C library, read before any other call could change it: the
    // command line is read on the main thread, before other threads exist.
    unsafe { Some(libc::getpwnam(name.as_ptr()).as_ref()?.pw_uid) }
}

/// Std wraps the resolver's own text in a sentence of its own; only the text is wanted.
fn resolver_text(error: &io::Error) -> String {
    if error.raw_os_error().is_some() {
        return super::errno::reason(error);
    }
    let text = error.to_string();
    match text.split_once("failed to lookup address information: ") {
        Some((_, reason)) => reason.to_string(),
        None => text,
    }
}

/// The number of an interface as addresses have it behind `%`: by name, or the number itself.
/// RFC 4007, section 11.2.
pub fn scope(zone: &str) -> Option<u32> {
    zone.parse().ok().or_else(|| interface_index(zone))
}

/// The index of a network interface by its name, such as `eth0`. See if_nametoindex(3).
pub fn interface_index(name: &str) -> Option<u32> {
    let name = CString::new(name).ok()?;
    // SAFETY: the pointer is a NUL-terminated string that lives through the call.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    (index != 0).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_service_has_no_port() {
        assert_eq!(service_port("no-such-service", "tcp"), None);
    }

    #[test]
    fn root_is_user_0() {
        assert_eq!(user_id("root"), Some(0));
        assert_eq!(user_id("no-such-user"), None);
    }

    #[test]
    fn loopback_interface_has_an_index() {
        assert!(interface_index("lo").is_some());
        assert_eq!(interface_index("no-such-if0"), None);
    }
}

//! Errors that are reported more than once.

use std::io;

/// The same error again. io::Error cannot be cloned: what rustls said, and the system's number, are
/// kept; of others the kind and the words.
pub fn copy(error: &io::Error) -> io::Error {
    #[cfg(feature = "tls")]
    if let Some(error) = super::tls::said(error) {
        return io::Error::new(io::ErrorKind::InvalidData, error.clone());
    }
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

//! Random bytes that cannot be foreseen.

use rustix::rand::{GetRandomFlags, getrandom};
use std::io;

/// Fills an array from the kernel's generator. See getrandom(2).
///
/// # Errors
/// ENOSYS before Linux 3.17.
pub fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        match getrandom(&mut bytes[filled..], GetRandomFlags::empty()) {
            Ok(n) => filled += n,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(bytes)
}

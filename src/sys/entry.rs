//! The program's entry, without the part of std's own start-up that rnc has no use for: reading
//! /proc/self/maps to find the stack's guard page, and a signal stack to report its overflow. That
//! part was a tenth of the time and memory of a short session. What is needed of it is here.

use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Makes `$main`, which takes the words of the command line and gives the exit code, the entry of
/// a program with `#![no_main]`.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        // SAFETY: `main` is the name the C library calls with exactly these arguments, and no
        // other item of the program has it.
        #[unsafe(no_mangle)]
        extern "C" fn main(argc: i32, argv: *const *const std::ffi::c_char) -> i32 {
            // SAFETY: these are the arguments of `main`.
            let words = unsafe { $crate::sys::entry::begin(argc, argv) };
            let main: fn(Vec<std::ffi::OsString>) -> u8 = $main;
            i32::from(main(words))
        }
    };
}

/// Prepares the process, and gives the words of the command line.
///
/// # Safety
/// `argc` and `argv` must be what the C library called `main` with, and no other thread may exist.
pub unsafe fn begin(argc: i32, argv: *const *const std::ffi::c_char) -> Vec<OsString> {
    super::signal::begin();
    open_missing_descriptors();
    super::alloc::share_one_heap();
    // SAFETY: there is no other thread.
    unsafe { super::passed::claim() };
    let count = usize::try_from(argc).unwrap_or(0);
    let word = |at| {
        // SAFETY: `argv` has `argc` pointers to NUL-terminated strings that live as long as the
        // process.
        let word = unsafe { CStr::from_ptr(*argv.add(at)) };
        OsStr::from_bytes(word.to_bytes()).to_owned()
    };
    (0..count).map(word).collect()
}

/// Opens /dev/null in place of standard descriptors that are closed, so that no socket becomes
/// standard input or output by accident.
fn open_missing_descriptors() {
    let mut fds = [0, 1, 2].map(|fd| libc::pollfd {
        fd,
        events: 0,
        revents: 0,
    });
    // SAFETY: the pointer and the length describe `fds`, which lives through the call.
    unsafe { libc::poll(fds.as_mut_ptr(), 3, 0) };
    for _ in fds.iter().filter(|fd| fd.revents & libc::POLLNVAL != 0) {
        // SAFETY: the path is a NUL-terminated string; the lowest free descriptor, which open(2)
        // takes, is the one that is missing.
        unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) };
    }
}

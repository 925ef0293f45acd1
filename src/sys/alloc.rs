//! The C library's allocator.

/// Keeps all threads on one heap. rnc's other threads wait for signals or look up a name; a heap of
/// their own, glibc's default, would cost more memory and time than everything else they do.
pub fn share_one_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt only sets a parameter, and no other thread exists yet.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

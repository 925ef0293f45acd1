//! A kernel that refuses system calls, as old ones and the profiles of containers do: seccomp(2).

use libc::{BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, sock_filter};

/// Where `struct seccomp_data` has the number of the call.
const NUMBER: u32 = 0;
/// Where it has an argument, counted from 0; the lower half.
const fn argument(at: u32) -> u32 {
    let lower = if cfg!(target_endian = "little") { 0 } else { 4 };
    16 + 8 * at + lower
}

/// The call that fails: of this number, and with an argument that is this, or at least this.
#[derive(Clone, Copy)]
pub enum Refused {
    /// The loop cannot wait for this descriptor.
    EpollOf(u32),
    /// The loop cannot wait for this descriptor and those after it.
    EpollFrom(u32),
    /// An ioctl(2) of this kind.
    Ioctl(u32),
}

/// Filters that are installed between fork and exec.
#[derive(Default)]
pub struct Seccomp {
    filters: Vec<Vec<sock_filter>>,
}

impl Seccomp {
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }

    /// These system calls fail with this error.
    pub fn refuse(&mut self, calls: &[libc::c_long], error: i32) {
        let mut filter = vec![load(NUMBER)];
        for call in calls {
            let number = u32::try_from(*call).expect("the number of a system call");
            filter.extend([jump(BPF_JEQ, number, 1), give_error(error)]);
        }
        filter.push(give(libc::SECCOMP_RET_ALLOW));
        self.filters.push(filter);
    }

    /// This kind of a call fails with this error.
    pub fn refuse_kind(&mut self, refused: Refused, error: i32) {
        let (call, at, compare, value) = match refused {
            Refused::EpollOf(fd) => (libc::SYS_epoll_ctl, 2, BPF_JEQ, fd),
            Refused::EpollFrom(fd) => (libc::SYS_epoll_ctl, 2, BPF_JGE, fd),
            Refused::Ioctl(request) => (libc::SYS_ioctl, 1, BPF_JEQ, request),
        };
        let number = u32::try_from(call).expect("the number of a system call");
        self.filters.push(vec![
            load(NUMBER),
            jump(BPF_JEQ, number, 3),
            load(argument(at)),
            jump(compare, value, 1),
            give_error(error),
            give(libc::SECCOMP_RET_ALLOW),
        ]);
    }

    /// Installs the filters for this process. Allocates nothing.
    pub fn install(&self) -> std::io::Result<()> {
        for filter in &self.filters {
            let program = libc::sock_fprog {
                len: u16::try_from(filter.len()).unwrap_or(0),
                filter: filter.as_ptr().cast_mut(),
            };
            // SAFETY: the program points at a filter that lives through the calls, which copy it.
            let failed = unsafe {
                libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
                    || libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) != 0
            };
            if failed {
                return Err(std::io::Error::last_os_error());
            }
        }
        Ok(())
    }
}

fn load(offset: u32) -> sock_filter {
    instruction(BPF_LD | BPF_W | BPF_ABS, 0, offset)
}

/// Goes on if it holds, else leaves out so many instructions.
fn jump(compare: u32, value: u32, otherwise: u8) -> sock_filter {
    instruction(BPF_JMP | compare | BPF_K, otherwise, value)
}

fn give_error(error: i32) -> sock_filter {
    give(libc::SECCOMP_RET_ERRNO | u32::try_from(error).expect("an error"))
}

fn give(action: u32) -> sock_filter {
    instruction(BPF_RET | BPF_K, 0, action)
}

fn instruction(code: u32, jf: u8, k: u32) -> sock_filter {
    let code = u16::try_from(code).expect("an operation code");
    sock_filter { code, jt: 0, jf, k }
}

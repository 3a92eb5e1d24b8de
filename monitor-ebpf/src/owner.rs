//! Whose socket it is: the process that runs right now.

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated::{bpf_get_current_comm, bpf_get_netns_cookie};
use aya_ebpf::helpers::{bpf_get_current_pid_tgid, bpf_get_current_uid_gid};
use monitor_common::event::Owner;

/// For hooks that the kernel runs in the caller's context.
#[inline(always)]
pub(crate) fn owner(ctx: &impl EbpfContext) -> Owner {
    let uid_gid = bpf_get_current_uid_gid();
    let pid_tgid = bpf_get_current_pid_tgid();
    let mut comm = [0u8; 16];
    // SAFETY: the context is live, the buffer has 16 bytes. The name of a running thread can always be read.
    let netns_cookie = unsafe {
        bpf_get_current_comm((&raw mut comm).cast(), 16);
        bpf_get_netns_cookie(ctx.as_ptr())
    };
    Owner {
        netns_cookie,
        tgid: (pid_tgid >> 32) as u32,
        tid: pid_tgid as u32,
        uid: uid_gid as u32,
        gid: (uid_gid >> 32) as u32,
        comm,
    }
}

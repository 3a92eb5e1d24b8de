//! bpf(2) commands that aya does not offer: a mappable inner map, a test run, a verifier's statistics, the state of a link.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};

use aya_obj::generated::bpf_insn;

// Commands and flags of `linux/bpf.h`.
const BPF_MAP_CREATE: i32 = 0;
const BPF_PROG_LOAD: i32 = 5;
const BPF_PROG_TEST_RUN: i32 = 10;
const BPF_OBJ_GET_INFO_BY_FD: i32 = 15;
const BPF_LINK_GET_FD_BY_ID: i32 = 30;
const BPF_MAP_TYPE_ARRAY: u32 = 2;
const BPF_F_MMAPABLE: u32 = 1 << 10;
const BPF_F_INNER_MAP: u32 = 1 << 12;

/// `union bpf_attr`, as 64-bit words; longer than any command here needs.
type Attr = [u64; 18];

const fn words(low: u32, high: u32) -> u64 {
    low as u64 | (high as u64) << 32
}

fn bpf(command: i32, attr: &mut Attr, size: usize) -> io::Result<i64> {
    // SAFETY: `attr` is larger than `size`, and every pointer in it points at memory that outlives the call.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, attr.as_mut_ptr(), size) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Makes an array that can be mapped and can be the inner map of an array of maps (Linux 5.10).
pub(super) fn create_mappable_array(value_bytes: u32, entries: u32) -> io::Result<OwnedFd> {
    let mut attr: Attr = [0; 18];
    // map_type, key_size | value_size, max_entries | map_flags.
    attr[0] = words(BPF_MAP_TYPE_ARRAY, 4);
    attr[1] = words(value_bytes, entries);
    attr[2] = words(BPF_F_MMAPABLE | BPF_F_INNER_MAP, 0);
    let fd = bpf(BPF_MAP_CREATE, &mut attr, 72)?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Loads a program, closes it and gives the statistics that the verifier wrote (BPF_LOG_STATS, Linux 5.2).
pub(super) fn verifier_statistics(
    program_type: u32,
    attach_type: u32,
    insns: &[bpf_insn],
    license: &CStr,
) -> io::Result<String> {
    const BPF_LOG_STATS: u32 = 4;
    let mut log = [0u8; 1024];
    let mut attr: Attr = [0; 18];
    // prog_type, insn_cnt | insns | license | log_level, log_size | log_buf, and from 64 on prog_ifindex, expected_attach_type.
    attr[0] = words(program_type, insns.len() as u32);
    attr[1] = insns.as_ptr() as u64;
    attr[2] = license.as_ptr() as u64;
    attr[3] = words(BPF_LOG_STATS, log.len() as u32);
    attr[4] = log.as_mut_ptr() as u64;
    attr[8] = words(0, attach_type);
    let fd = bpf(BPF_PROG_LOAD, &mut attr, 72)?;
    // SAFETY: the kernel has just made this descriptor for us.
    drop(unsafe { OwnedFd::from_raw_fd(fd as RawFd) });
    let text = CStr::from_bytes_until_nul(&log).map_err(io::Error::other)?;
    Ok(text.to_string_lossy().into_owned())
}

/// Runs a `cgroup_skb` program on one packet, which begins with an Ethernet header; gives its return value.
pub(super) fn test_run(program: BorrowedFd<'_>, packet: &[u8]) -> io::Result<u32> {
    let mut attr: Attr = [0; 18];
    // prog_fd | retval, data_size_in | out, data_in, data_out, repeat | duration.
    attr[0] = words(program.as_raw_fd() as u32, 0);
    attr[1] = words(packet.len() as u32, 0);
    attr[2] = packet.as_ptr() as u64;
    attr[4] = words(1, 0);
    bpf(BPF_PROG_TEST_RUN, &mut attr, 80)?;
    Ok((attr[0] >> 32) as u32)
}

/// Whether a link to a cgroup is still attached. One that somebody detached has no cgroup any more
/// (`bpf_cgroup_link_fill_link_info`, Linux 5.7).
pub(super) fn is_attached(link: u32) -> io::Result<bool> {
    let mut attr: Attr = [0; 18];
    // link_id.
    attr[0] = words(link, 0);
    let fd = bpf(BPF_LINK_GET_FD_BY_ID, &mut attr, 72)?;
    // SAFETY: the kernel has just made this descriptor for us.
    let fd = unsafe { OwnedFd::from_raw_fd(fd as RawFd) };
    // type, id | prog_id | cgroup_id | attach_type.
    let mut info = [0u64; 4];
    let mut attr: Attr = [0; 18];
    // bpf_fd, info_len | info.
    attr[0] = words(fd.as_raw_fd() as u32, size_of_val(&info) as u32);
    attr[1] = info.as_mut_ptr() as u64;
    bpf(BPF_OBJ_GET_INFO_BY_FD, &mut attr, 72)?;
    Ok(info[2] != 0)
}

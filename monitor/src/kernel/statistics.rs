//! How many instructions the verifier goes through for a program, from the statistics in its log: for kernels that do not
//! tell it with the program.
//!
//! aya keeps no log of a program that the kernel accepts. So the object is linked a second time, against the maps that are
//! there, and each program is loaded once more with a log.

use std::collections::HashSet;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};

use aya::maps::Map;
use aya_obj::generated::bpf_attach_type;
use aya_obj::generated::bpf_prog_type::{
    self, BPF_PROG_TYPE_CGROUP_SKB, BPF_PROG_TYPE_CGROUP_SOCK, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_PROG_TYPE_SOCK_OPS,
};
use aya_obj::{Object, ProgramSection};

use super::bpf;

/// An object whose instructions are ready for the kernel.
pub(super) struct Linked {
    object: Object,
}

impl Linked {
    /// Links an object against maps that were made for it.
    pub(super) fn new<'a>(bytes: &[u8], maps: impl Iterator<Item = (&'a str, &'a Map)>) -> io::Result<Self> {
        let mut object = Object::parse(bytes).map_err(io::Error::other)?;
        let described = std::mem::take(&mut object.maps);
        let made = maps.filter_map(|(name, map)| Some((name, descriptor(map)?.as_raw_fd(), described.get(name)?)));
        let sections: HashSet<usize> = object.functions.keys().map(|(section, _)| *section).collect();
        object.relocate_maps(made, &sections).map_err(io::Error::other)?;
        object.relocate_calls(&sections).map_err(io::Error::other)?;
        Ok(Self { object })
    }

    /// Loads a program, reads the statistics and gives it up again.
    pub(super) fn verified_insns(&self, name: &str) -> io::Result<u32> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "the object has no such program");
        let program = self.object.programs.get(name).ok_or_else(missing)?;
        let function = self.object.functions.get(&program.function_key()).ok_or_else(missing)?;
        let (kind, attach) = kind(&program.section)?;
        let log = bpf::verifier_statistics(kind as u32, attach, &function.instructions, &program.license)?;
        processed(&log).ok_or_else(|| io::Error::other(format!("the verifier's log has no count: {log}")))
    }
}

/// Of the types of maps that the object has.
fn descriptor(map: &Map) -> Option<BorrowedFd<'_>> {
    match map {
        Map::Array(map)
        | Map::ArrayOfMaps(map)
        | Map::HashMap(map)
        | Map::LpmTrie(map)
        | Map::LruHashMap(map)
        | Map::PerCpuArray(map)
        | Map::PerCpuHashMap(map)
        | Map::ProgramArray(map)
        | Map::RingBuf(map)
        | Map::SkStorage(map)
        | Map::SockHash(map)
        | Map::Unsupported(map) => Some(map.fd().as_fd()),
        _ => None,
    }
}

/// One arm for each type of program that the object has, with what the kernel calls both type and place.
fn kind(section: &ProgramSection) -> io::Result<(bpf_prog_type, u32)> {
    match section {
        ProgramSection::CgroupSkb { attach_type } => {
            let attach = attach_type.map_or(0, |attach| bpf_attach_type::from(attach) as u32);
            Ok((BPF_PROG_TYPE_CGROUP_SKB, attach))
        }
        ProgramSection::CgroupSock { attach_type } => {
            Ok((BPF_PROG_TYPE_CGROUP_SOCK, bpf_attach_type::from(*attach_type) as u32))
        }
        ProgramSection::CgroupSockAddr { attach_type } => {
            Ok((BPF_PROG_TYPE_CGROUP_SOCK_ADDR, bpf_attach_type::from(*attach_type) as u32))
        }
        ProgramSection::SockOps => Ok((BPF_PROG_TYPE_SOCK_OPS, bpf_attach_type::BPF_CGROUP_SOCK_OPS as u32)),
        other => Err(io::Error::new(io::ErrorKind::Unsupported, format!("programs of the type {other:?}"))),
    }
}

/// The number in `processed N insns (limit …) …`.
fn processed(log: &str) -> Option<u32> {
    let (_, rest) = log.split_once("processed ")?;
    rest.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_the_statistics() {
        let log =
            "verification time 12 usec\nstack depth 0\nprocessed 169139 insns (limit 1000000) max_states_per_insn 4\n";
        assert_eq!(processed(log), Some(169_139));
        assert_eq!(processed("stack depth 0\n"), None);
        assert_eq!(processed("processed many insns"), None);
    }
}

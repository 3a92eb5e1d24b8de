//! The kernel object: its programs loaded, joined by the jump table, not yet attached.

use std::io;

use aya::maps::{Array, ArrayOfMaps, HashMap, Map, MapData, MapError, PerCpuArray, ProgramArray, RingBuf};
use aya::programs::{CgroupSkb, CgroupSock, CgroupSockAddr, Program, ProgramError, SockOps};
use aya::{Ebpf, EbpfError, EbpfLoader};
use monitor_common::counter::Counter;
use monitor_common::policy::{Bucket, QuicFlow};
use monitor_common::programs::Callee;

use super::statistics::Linked;
use super::{Error, PolicyTable};

/// Aligned for the ELF reader.
#[repr(C, align(8))]
struct Aligned<T: ?Sized>(T);

static OBJECT: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/monitor-ebpf.o")));

/// Makes the maps; no program is loaded yet.
pub(super) fn open() -> Result<Ebpf, Error> {
    if OBJECT.0.is_empty() {
        return Err(Error::NoObject);
    }
    EbpfLoader::new().load(&OBJECT.0).map_err(|error: EbpfError| Error::Maps(Box::new(error)))
}

/// The object's bytes against its own maps, for the statistics of its programs.
pub(super) fn link(ebpf: &Ebpf) -> io::Result<Linked> {
    Linked::new(&OBJECT.0, ebpf.maps())
}

pub(super) struct Object {
    pub(super) ebpf: Ebpf,
    policy: ArrayOfMaps<MapData, Array<MapData, Bucket>>,
    /// The kernel empties the jump table when its last user-space descriptor is closed.
    _jump: ProgramArray<MapData>,
}

impl Object {
    /// Makes the maps, loads the callees and joins them.
    pub(super) fn load() -> Result<Self, Error> {
        let mut ebpf = open()?;
        let policy = ebpf.take_map("POLICY").ok_or(Error::Object { what: "map POLICY" })?;
        let policy = ArrayOfMaps::try_from(policy).map_err(|source| Error::Map { map: "POLICY", source })?;
        let jump = ebpf.take_map("JUMP").ok_or(Error::Object { what: "map JUMP" })?;
        let on_jump = |source: MapError| Error::Map { map: "JUMP", source };
        let mut jump = ProgramArray::try_from(jump).map_err(on_jump)?;
        for callee in Callee::ALL {
            let program: &mut CgroupSkb = program_mut(&mut ebpf, callee.program())?;
            let refused = |source| Error::Load { program: callee.program(), source: Box::new(source) };
            program.load().map_err(refused)?;
            jump.set(callee as u32, program.fd().map_err(refused)?, 0).map_err(on_jump)?;
        }
        Ok(Self { ebpf, policy, _jump: jump })
    }

    /// A `cgroup_skb` program, loaded.
    pub(super) fn skb(&mut self, name: &'static str) -> Result<&mut CgroupSkb, Error> {
        let program: &mut CgroupSkb = program_mut(&mut self.ebpf, name)?;
        program.load().map_err(|source| Error::Load { program: name, source: Box::new(source) })?;
        Ok(program)
    }

    /// A `cgroup_skb` program that is loaded already.
    pub(super) fn loaded(&self, name: &'static str) -> Result<&CgroupSkb, Error> {
        let program = self.ebpf.program(name).ok_or(Error::Object { what: name })?;
        program.try_into().map_err(|source| Error::Load { program: name, source: Box::new(source) })
    }

    /// A connect program, loaded.
    pub(super) fn sock_addr(&mut self, name: &'static str) -> Result<&mut CgroupSockAddr, Error> {
        let program: &mut CgroupSockAddr = program_mut(&mut self.ebpf, name)?;
        program.load().map_err(|source| Error::Load { program: name, source: Box::new(source) })?;
        Ok(program)
    }

    /// A program for sockets that are made, bound or released, loaded.
    pub(super) fn sock(&mut self, name: &'static str) -> Result<&mut CgroupSock, Error> {
        let program: &mut CgroupSock = program_mut(&mut self.ebpf, name)?;
        program.load().map_err(|source| Error::Load { program: name, source: Box::new(source) })?;
        Ok(program)
    }

    /// A `sock_ops` program, loaded.
    pub(super) fn sock_ops(&mut self, name: &'static str) -> Result<&mut SockOps, Error> {
        let program: &mut SockOps = program_mut(&mut self.ebpf, name)?;
        program.load().map_err(|source| Error::Load { program: name, source: Box::new(source) })?;
        Ok(program)
    }

    /// Replaces the whole policy with one pointer write. When it returns, no program uses the old one any more.
    pub(super) fn set_policy(&mut self, table: &PolicyTable) -> Result<(), Error> {
        let on_policy = |source: MapError| Error::Map { map: "POLICY", source };
        let fd = table.duplicate().map_err(|source| Error::System { what: "duplicate the policy table", source })?;
        let map = Array::try_from(Map::Array(MapData::from_fd(fd).map_err(on_policy)?)).map_err(on_policy)?;
        self.policy.set(0, &map, 0).map_err(on_policy)
    }

    /// Writes the verdict on a QUIC connection.
    pub(super) fn decide_quic(&mut self, flow: QuicFlow, verdict: u32) -> Result<(), Error> {
        let on_quic = |source: MapError| Error::Map { map: "QUIC", source };
        let map = self.ebpf.map_mut("QUIC").ok_or(Error::Object { what: "map QUIC" })?;
        let mut map: HashMap<_, [u64; 5], u32> = HashMap::try_from(map).map_err(on_quic)?;
        map.insert(flow.words(), verdict, 0).map_err(on_quic)
    }

    /// A ring buffer; each can be taken once.
    pub(super) fn take_ring(&mut self, name: &'static str) -> Result<RingBuf<MapData>, Error> {
        let map = self.ebpf.take_map(name).ok_or(Error::Object { what: name })?;
        RingBuf::try_from(map).map_err(|source| Error::Map { map: name, source })
    }

    /// A counter, summed over all CPUs.
    pub(super) fn counter(&self, counter: Counter) -> Result<u64, Error> {
        let on_counters = |source: MapError| Error::Map { map: "COUNTERS", source };
        let map = self.ebpf.map("COUNTERS").ok_or(Error::Object { what: "map COUNTERS" })?;
        let map: PerCpuArray<_, u64> = PerCpuArray::try_from(map).map_err(on_counters)?;
        Ok(map.get(&(counter as u32), 0).map_err(on_counters)?.iter().sum())
    }
}

fn program_mut<'a, P>(ebpf: &'a mut Ebpf, name: &'static str) -> Result<&'a mut P, Error>
where
    &'a mut P: TryFrom<&'a mut Program, Error = ProgramError>,
{
    let program = ebpf.program_mut(name).ok_or(Error::Object { what: name })?;
    program.try_into().map_err(|source| Error::Load { program: name, source: Box::new(source) })
}

//! Attaches the programs to the root of the cgroup2 hierarchy and detaches them, in an order that never leaves a
//! connection half-seen: `connect`, which makes a socket's state, comes last and goes first.
//!
//! Every attachment is a bpf_link (Linux 5.7) held by this process alone: however it ends, the kernel detaches.

use std::fs::File;
use std::io;

use aya::programs::links::{FdLink, LinkError};
use aya::programs::{CgroupAttachMode, CgroupSkbAttachType, ProgramError};
use monitor_common::counter::Counter;
use monitor_common::policy::QuicFlow;

use super::object::Object;
use super::{Destroyer, Error, PolicyTable, Ring, Support, bpf};

/// The kernel side, at work until it is dropped or [detached](Self::detach).
pub struct Attached {
    object: Object,
    /// In the order in which they were attached; the last goes first.
    hooks: Vec<Hook>,
}

struct Hook {
    name: &'static str,
    link: FdLink,
}

/// What the kernel side has counted, in the order of [`Counter::ALL`].
#[derive(Clone, Debug)]
pub struct KernelCounts {
    counts: Vec<(Counter, u64)>,
}

impl KernelCounts {
    /// One counter.
    pub fn of(&self, counter: Counter) -> u64 {
        self.counts.iter().filter(|(each, _)| *each == counter).map(|(_, count)| count).sum()
    }
}

impl Attached {
    /// Loads everything, puts the policy in place, then attaches.
    ///
    /// # Errors
    /// What the kernel refused. Nothing stays attached then.
    pub fn new(support: &Support, policy: &PolicyTable) -> Result<(Self, Ring, Destroyer), Error> {
        let mut object = Object::load()?;
        object.set_policy(policy)?;
        let ring = Ring::new(object.take_ring("EVENTS")?)?;
        let destroyer = Destroyer::start(object.take_ring("DOOMED")?)?;
        let cgroup = File::open(&support.cgroup)
            .map_err(|source: io::Error| Error::Read { path: support.cgroup.clone(), source })?;
        let refused = |program: &'static str| {
            move |source: ProgramError| Error::Attach {
                program,
                cgroup: support.cgroup.clone(),
                source: Box::new(source),
            }
        };
        // On a link, `Single` still lets programs of others run beside ours; `AllowMultiple` is refused (EINVAL).
        let mode = CgroupAttachMode::Single;

        let mut hooks = Vec::new();
        for (name, direction) in
            [("first_bytes", CgroupSkbAttachType::Egress), ("replies", CgroupSkbAttachType::Ingress)]
        {
            let program = object.skb(name)?;
            let id = program.attach(&cgroup, direction, mode).map_err(refused(name))?;
            hooks.push(Hook::new(name, program.take_link(id).map_err(refused(name))?.try_into())?);
        }
        let name = "lifecycle";
        let program = object.sock_ops(name)?;
        let id = program.attach(&cgroup, mode).map_err(refused(name))?;
        hooks.push(Hook::new(name, program.take_link(id).map_err(refused(name))?.try_into())?);
        for name in ["released", "post_bind4", "post_bind6", "created"] {
            let program = object.sock(name)?;
            let id = program.attach(&cgroup, mode).map_err(refused(name))?;
            hooks.push(Hook::new(name, program.take_link(id).map_err(refused(name))?.try_into())?);
        }
        for name in ["sendmsg4", "sendmsg6", "connect4", "connect6"] {
            let program = object.sock_addr(name)?;
            let id = program.attach(&cgroup, mode).map_err(refused(name))?;
            hooks.push(Hook::new(name, program.take_link(id).map_err(refused(name))?.try_into())?);
        }
        Ok((Self { object, hooks }, ring, destroyer))
    }

    /// Each program by its name, and whether it is still attached: who has the privilege can detach what is not theirs.
    pub fn hooks(&self) -> Vec<(&'static str, bool)> {
        self.hooks.iter().map(|hook| (hook.name, hook.is_attached())).collect()
    }

    /// Detaches every program; what they have emitted stays in the ring.
    pub fn detach(&mut self) {
        while self.hooks.pop().is_some() {}
    }

    /// Lets a QUIC connection go on, or not, with one of the verdicts of `monitor_common::policy::quic_flow`.
    ///
    /// # Errors
    /// The map could not be written.
    pub fn decide_quic(&mut self, flow: QuicFlow, verdict: u32) -> Result<(), Error> {
        self.object.decide_quic(flow, verdict)
    }

    /// Reads every counter.
    ///
    /// # Errors
    /// The map could not be read.
    pub fn counts(&self) -> Result<KernelCounts, Error> {
        let read = |counter| Ok((counter, self.object.counter(counter)?));
        Ok(KernelCounts { counts: Counter::ALL.into_iter().map(read).collect::<Result<_, Error>>()? })
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.detach();
    }
}

impl Hook {
    /// aya has another kind of link for kernels before 5.7, which proxysight does not run on.
    fn new(name: &'static str, link: Result<FdLink, LinkError>) -> Result<Self, Error> {
        let link = link.map_err(|_| Error::Object { what: "attachment by bpf_link" })?;
        Ok(Self { name, link })
    }

    /// A kernel that does not tell (it takes CAP_SYS_ADMIN) leaves it at what was done.
    fn is_attached(&self) -> bool {
        let link = self.link.info().map(|info| info.id());
        link.ok().and_then(|link| bpf::is_attached(link).ok()).unwrap_or(true)
    }
}

//! Attaches the programs to the root of the cgroup2 hierarchy and detaches them, in an order that never leaves a
//! connection half-seen: `connect`, which makes a socket's state, comes last and goes first.
//!
//! Every attachment is a bpf_link (Linux 5.7) held by this process alone: however it ends, the kernel detaches.

use std::fs::File;
use std::io;

use aya::programs::cgroup_skb::CgroupSkbLink;
use aya::programs::cgroup_sock::CgroupSockLink;
use aya::programs::cgroup_sock_addr::CgroupSockAddrLink;
use aya::programs::sock_ops::SockOpsLink;
use aya::programs::{CgroupAttachMode, CgroupSkbAttachType, ProgramError};
use monitor_common::counter::Counter;
use monitor_common::policy::QuicFlow;

use super::object::Object;
use super::{Destroyer, Error, PolicyTable, Ring, Support};

/// The kernel side, at work until it is dropped or [detached](Self::detach).
pub struct Attached {
    object: Object,
    links: Option<Links>,
}

struct Links {
    _connect: [CgroupSockAddrLink; 4],
    _lifecycle: SockOpsLink,
    _sock: [CgroupSockLink; 4],
    _skb: [CgroupSkbLink; 2],
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

        let mut skb = |name: &'static str, direction| {
            let program = object.skb(name)?;
            let id = program.attach(&cgroup, direction, mode).map_err(refused(name))?;
            program.take_link(id).map_err(refused(name))
        };
        let skb = [skb("first_bytes", CgroupSkbAttachType::Egress)?, skb("replies", CgroupSkbAttachType::Ingress)?];
        let program = object.sock_ops("lifecycle")?;
        let id = program.attach(&cgroup, mode).map_err(refused("lifecycle"))?;
        let lifecycle = program.take_link(id).map_err(refused("lifecycle"))?;
        let mut sock = |name: &'static str| {
            let program = object.sock(name)?;
            let id = program.attach(&cgroup, mode).map_err(refused(name))?;
            program.take_link(id).map_err(refused(name))
        };
        let sock = [sock("released")?, sock("post_bind4")?, sock("post_bind6")?, sock("created")?];
        let mut connect = |name: &'static str| {
            let program = object.sock_addr(name)?;
            let id = program.attach(&cgroup, mode).map_err(refused(name))?;
            program.take_link(id).map_err(refused(name))
        };
        let connect = [connect("sendmsg4")?, connect("sendmsg6")?, connect("connect4")?, connect("connect6")?];
        let links = Links { _connect: connect, _lifecycle: lifecycle, _sock: sock, _skb: skb };
        Ok((Self { object, links: Some(links) }, ring, destroyer))
    }

    /// Detaches every program; what they have emitted stays in the ring. Fields of `Links` drop in their order.
    pub fn detach(&mut self) {
        self.links = None;
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

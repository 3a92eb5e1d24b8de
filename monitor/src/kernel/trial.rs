//! One message through the kernel programs by BPF_PROG_TEST_RUN, without a socket and without attaching anything: what
//! the differential test compares with the same parsers in user space.

use std::os::fd::AsFd as _;

use aya::maps::{MapData, RingBuf};
use monitor_common::counter::Counter;

use super::object::Object;
use super::{Error, PolicyTable, bpf};

/// The programs, loaded for trial runs.
pub struct Trial {
    object: Object,
    events: RingBuf<MapData>,
}

impl Trial {
    /// Loads the programs with a policy.
    ///
    /// # Errors
    /// What the kernel refused.
    pub fn new(policy: &PolicyTable) -> Result<Self, Error> {
        let mut object = Object::load()?;
        object.set_policy(policy)?;
        let events = object.take_ring("EVENTS")?;
        object.skb("trial")?;
        Ok(Self { object, events })
    }

    /// Sends `message` as the first packet of a connection; `seen` gets each event. The kernel takes packets of up to a page.
    ///
    /// # Errors
    /// The kernel refused the run.
    pub fn run(&mut self, message: &[u8], mut seen: impl FnMut(&[u8])) -> Result<(), Error> {
        let what = "run a program on a packet";
        let refused = |source| Error::Load { program: "trial", source: Box::new(source) };
        let program = self.object.loaded("trial")?.fd().map_err(refused)?;
        bpf::test_run(program.as_fd(), &packet(message)).map_err(|source| Error::System { what, source })?;
        while let Some(record) = self.events.next() {
            seen(&record);
        }
        Ok(())
    }

    /// How often the programs counted something so far.
    ///
    /// # Errors
    /// The kernel does not tell.
    pub fn counter(&self, counter: Counter) -> Result<u64, Error> {
        self.object.counter(counter)
    }
}

/// Ethernet, IPv4 and TCP headers around a payload.
fn packet(payload: &[u8]) -> Vec<u8> {
    const ETHERTYPE_IPV4: [u8; 2] = [8, 0];
    let mut packet = vec![0u8; 12];
    packet.extend(ETHERTYPE_IPV4);
    let len = (40 + payload.len()) as u16;
    packet.extend([0x45, 0]);
    packet.extend(len.to_be_bytes());
    // Id, fragment, TTL, protocol TCP, checksum, source and destination.
    packet.extend([0, 0, 0, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
    // Ports, sequence and acknowledgement numbers, header length 20, no flags, window, checksum, urgent.
    packet.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5 << 4, 0, 0, 0, 0, 0, 0, 0]);
    packet.extend(payload);
    packet
}

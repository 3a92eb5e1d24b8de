//! More requests in one packet than the kernel programs read of one at once: in mode block the packet stays until all of
//! them are read.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Result, ensure};
use monitor_tests::{expect::blocked, sink::Sink};

use crate::{probe::Probe, world::World};

/// More than fit in one run, few enough for TCP to send the packet again so often within a second or two.
const REQUESTS: usize = 12;

fn requests(last: &str) -> Vec<u8> {
    let request = |host: &str| format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let mut all: String = (1..REQUESTS).map(|number| request(&format!("good{number}.example"))).collect();
    all.push_str(&request(last));
    all.into_bytes()
}

#[test]
fn the_last_of_many_requests_in_a_packet_is_read_in_block_mode() -> Result<()> {
    let world = World::new()?;
    let sink = Sink::start(&world.netns, (Ipv4Addr::LOCALHOST, 0).into())?;
    let (daemon, _) = world.blocks_evil()?;
    let ask = |last: &str| -> Result<Probe> {
        let mut probe = Probe::start(&world.netns, SocketAddr::from((Ipv4Addr::LOCALHOST, sink.address().port())))?;
        probe.send(&requests(last))?;
        Ok(probe)
    };
    let probe = ask("evil.example")?;
    daemon.row(&blocked("evil.example").pid(probe.pid()).additional("HostnameSource", "AbsoluteUri"))?;
    let end = probe.end()?;
    ensure!(end == "ConnectionAborted", "the client was told {end}");
    let arrived = sink.wait_for(0, "the connection ends", |connection| connection.ended)?.bytes;
    ensure!(arrived == 0, "{arrived} bytes arrived");
    // The control: a packet of which nothing is blocked gets through.
    let _probe = ask("good.example")?;
    let whole = requests("good.example").len();
    sink.wait_for(1, "every byte arrives", |connection| connection.bytes == whole)?;
    daemon.stop()?;
    Ok(())
}

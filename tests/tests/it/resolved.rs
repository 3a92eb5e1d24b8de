//! What name servers answer: rows of their own, and the name of a connection whose own bytes give none.

use anyhow::Result;
use monitor_tests::client::{curl, run};
use monitor_tests::expect::network;
use monitor_tests::name_server::{LOCAL, NOBODY, NameServer};

use crate::world::World;

#[test]
fn an_answer_over_udp_or_tcp_is_a_row_of_who_asked() -> Result<()> {
    let world = World::new()?;
    let _server = NameServer::start(&world.netns)?;
    let daemon = world.audits()?;
    for (way, protocol) in [("+notcp", "Udp"), ("+tcp", "Tcp")] {
        for (name, rcode) in [(LOCAL.0, "NOERROR"), (NOBODY, "NXDOMAIN")] {
            let dig = run(&world.netns, "dig", &["@127.0.0.1", way, name, "A"])?;
            let answer = network("DnsConnectionInspected")
                .pid(dig.pid)
                .column("Protocol", protocol)
                .column("RemoteIP", "127.0.0.1")
                .column("RemotePort", 53)
                .column("InitiatingProcessFileName", "dig")
                .additional("query", name)
                .additional("qtype_name", "A")
                .additional("rcode_name", rcode);
            daemon.row(&answer)?;
        }
    }
    daemon.stop()?;
    Ok(())
}

#[test]
fn a_connection_without_a_name_has_the_one_that_its_process_asked_for() -> Result<()> {
    let world = World::new()?;
    let _server = NameServer::start(&world.netns)?;
    let daemon = world.audits()?;
    // Telnet says nothing first, and the server waits for a hello.
    let silent = curl(&world.netns, &["--max-time", "1", &format!("telnet://{}:8443", LOCAL.0)])?;
    let row = network("ConnectionSuccess")
        .pid(silent.pid)
        .column("RemoteUrl", LOCAL.0)
        .column("RemoteIP", "127.0.0.1")
        .column("RemotePort", 8443)
        .additional("HostnameSource", "Dns");
    daemon.row(&row)?;
    // Another process that goes to the same address did not ask.
    let other = curl(&world.netns, &["--max-time", "1", "telnet://127.0.0.1:8443"])?;
    daemon.row(&network("ConnectionSuccess").pid(other.pid).column("RemoteUrl", ""))?;
    daemon.stop()?;
    Ok(())
}

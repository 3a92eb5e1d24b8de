//! Clients that begin in clear text and turn to TLS: the hello behind the upgrade has its name, its protocol and its
//! verdict, on a direct connection and inside a tunnel. The clients are those of openssl and curl.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use monitor_common::{
    limits::BUFFER_BYTES,
    wire::{
        Prefix, Work,
        starttls::{Upgrade, upgrade},
    },
};
use monitor_tests::{
    clear_text::{ClearText, PROTOCOLS, Protocol},
    client::{Ran, curl, run, send},
    expect::{audited, blocked, network},
    netns::Netns,
    origin::Ports,
    proxy::Kind,
    row::Row,
    wire::Wire,
};

use crate::world::World;

fn says(message: &[u8]) -> Result<Upgrade> {
    let mut bytes = [0; BUFFER_BYTES];
    bytes.get_mut(..message.len()).context("a message is shorter than the buffer")?.copy_from_slice(message);
    let says = upgrade(&Prefix::new(&bytes, message.len()), &mut Work::new());
    Ok(says)
}

/// A server in clear text in front of the origin's TLS.
fn server(netns: &Netns, protocol: Protocol) -> Result<ClearText> {
    ClearText::start(netns, protocol, SocketAddr::from((Ipv4Addr::LOCALHOST, Ports::default().tls)))
}

/// Runs openssl's client, which asks for TLS as the protocol has it and then for `name`.
fn client(netns: &Netns, protocol: Protocol, way: &[&str], name: &str) -> Result<Ran> {
    let arguments = ["s_client", "-starttls", protocol.name, "-servername", name, "-brief"];
    run(netns, "openssl", &[&arguments[..], way].concat())
}

fn was_upgraded(ran: &Ran) -> Result<()> {
    ensure!(ran.status == 0 && ran.stderr.contains("CN = good.example"), "there was no TLS: {ran:#?}");
    Ok(())
}

fn was_cut_off(ran: &Ran) -> Result<()> {
    ensure!(ran.status != 0 && ran.stderr.contains("errno=103"), "not cut off with ECONNABORTED: {ran:#?}");
    ensure!(ran.took < Duration::from_secs(5), "the client hung before it failed: {ran:#?}");
    Ok(())
}

/// The row tells the protocol, by another name than openssl's here and there; ManageSieve's words are those of several.
fn tells_service(row: &Row, protocol: Protocol) -> Result<()> {
    let expected = match protocol.name {
        "postgres" => Some("postgresql"),
        "sieve" => None,
        name => Some(name),
    };
    let told = row.additional("service").map(|service| service.as_str().unwrap_or("not text"));
    ensure!(told == expected, "the service is {told:?} and not {expected:?}: {row}");
    Ok(())
}

#[test]
fn a_real_client_asks_for_tls_in_words_that_the_parser_knows() -> Result<()> {
    let world = World::new()?;
    for protocol in PROTOCOLS {
        let server = server(&world.netns, protocol)?;
        was_upgraded(&client(&world.netns, protocol, &["-connect", &server.address().to_string()], "good.example")?)?;
        let heard = server.heard();
        let (last, before) = heard.split_last().context("a client that was upgraded asked for it")?;
        ensure!(says(last)? == Upgrade::Requested(last.len()), "{}: {}", protocol.name, last.escape_ascii());
        for message in before {
            ensure!(
                says(message)? == Upgrade::Continue(message.len()),
                "{}: {}",
                protocol.name,
                message.escape_ascii()
            );
        }
    }
    Ok(())
}

#[test]
fn a_hello_behind_an_upgrade_is_named_and_judged_with_its_protocol() -> Result<()> {
    let world = World::new()?;
    let (daemon, line) = world.audits_evil()?;
    for protocol in PROTOCOLS {
        let server = server(&world.netns, protocol)?;
        let ran = client(&world.netns, protocol, &["-connect", &server.address().to_string()], "evil.example")?;
        was_upgraded(&ran)?;
        let port = server.address().port();
        let named = network("SslConnectionInspected").pid(ran.pid).column("RemoteUrl", "evil.example");
        let named = named.additional("server_name", "evil.example").column("RemotePort", port);
        tells_service(&daemon.row(&named.additional("HostnameSource", "TlsSni"))?, protocol)?;
        let verdict = audited("evil.example").pid(ran.pid).additional("IndicatorSource", line.as_str());
        tells_service(&daemon.row(&verdict)?, protocol)?;
    }
    daemon.stop()?;
    Ok(())
}

#[test]
fn a_hello_without_a_name_behind_an_upgrade_tells_its_protocol() -> Result<()> {
    let world = World::new()?;
    let daemon = world.audits()?;
    for protocol in PROTOCOLS.into_iter().filter(|protocol| protocol.name == "imap") {
        let server = server(&world.netns, protocol)?;
        let arguments = ["s_client", "-starttls", protocol.name, "-noservername", "-brief", "-connect"];
        let ran = run(&world.netns, "openssl", &[&arguments[..], &[&server.address().to_string()]].concat())?;
        was_upgraded(&ran)?;
        let row = daemon.row(&network("SslConnectionInspected").pid(ran.pid))?;
        ensure!(row.additional("server_name").is_none(), "a name that nobody gave: {row}");
        tells_service(&row, protocol)?;
    }
    daemon.stop()?;
    Ok(())
}

#[test]
fn a_blocked_hello_behind_an_upgrade_does_not_leave() -> Result<()> {
    let world = World::new()?;
    let (daemon, line) = world.blocks_evil()?;
    for protocol in PROTOCOLS {
        let server = server(&world.netns, protocol)?;
        let wire = Wire::to_port(&world.netns, server.address().port())?;
        let ran = client(&world.netns, protocol, &["-connect", &server.address().to_string()], "www.evil.example")?;
        was_cut_off(&ran).context(protocol.name)?;

        // Packets come in order: when this one is seen, all before are.
        let mut control = world.netns.connect(server.address())??;
        let control_port = control.local_addr()?.port();
        send(&mut control, b"control")?;
        wire.wait_for_payload_from(control_port)?;
        let heard: usize = server.heard().iter().map(Vec::len).sum();
        let packets = wire.stop()?;
        let left: usize =
            packets.iter().filter(|packet| packet.from_port != control_port).map(|packet| packet.payload).sum();
        ensure!(left == heard, "{}: {left} bytes left, and {heard} were in clear text", protocol.name);

        let verdict = blocked("www.evil.example").pid(ran.pid).additional("IndicatorSource", line.as_str());
        tells_service(&daemon.row(&verdict)?, protocol)?;
    }
    let account = daemon.stop()?;
    account.has(0, &network("ConnectionSuccess").column("RemoteUrl", "www.evil.example"))
}

/// openssl's client for PostgreSQL, curl for SMTP: what the proxy sends together with its answer is lost to openssl, so it
/// waits for a server that speaks first.
fn tunnelled(netns: &Netns, protocol: Protocol, proxy: u16, target: u16, name: &str) -> Result<Ran> {
    let proxy = format!("127.0.0.1:{proxy}");
    if protocol.name == "smtp" {
        let (url, to) = (format!("smtp://{name}:{target}"), format!("{name}:{target}:good.example:{target}"));
        return curl(netns, &["-p", "-x", &format!("http://{proxy}"), "--ssl-reqd", "--connect-to", &to, &url]);
    }
    client(netns, protocol, &["-proxy", &proxy, "-connect", &format!("good.example:{target}")], name)
}

#[test]
fn an_upgrade_inside_a_tunnel_is_followed() -> Result<()> {
    let world = World::new()?;
    let proxy = world.proxy(Kind::Squid)?;
    let (daemon, line) = world.blocks_evil()?;
    for protocol in PROTOCOLS.into_iter().filter(|protocol| ["postgres", "smtp"].contains(&protocol.name)) {
        for (name, is_blocked) in [("good.example", false), ("evil.example", true)] {
            let server = server(&world.netns, protocol)?;
            let ran = tunnelled(&world.netns, protocol, proxy.port(), server.address().port(), name)?;
            ensure!(ran.took < Duration::from_secs(5), "the client hung: {ran:#?}");
            if is_blocked {
                let abort = ["errno=103", "Software caused connection abort"];
                ensure!(abort.iter().any(|abort| ran.stderr.contains(abort)), "not cut off: {ran:#?}");
                let verdict = blocked(name).pid(ran.pid).additional("IndicatorSource", line.as_str());
                tells_service(&daemon.row(&verdict.additional("ProxyPort", proxy.port()))?, protocol)?;
            } else {
                let named = network("SslConnectionInspected").pid(ran.pid).additional("server_name", name);
                tells_service(&daemon.row(&named.additional("ProxyPort", proxy.port()))?, protocol)?;
            }
        }
    }
    daemon.stop()?;
    Ok(())
}

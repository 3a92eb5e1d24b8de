//! Datagrams that user space reads: QUIC Initials on their way out, answers of name servers on their way in.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};

use anyhow::{Context as _, Result, ensure};
use monitor_common::policy::{QuicFlow, quic_flow};
use rustix::net::sockopt::socket_cookie;

use super::world::{World, is_ours};
use crate::message::{QUIC_SOURCE, quic_initial};
use crate::watch::{PATIENCE, Said};

/// A port of `domain` (RFC 1035 section 4.2).
const DNS_PORT: u16 = 53;

pub(super) fn initial_passes(world: &World) -> Result<()> {
    initial_then_text(world, true)
}

/// Nobody gives a verdict here, so it waits for ever.
pub(super) fn initial_waits(world: &World) -> Result<()> {
    initial_then_text(world, false)
}

/// A first Initial waits; sent again, it goes as user space has decided.
pub(super) fn initial_obeys_its_verdict(world: &World) -> Result<()> {
    for (verdict, passes) in [(quic_flow::ALLOWED, true), (quic_flow::BLOCKED, false)] {
        let (server, client) = (udp(0)?, udp(0)?);
        let (initial, to) = (quic_initial(), server.local_addr()?);
        client.send_to(&initial, to)?;
        told(world, &client, &initial, false)?;
        let mut remote = [0; 16];
        remote.iter_mut().zip(Ipv4Addr::LOCALHOST.octets()).for_each(|(byte, octet)| *byte = octet);
        world.kernel.decide_quic(QuicFlow::new(socket_cookie(&client)?, &QUIC_SOURCE, &remote, to.port()), verdict)?;
        match client.send_to(&initial, to) {
            Ok(_) => ensure!(passes, "the sender of a blocked Initial did not hear of it"),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                ensure!(!passes, "an allowed one was dropped")
            }
            Err(error) => return Err(error).context("send the Initial again"),
        }
        client.send_to(b"text", to)?;
        let first = receive(&server)?;
        let expected = if passes { initial.as_slice() } else { b"text" };
        ensure!(first == expected, "{} bytes arrived first, and {} had to", first.len(), expected.len());
    }
    Ok(())
}

/// An Initial, and behind it a datagram that is none: datagrams to one socket keep their order on the loopback device, so
/// what arrives first tells whether the Initial passed.
fn initial_then_text(world: &World, passes: bool) -> Result<()> {
    let (server, client) = (udp(0)?, udp(0)?);
    let initial = quic_initial();
    client.send_to(&initial, server.local_addr()?)?;
    client.send_to(b"text", server.local_addr()?)?;
    told(world, &client, &initial, false)?;
    let first = receive(&server)?;
    let expected = if passes { initial.as_slice() } else { b"text" };
    ensure!(first == expected, "{} bytes arrived first, and {} had to", first.len(), expected.len());
    Ok(())
}

pub(super) fn name_server_answer(world: &World) -> Result<()> {
    let (server, client) = (udp(DNS_PORT)?, udp(0)?);
    client.connect(server.local_addr()?)?;
    client.send(b"question")?;
    receive(&server)?;
    server.send_to(b"an answer", client.local_addr()?)?;
    ensure!(receive(&client)? == b"an answer", "another answer came");
    told(world, &client, b"an answer", true)
}

fn told(world: &World, client: &UdpSocket, datagram: &[u8], inbound: bool) -> Result<()> {
    let origin = world.kernel.watch.wait(socket_cookie(client)?, "the datagram", |said| {
        said.iter().find_map(|said| match said {
            Said::Datagram { origin, is_inbound, payload } if payload == datagram && *is_inbound == inbound => {
                Some(*origin)
            }
            _ => None,
        })
    })?;
    is_ours(&origin.owner)?;
    ensure!(origin.endpoints.local_port == client.local_addr()?.port(), "the ends are {:?}", origin.endpoints);
    Ok(())
}

fn udp(port: u16) -> Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).context("bind a UDP socket")?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket)
}

fn receive(socket: &UdpSocket) -> Result<Vec<u8>> {
    let mut buffer = [0; 2_048];
    let (len, _) = socket.recv_from(&mut buffer).context("wait for a datagram")?;
    Ok(buffer.get(..len).context("a long datagram")?.to_vec())
}

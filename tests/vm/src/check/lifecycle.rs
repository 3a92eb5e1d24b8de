//! Connections that come to nothing, connections that come in, sockets that wait for them.

use std::net::{Ipv4Addr, TcpListener, TcpStream};

use anyhow::{Context as _, Result, ensure};
use monitor_common::event::Reason;
use rustix::net::sockopt::socket_cookie;
use rustix::net::{AddressFamily, SocketAddrV4, SocketType, connect, ipproto, socket};

use super::world::{World, is_ours};
use crate::client::Client;
use crate::watch::Said;

pub(super) fn refused(world: &World) -> Result<()> {
    // A port that nobody waits at any more.
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    let cookie = socket_cookie(&socket)?;
    let result = connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port));
    ensure!(result == Err(rustix::io::Errno::CONNREFUSED), "the caller got {result:?}");
    let (origin, reason) = world.kernel.watch.wait(cookie, "that the connection failed", |said| match said.last() {
        Some(Said::Failed(origin, reason)) => Some((*origin, *reason)),
        _ => None,
    })?;
    is_ours(&origin.owner)?;
    ensure!((reason, origin.endpoints.remote_port) == (Reason::Refused, port), "it failed by {reason:?}: {origin:?}");
    Ok(())
}

pub(super) fn listening_and_accepted(world: &World) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let (cookie, server) = (socket_cookie(&listener)?, listener.local_addr()?);
    let origin = world.kernel.watch.wait(cookie, "that a socket waits", |said| match said.first() {
        Some(Said::Listening(origin)) => Some(*origin),
        _ => None,
    })?;
    is_ours(&origin.owner)?;
    ensure!(origin.endpoints.local_port == server.port(), "it waits at {origin:?}");
    let client = Client::to(server)?;
    let (_accepted, from): (TcpStream, _) = listener.accept().context("accept")?;
    ensure!(from == client.address, "another client came");
    world.kernel.watch.wait_for_any("that the connection came in", |said| match said {
        Said::Accepted(origin) => {
            let ends = (origin.endpoints.local_port, origin.endpoints.remote_port);
            (ends == (server.port(), from.port())).then_some(())
        }
        _ => None,
    })
}

pub(super) fn raw_socket(world: &World) -> Result<()> {
    let socket = socket(AddressFamily::INET6, SocketType::RAW, Some(ipproto::ICMPV6))?;
    let told = |said: &[Said]| match said.first() {
        Some(Said::RawSocket(origin, protocol)) => Some((*origin, *protocol)),
        _ => None,
    };
    let (origin, protocol) = world.kernel.watch.wait(socket_cookie(&socket)?, "that a raw socket was made", told)?;
    is_ours(&origin.owner)?;
    ensure!((origin.endpoints.family, protocol) == (6, 58), "protocol {protocol}: {origin:?}");
    Ok(())
}

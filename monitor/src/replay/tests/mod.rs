//! Captures made by hand, and the events that they become.

mod answers;
mod build;
mod files;
mod links;
mod mutated;
mod parts;
mod talks;
mod tunnels;

use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::Path;

use build::{Talk, connect, hello, ip_packets, pcap};
use monitor_common::event::{Body, decode};
use monitor_common::policy::{Mode, OnMismatch, Orders, Verdict};

use super::capture::{Capture, Error};
use super::{Reason, Replay, Report};
use crate::decide::{Policy, PolicyBuilder};

/// What a capture gave.
struct Got {
    events: Vec<String>,
    /// Names that are not the one which the proxy was asked for.
    mismatches: u32,
    report: Report,
    error: Option<Error>,
}

/// Rules for `evil.example` and everything below it.
fn policy() -> Policy {
    let mut builder = PolicyBuilder::default();
    assert_eq!(builder.add_list(Path::new("a"), b"other.example\nevil.example\n=only.example\n"), []);
    builder.build()
}

fn replay_in(orders: impl Into<Orders>, file: &[u8]) -> Got {
    let mut replay = Replay::new(&policy(), orders);
    let (mut events, mut mismatches) = (Vec::new(), 0);
    let mut tell = |bytes: &[u8]| {
        let event = decode(bytes).unwrap();
        let text = match event.body {
            Body::Established { origin } => {
                format!("established {} > {}", origin.endpoints.local_port, origin.endpoints.remote_port)
            }
            Body::Named { name: [], hello, .. } => format!("hello of {} bytes", hello.len()),
            Body::Named { source, port, in_tunnel, differs, verdict, rule, name, service, .. } => {
                let place = if in_tunnel { " in tunnel" } else { "" };
                let verdict = match (verdict, rule) {
                    (Verdict::Mismatched, _) => format!(" {verdict:?}"),
                    (_, 0) => String::new(),
                    (_, rule) => format!(" {verdict:?} by {rule}"),
                };
                mismatches += u32::from(differs);
                let service = service.map_or_else(String::new, |service| format!(" in {}", service.name()));
                format!("{source:?} {}:{port}{place}{service}{verdict}", name.escape_ascii())
            }
            Body::Replied { bytes, .. } => {
                format!("replied {}", String::from_utf8_lossy(bytes.get(..12).unwrap_or(bytes)).trim_ascii())
            }
            Body::Closed { .. } => "closed".to_owned(),
            Body::Unreadable { verdict, .. } => format!("unreadable {verdict:?}"),
            Body::Failed { reason, .. } => format!("failed {reason:?}"),
            Body::Datagram { origin, is_inbound, is_tcp, payload, .. } => {
                let ends = &origin.endpoints;
                let what = if is_inbound { "answer" } else { "Initial" };
                let over = if is_tcp { " by TCP" } else { "" };
                format!("{what} of {} bytes{over} {} > {}", payload.len(), ends.local_port, ends.remote_port)
            }
            Body::Attempted { .. }
            | Body::Accepted { .. }
            | Body::Listening { .. }
            | Body::RawSocket { .. }
            | Body::Doomed { .. } => {
                format!("{:?}", event.body)
            }
        };
        events.push(text);
    };
    let error = match Capture::new(Cursor::new(file.to_vec())) {
        Ok(mut capture) => capture
            .each(|packet| {
                replay.packet(packet, &mut tell);
                ControlFlow::Continue(())
            })
            .err(),
        Err(error) => Some(error),
    };
    let report = replay.finish(&mut tell);
    Got { events, mismatches, report, error }
}

fn replay(file: &[u8]) -> Got {
    replay_in(Mode::Audit, file)
}

/// The events of packets without any link header.
fn check(packets: &[Vec<u8>], events: &[&str]) -> Report {
    let got = replay(&pcap(build::RAW, packets));
    assert_eq!(got.events, events);
    assert!(got.error.is_none(), "{:?}", got.error);
    got.report
}

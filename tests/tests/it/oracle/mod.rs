//! The names that `proxysight replay` finds in a capture of a thousand mixed flows are those that tshark and ndpiReader find.
//! Where ndpiReader tells less, a rule says why; no other difference is allowed.

mod ndpi;
mod traffic;
mod tshark;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail, ensure};
use monitor_tests::{capture::Captured, row::Row};

use crate::{
    replay::{replay, stop},
    world::World,
};

/// One flow by its ports. No port is used twice: tshark takes a connection with the ports of an earlier one for the rest of
/// that.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Flow {
    protocol: Protocol,
    client: u16,
    server: u16,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Protocol {
    Tcp,
    Udp,
}

impl Flow {
    /// Every server here has a lower port than every client.
    fn new(protocol: Protocol, one: u16, other: u16) -> Self {
        Self { protocol, client: one.max(other), server: one.min(other) }
    }
}

/// The names of each flow, with where they were found: a `HostnameSource`, or `Query`.
type Names = BTreeMap<Flow, BTreeSet<(String, String)>>;

fn of_rows(rows: &[Row]) -> Result<Names> {
    let mut names = Names::new();
    for row in rows {
        let protocol = if row.text("Protocol")? == "Tcp" { Protocol::Tcp } else { Protocol::Udp };
        let port = |value: Option<&serde_json::Value>| -> Result<u16> {
            Ok(u16::try_from(value.and_then(serde_json::Value::as_u64).context("a row without a port")?)?)
        };
        let server = row.additional("ProxyPort").or(row.column("RemotePort"));
        let flow = Flow::new(protocol, port(row.column("LocalPort"))?, port(server)?);
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned).context("a name in text");
        if let Some(query) = row.additional("query") {
            names.entry(flow).or_default().insert(("Query".to_owned(), text(query)?));
        }
        if let Some(source) = row.additional("HostnameSource") {
            names.entry(flow).or_default().insert((text(source)?, row.text("RemoteUrl")?.to_owned()));
        }
    }
    Ok(names)
}

fn differences<'a>(here: &'a Names, there: &'a Names) -> Vec<(Flow, &'a (String, String))> {
    let none = BTreeSet::new();
    let each = |(flow, names): (&'a Flow, &'a BTreeSet<_>)| names.iter().map(move |name| (*flow, name));
    let missing = move |(flow, name): &(Flow, &'a (String, String))| !there.get(flow).unwrap_or(&none).contains(*name);
    here.iter().flat_map(each).filter(missing).collect()
}

/// Records until no port of a QUIC connection was given to another one: where that happens is the system's choice.
fn record() -> Result<(Captured, Names, String)> {
    for _ in 0..5 {
        let world = World::new()?;
        let captured = stop(traffic::record(&world)?, &world)?;
        let (rows, talk) = replay(&captured.path(), &[], 0)?;
        let ours = of_rows(&rows)?;
        let is_quic = |(source, _): &&(String, String)| source == "QuicSni";
        if ours.values().all(|names| names.iter().filter(is_quic).count() < 2) {
            return Ok((captured, ours, talk));
        }
    }
    bail!("each of five captures has a port that was used twice")
}

#[test]
fn names_are_those_that_tshark_and_ndpi_find() -> Result<()> {
    let (captured, ours, talk) = record()?;
    let tshark = tshark::names(&captured.path())?;
    let (missed, invented) = (differences(&tshark, &ours), differences(&ours, &tshark));
    ensure!(missed.is_empty() && invented.is_empty(), "only tshark: {missed:#?}\nonly replay: {invented:#?}\n{talk}");
    let seen = ndpi::names(&captured.path())?;
    let (none, mut explained) = (BTreeSet::new(), BTreeMap::<&str, usize>::new());
    for flow in seen.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
        let here = ours.get(flow).unwrap_or(&none);
        let rule = match seen.get(flow) {
            // It has one name for each flow.
            Some(name) if here.iter().any(|(_, each)| each == name) => continue,
            Some(_) => None,
            None => ndpi::explanation(*flow, here),
        };
        let rule = rule.with_context(|| format!("{flow:?}: replay {here:?}, ndpiReader {:?}", seen.get(flow)))?;
        *explained.entry(rule).or_default() += 1;
    }
    ensure!(explained == BTreeMap::from(ndpi::EXPLAINED), "not as often as the rules are meant for: {explained:#?}");
    let total: usize = ours.values().map(BTreeSet::len).sum();
    ensure!(ours.len() >= traffic::FLOWS_MIN, "only {} flows", ours.len());
    println!("{total} names of {} flows, one each of {} for ndpiReader; {talk}", ours.len(), seen.len());
    Ok(())
}

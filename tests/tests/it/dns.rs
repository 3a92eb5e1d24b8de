//! A real name server and real clients, without a daemon: what dig prints is what the daemon's reader of DNS messages
//! finds in the same answers.

use std::{
    collections::BTreeSet,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr},
};

use anyhow::{Context as _, Result, ensure};
use monitor::dns::{Data, Response, tcp_messages};
use monitor_tests::{
    client::run,
    name_server::{ALIAS, HOST, LOCAL, NOBODY, NameServer, SERVICE},
    netns::Netns,
    wait::PATIENCE,
};

const SERVER: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 53);
const A: u16 = 1;
const AAAA: u16 = 28;
const HTTPS: u16 = 65;

/// A query for one name (RFC 1035 section 4.1).
fn query(name: &str, qtype: u16) -> Result<Vec<u8>> {
    let mut message: Vec<u8> = [0x1234, 0x0100, 1, 0, 0, 0].into_iter().flat_map(u16::to_be_bytes).collect();
    for label in name.split('.') {
        message.push(u8::try_from(label.len())?);
        message.extend(label.bytes());
    }
    message.push(0);
    message.extend([qtype.to_be_bytes(), [0, 1]].concat());
    Ok(message)
}

fn ask(netns: &Netns, name: &str, qtype: u16) -> Result<Response> {
    let socket = netns.datagrams()?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.send_to(&query(name, qtype)?, SERVER)?;
    let mut answer = [0; 4096];
    let bytes = socket.recv(&mut answer)?;
    Ok(Response::parse(answer.get(..bytes).context("a datagram is as long as the buffer or shorter")?)?)
}

fn ask_by_tcp(netns: &Netns, names: &[&str]) -> Result<Vec<Response>> {
    let mut stream = netns.connect(SocketAddr::from(SERVER))??;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut answers = Vec::new();
    for name in names {
        let query = query(name, A)?;
        stream.write_all(&[&u16::try_from(query.len())?.to_be_bytes()[..], &query].concat())?;
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut message)?;
        answers.extend([&length[..], &message].concat());
    }
    tcp_messages(&answers).map(|message| Ok(Response::parse(message?)?)).collect()
}

fn addresses(response: &Response) -> BTreeSet<String> {
    response.addresses().into_iter().map(|(address, _)| address.to_string()).collect()
}

/// The lines that dig prints.
fn dig(netns: &Netns, arguments: &[&str]) -> Result<BTreeSet<String>> {
    let ran = run(netns, "dig", &[&["@127.0.0.1", "+short"], arguments].concat())?;
    ensure!(ran.status == 0, "{ran:#?}");
    Ok(ran.stdout.lines().map(str::to_owned).collect())
}

#[test]
fn addresses_are_those_that_dig_prints() -> Result<()> {
    let netns = Netns::new()?;
    let _server = NameServer::start(&netns)?;
    for (name, qtype, word) in [(HOST.0, A, "A"), (HOST.0, AAAA, "AAAA"), (LOCAL.0, A, "A"), (NOBODY, A, "A")] {
        let response = ask(&netns, name, qtype)?;
        ensure!(response.query.as_str() == name && response.qtype_name == word, "{response:?}");
        ensure!(addresses(&response) == dig(&netns, &[name, word])?, "{response:?}");
    }
    let v4: BTreeSet<String> =
        HOST.1.iter().filter(|address| !address.contains(':')).map(|a| (*a).to_owned()).collect();
    ensure!(addresses(&ask(&netns, HOST.0, A)?) == v4 && ask(&netns, NOBODY, A)?.rcode_name == "NXDOMAIN");

    // dig prints the name that an alias leads to, too.
    let response = ask(&netns, ALIAS, A)?;
    let mut printed = dig(&netns, &[ALIAS, "A"])?;
    ensure!(printed.remove(&format!("{}.", HOST.0)) && addresses(&response) == printed, "{response:?}");
    ensure!(response.host()?.as_str() == ALIAS && response.addresses().iter().all(|(_, ttl_s)| *ttl_s == 60));

    let by_tcp = ask_by_tcp(&netns, &[HOST.0, ALIAS])?;
    ensure!(by_tcp.len() == 2 && by_tcp.iter().all(|response| addresses(response) == v4), "{by_tcp:?}");
    ensure!(dig(&netns, &["+tcp", HOST.0, "A"])? == v4);
    Ok(())
}

#[test]
fn a_service_is_the_one_that_dig_prints() -> Result<()> {
    let netns = Netns::new()?;
    let _server = NameServer::start(&netns)?;
    let response = ask(&netns, SERVICE.0, HTTPS)?;
    let Some(Data::Service(service)) = response.answers.first().map(|answer| &answer.data) else {
        anyhow::bail!("{response:?}");
    };
    ensure!(service.ech && service.alpn == [b"h2", b"h3"] && service.target.as_str() == SERVICE.0, "{service:?}");
    ensure!(addresses(&response) == SERVICE.1.map(str::to_owned).into());
    let printed = dig(&netns, &[SERVICE.0, "HTTPS"])?;
    let [hint, hint_v6] = SERVICE.1;
    let words = ["alpn=\"h2,h3\"", "ech=3q2+7w==", &format!("ipv4hint={hint}"), &format!("ipv6hint={hint_v6}")];
    ensure!(
        printed.len() == 1 && words.iter().all(|word| printed.iter().all(|line| line.contains(word))),
        "{printed:?}"
    );
    Ok(())
}

#[test]
fn programs_of_the_namespace_ask_its_name_server() -> Result<()> {
    let netns = Netns::new()?;
    // Not `ahosts`: it leaves out addresses of a family that only the loopback device has.
    let before = run(&netns, "getent", &["hosts", LOCAL.0])?;
    ensure!(before.status != 0, "a name was found without a name server: {before:#?}");
    let _server = NameServer::start(&netns)?;
    let ran = run(&netns, "getent", &["hosts", LOCAL.0])?;
    ensure!(ran.status == 0 && ran.stdout.starts_with(LOCAL.1), "{ran:#?}");
    Ok(())
}

//! Clients that begin in clear text and ask for TLS, without a daemon: openssl's own words, and what the parser that
//! kernel and user space share makes of them.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result, ensure};
use monitor_common::{
    limits::BUFFER_BYTES,
    wire::{
        Prefix, Work,
        starttls::{Upgrade, upgrade},
    },
};
use monitor_tests::{
    clear_text::{ClearText, PROTOCOLS},
    client::run,
    netns::Netns,
    origin::{Origin, Ports},
};

fn says(message: &[u8]) -> Result<Upgrade> {
    let mut bytes = [0; BUFFER_BYTES];
    bytes.get_mut(..message.len()).context("a message is shorter than the buffer")?.copy_from_slice(message);
    let says = upgrade(&Prefix::new(&bytes, message.len()), &mut Work::new());
    Ok(says)
}

#[test]
fn a_real_client_asks_for_tls_in_words_that_the_parser_knows() -> Result<()> {
    let netns = Netns::new()?;
    let ports = Ports::default();
    let _origin = Origin::start(&netns, ports)?;
    for protocol in PROTOCOLS {
        let server = ClearText::start(&netns, protocol, SocketAddr::from((Ipv4Addr::LOCALHOST, ports.tls)))?;
        let address = server.address().to_string();
        let arguments = ["s_client", "-starttls", protocol.name, "-connect", &address, "-servername", "good.example"];
        let ran = run(&netns, "openssl", &[&arguments[..], &["-brief"]].concat())?;
        ensure!(ran.status == 0 && ran.stderr.contains("CN = good.example"), "{}: {ran:#?}", protocol.name);
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

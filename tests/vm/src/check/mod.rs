//! The checks: a table, and one function for each. To add one, write `fn(&World) -> Result<()>` in a file of this folder
//! and give it a line.

mod audit;
mod block;
mod datagram;
mod direct;
mod lifecycle;
mod mismatch;
mod proxied;
mod socks;
mod starttls;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Result, anyhow};
use monitor_common::policy::{Mode, OnMismatch, Orders};

use self::world::World;
use crate::tell;

/// A sentence, and the function that shows it.
struct Check {
    name: &'static str,
    mode: Mode,
    run: fn(&World) -> Result<()>,
}

const fn check(mode: Mode, name: &'static str, run: fn(&World) -> Result<()>) -> Check {
    Check { name, mode, run }
}

/// In the order in which they run; those of one mode share one attachment.
const CHECKS: &[Check] = &[
    check(Mode::Block, "a tunnel is named by its authority and its inner hello, IPv4", proxied::tunnel_v4),
    check(Mode::Block, "a tunnel is named by its authority and its inner hello, IPv6", proxied::tunnel_v6),
    check(Mode::Block, "an inner hello in pieces is named", proxied::inner_hello_in_pieces),
    check(Mode::Block, "an authority that is an address is reported", proxied::address_as_authority),
    check(Mode::Block, "CONNECT byte by byte is named", proxied::connect_byte_by_byte),
    check(Mode::Block, "a retry after 407 is followed", proxied::retry_with_credentials),
    check(Mode::Block, "a refused tunnel has its status", proxied::refused_tunnel),
    check(Mode::Block, "each request in absolute form is named", proxied::absolute_form),
    check(Mode::Block, "SOCKS5 is named by its request and its inner hello", socks::version_5),
    check(Mode::Block, "SOCKS4a is named by its request and its inner hello", socks::version_4a),
    check(Mode::Block, "a Host field is named", direct::host_field),
    check(Mode::Block, "a hello in one piece is named, IPv4", direct::hello_v4),
    check(Mode::Block, "a hello in one piece is named, IPv6", direct::hello_v6),
    check(Mode::Block, "a hello in pieces is named", direct::hello_in_pieces),
    check(Mode::Block, "a hello cut in two anywhere is named", direct::hello_cut_anywhere),
    check(Mode::Block, "a hello of 16 KiB with the name at its end is named", direct::large_hello),
    check(Mode::Block, "a hello in several records is named", direct::hello_in_records),
    check(Mode::Block, "a blocked CONNECT does not leave, IPv4", block::connect_v4),
    check(Mode::Block, "a blocked CONNECT does not leave, IPv6", block::connect_v6),
    check(Mode::Block, "a blocked CONNECT in two pieces is not completed", block::connect_in_pieces),
    check(Mode::Block, "a blocked request in absolute form does not leave", block::absolute_form),
    check(Mode::Block, "a blocked later request does not leave", block::later_request),
    check(Mode::Block, "a blocked Host does not leave", block::host_field),
    check(Mode::Block, "a blocked hello does not leave, IPv4", block::hello_v4),
    check(Mode::Block, "a blocked hello does not leave, IPv6", block::hello_v6),
    check(Mode::Block, "a blocked hello in pieces is not completed", block::hello_in_pieces),
    check(Mode::Block, "a blocked hello in several records does not leave", block::hello_in_records),
    check(Mode::Block, "a blocked inner hello does not leave", block::inner_hello),
    check(Mode::Block, "a blocked SOCKS request does not leave", socks::blocked),
    check(Mode::Block, "urgent data among the first bytes does not leave", block::urgent_data),
    check(Mode::Block, "a hello behind STARTTLS is named, also after a refusal", starttls::named),
    check(Mode::Block, "a blocked hello behind STARTTLS does not leave", starttls::blocked),
    check(Mode::Block, "a hello behind STARTTLS in a tunnel is named", starttls::in_tunnel),
    check(Mode::Block, "the most specific rule decides", block::rules),
    check(Mode::Block, "no byte of a hundred blocked requests leaves", block::many),
    check(Mode::Block, "a QUIC Initial is told and waits for a verdict", datagram::initial_waits),
    check(Mode::Block, "a QUIC Initial that is sent again obeys its verdict", datagram::initial_obeys_its_verdict),
    check(Mode::Block, "an answer of a name server is told", datagram::name_server_answer),
    check(Mode::Block, "a refused connection is told with its reason", lifecycle::refused),
    check(Mode::Block, "a waiting socket and what it accepts are told", lifecycle::listening_and_accepted),
    check(Mode::Block, "a raw socket is told with its protocol", lifecycle::raw_socket),
    check(Mode::Audit, "a QUIC Initial is told and passes in mode audit", datagram::initial_passes),
    check(Mode::Audit, "a listed name passes in mode audit and is reported", audit::listed_names_pass),
];

/// The same where a name inside a tunnel has to be the one that the proxy was asked for.
const MISMATCH_CHECKS: &[Check] = &[
    check(Mode::Block, "another name inside a tunnel does not leave", mismatch::blocked),
    check(Mode::Block, "the same name inside a tunnel passes, and any behind an address", mismatch::ordinary),
];

/// Runs every check and reports each.
pub(crate) fn run_all() {
    for mode in [Mode::Block, Mode::Audit] {
        run(mode.into(), &format!("mode {}", mode.name()), CHECKS.iter().filter(|check| check.mode == mode));
    }
    let mut orders = Orders::from(Mode::Block);
    orders.on_mismatch = OnMismatch::Block;
    run(orders, "mode block with on_mismatch block", MISMATCH_CHECKS.iter());
}

fn run(orders: Orders, words: &str, checks: impl Iterator<Item = &'static Check>) {
    match World::start(orders) {
        Ok(world) => {
            for Check { name, run, .. } in checks {
                // A fault of one check, or of the library in it, must not take the others along.
                let result = catch_unwind(AssertUnwindSafe(|| run(&world)));
                tell(name, result.unwrap_or_else(|_| Err(anyhow!("it panicked; the lines above say where"))));
            }
            tell(&format!("every event is accounted for in {words}"), world.finish());
        }
        Err(failure) => tell(&format!("the programs attach in {words}"), Err(failure)),
    }
}

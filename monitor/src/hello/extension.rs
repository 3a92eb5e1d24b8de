//! The extensions of a ClientHello that are read (RFC 8446 section 4.2), each by the rules of its own RFC.
//!
//! An extension without the form that its RFC gives it is named and otherwise left out; it does not hide the others.

use super::ech::{ENCRYPTED_CLIENT_HELLO, Ech};
use super::{ClientHello, Protocols, ServerName};
use crate::reader::Reader;

/// server_name (RFC 6066 section 3).
pub const SERVER_NAME: u16 = 0;
/// signature_algorithms (RFC 8446 section 4.2.3).
pub const SIGNATURE_ALGORITHMS: u16 = 13;
/// application_layer_protocol_negotiation (RFC 7301).
pub const APPLICATION_LAYER_PROTOCOL_NEGOTIATION: u16 = 16;
/// session_ticket (RFC 5077).
pub const SESSION_TICKET: u16 = 35;
/// pre_shared_key (RFC 8446 section 4.2.11).
pub const PRE_SHARED_KEY: u16 = 41;
/// early_data (RFC 8446 section 4.2.10).
pub const EARLY_DATA: u16 = 42;
/// supported_versions (RFC 8446 section 4.2.1).
pub const SUPPORTED_VERSIONS: u16 = 43;
/// key_share (RFC 8446 section 4.2.8).
pub const KEY_SHARE: u16 = 51;

/// NameType host_name, the only one (RFC 6066 section 3).
const HOST_NAME: u8 = 0;

/// Reads the content of one extension into the hello.
pub(super) fn read(hello: &mut ClientHello, kind: u16, content: Reader<'_>) {
    let understood = match kind {
        SERVER_NAME => server_name(content).map(|name| hello.server_name = Some(name)),
        SIGNATURE_ALGORITHMS => numbers16(content).map(|list| hello.signature_algorithms = list),
        APPLICATION_LAYER_PROTOCOL_NEGOTIATION => Protocols::read(content).map(|list| hello.protocols = list),
        // An empty one only says that the client takes tickets.
        SESSION_TICKET => {
            hello.session_ticket = !content.is_empty();
            Some(())
        }
        SUPPORTED_VERSIONS => numbers8(content).map(|list| hello.supported_versions = list),
        KEY_SHARE => key_shares(content).map(|groups| hello.key_shares = groups),
        ENCRYPTED_CLIENT_HELLO => Ech::read(content).map(|state| hello.ech = state),
        _ => Some(()),
    };
    if understood.is_none() {
        hello.malformed.push(kind);
    }
}

/// The list has one name (RFC 6066 section 3 forbids a second of the same type, and there is no other type).
fn server_name(mut content: Reader<'_>) -> Option<ServerName> {
    let mut list = content.vector16()?;
    let kind = list.u8()?;
    let mut name = list.vector16()?;
    let well_formed = kind == HOST_NAME && !name.is_empty() && list.is_empty() && content.is_empty();
    well_formed.then(|| ServerName::new(name.rest()))
}

fn numbers16(mut content: Reader<'_>) -> Option<Vec<u16>> {
    let list = content.vector16()?;
    content.is_empty().then_some(list)?.numbers()
}

fn numbers8(mut content: Reader<'_>) -> Option<Vec<u16>> {
    let list = content.vector8()?;
    content.is_empty().then_some(list)?.numbers()
}

/// The groups for which a key is sent.
fn key_shares(mut content: Reader<'_>) -> Option<Vec<u16>> {
    let mut list = content.vector16()?;
    let mut groups = Vec::new();
    while !list.is_empty() {
        groups.push(list.u16()?);
        list.vector16()?;
    }
    content.is_empty().then_some(groups)
}

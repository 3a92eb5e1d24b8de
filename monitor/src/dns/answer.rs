//! One record of an answer, as far as it says where a name leads: an address, another name, a service.
//!
//! The content of all other types (TXT, for one) is not read: it would be payload.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use domain::base::ParsedRecord;
use domain::base::iana::{Class, Rtype};
use domain::base::name::ParsedName;
use domain::base::wire::ParseError;
use domain::rdata::svcb::value::{Alpn, Ech, Ipv4Hint, Ipv6Hint, Port};
use domain::rdata::svcb::{SvcParams, SvcbRdata};
use domain::rdata::{A, Aaaa, Cname, svcb};

use super::words;

/// Protocols, and addresses of each family, that are taken from one service record; those in use have fewer than ten.
/// The rest of the record is checked all the same.
const SERVICE_ITEMS_MAX: usize = 16;

/// A domain name as text, with its letters as they were sent and without the final dot. Bytes that a host name does not
/// have are escaped (RFC 1035 section 5.1), so no two names have one text. The root is `.`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    pub(super) fn new(name: &ParsedName<&[u8]>) -> Self {
        Self(if name.is_root() { ".".to_owned() } else { name.to_string() })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the same name: the case of letters means nothing (RFC 1035 section 2.3.3).
    pub fn is(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A record of the answer section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whose record it is.
    pub owner: Name,
    /// Its type, in Zeek's words.
    pub type_name: Cow<'static, str>,
    /// How long it may be used, in seconds, as it was sent: up to 2^32 - 1.
    pub ttl_s: u32,
    /// What it says.
    pub data: Data,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// A or AAAA.
    Address(IpAddr),
    /// CNAME: the owner is another name for this.
    Alias(Name),
    /// HTTPS or SVCB (RFC 9460).
    Service(Service),
    /// A type that leads nowhere we follow, or a class other than IN.
    Other,
}

/// Where and how a service is to be reached (RFC 9460 section 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Lower ones are tried first; 0 makes the record an alias (section 2.4.2).
    pub priority: u16,
    /// The host of the service; the owner itself when it was sent as the root (section 2.5).
    pub target: Name,
    /// Another port than the scheme's.
    pub port: Option<u16>,
    /// The application protocols (section 7.1), the first 16.
    pub alpn: Vec<Vec<u8>>,
    /// Addresses that may be tried before the target is resolved (section 7.3), the first 16 of each family.
    pub hints: Vec<IpAddr>,
    /// Whether there are keys for an encrypted ClientHello (RFC 9848).
    pub ech: bool,
}

impl Answer {
    /// Reads a record whose header was read already.
    pub(super) fn read(record: &ParsedRecord<'_, [u8]>) -> Result<Self, ParseError> {
        let owner = Name::new(&record.owner().deref_octets());
        let data = if record.class() == Class::IN { read_data(record, &owner)? } else { Data::Other };
        let type_name = words::rtype(record.rtype());
        Ok(Self { owner, type_name, ttl_s: record.ttl().as_secs(), data })
    }
}

fn read_data(record: &ParsedRecord<'_, [u8]>, owner: &Name) -> Result<Data, ParseError> {
    // The library gives none for a record of another type, and the type was looked at.
    Ok(match record.rtype() {
        Rtype::A => record.to_record::<A>()?.map(|record| Data::Address(IpAddr::V4(record.data().addr()))),
        Rtype::AAAA => record.to_record::<Aaaa>()?.map(|record| Data::Address(IpAddr::V6(record.data().addr()))),
        Rtype::CNAME => {
            let record = record.to_record::<Cname<ParsedName<&[u8]>>>()?;
            record.map(|record| Data::Alias(Name::new(record.data().cname())))
        }
        Rtype::HTTPS => {
            let record = record.to_record::<svcb::Https<&[u8], ParsedName<&[u8]>>>()?;
            record.map(|record| service(record.data(), owner)).transpose()?
        }
        Rtype::SVCB => {
            let record = record.to_record::<svcb::Svcb<&[u8], ParsedName<&[u8]>>>()?;
            record.map(|record| service(record.data(), owner)).transpose()?
        }
        _ => None,
    }
    .unwrap_or(Data::Other))
}

fn service<V>(data: &SvcbRdata<V, &[u8], ParsedName<&[u8]>>, owner: &Name) -> Result<Data, ParseError> {
    let target = if data.target().is_root() { owner.clone() } else { Name::new(data.target()) };
    let params = data.params();
    let mut service =
        Service { priority: data.priority(), target, port: None, alpn: Vec::new(), hints: Vec::new(), ech: false };
    if let Some(alpn) = first::<Alpn<_>>(params)? {
        service.alpn.extend(alpn.iter().take(SERVICE_ITEMS_MAX).map(<[u8]>::to_vec));
    }
    if let Some(port) = first::<Port>(params)? {
        service.port = Some(port.port());
    }
    if let Some(hint) = first::<Ipv4Hint<_>>(params)? {
        service.hints.extend(hint.iter().take(SERVICE_ITEMS_MAX).map(IpAddr::V4));
    }
    if let Some(hint) = first::<Ipv6Hint<_>>(params)? {
        service.hints.extend(hint.iter().take(SERVICE_ITEMS_MAX).map(IpAddr::V6));
    }
    service.ech = first::<Ech<_>>(params)?.is_some();
    Ok(Data::Service(service))
}

/// The first parameter of one kind. The library's own `first` takes a damaged one for absent.
fn first<'a, V>(params: &'a SvcParams<&'a [u8]>) -> Result<Option<V>, ParseError>
where
    V: svcb::ParseSvcParamValue<'a, &'a [u8]>,
{
    params.iter::<V>().next().transpose()
}

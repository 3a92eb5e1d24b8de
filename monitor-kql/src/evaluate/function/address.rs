//! Functions on IP addresses.

use std::net::{IpAddr, Ipv4Addr};

use super::{Table, at};
use crate::{
    evaluate::{arithmetic::long, dynamic, node::as_text},
    value::Value,
};

pub(super) const FUNCTIONS: Table = &[
    ("ipv4_is_private", |values| {
        let address = network4(&as_text(at(values, 0))).map(|(address, _)| address);
        address.map_or(Value::Null, |address| Value::Bool(address.is_private()))
    }),
    ("ipv4_is_match", |values| match pair4(values) {
        Some((left, right, bits)) => Value::Bool(masked(left, bits) == masked(right, bits)),
        None => Value::Null,
    }),
    ("ipv4_compare", |values| match pair4(values) {
        Some((left, right, bits)) => {
            let order = masked(left, bits).cmp(&masked(right, bits));
            Value::Long(i64::from(order as i8))
        }
        None => Value::Null,
    }),
    ("ipv4_is_in_range", |values| {
        let (address, range) = (as_text(at(values, 0)), as_text(at(values, 1)));
        in_range4(&address, &range).map_or(Value::Null, Value::Bool)
    }),
    ("ipv4_is_in_any_range", |values| {
        let address = as_text(at(values, 0));
        any_range(values, |range| in_range4(&address, range))
    }),
    ("ipv6_is_in_range", |values| {
        let (address, range) = (as_text(at(values, 0)), as_text(at(values, 1)));
        in_range6(&address, &range).map_or(Value::Null, Value::Bool)
    }),
    ("ipv6_is_in_any_range", |values| {
        let address = as_text(at(values, 0));
        any_range(values, |range| in_range6(&address, range))
    }),
    ("parse_ipv4", |values| match network4(&as_text(at(values, 0))) {
        Some((address, bits)) => Value::Long(i64::from(masked(address, bits))),
        None => Value::Null,
    }),
    ("ipv4_netmask_suffix", |values| match network4(&as_text(at(values, 0))) {
        Some((_, bits)) => Value::Long(i64::from(bits)),
        None => Value::Null,
    }),
];

/// An address with the length of its prefix, which is 32 when it has none.
fn network4(text: &str) -> Option<(Ipv4Addr, u32)> {
    let (address, bits) = text.trim().split_once('/').unwrap_or((text.trim(), "32"));
    let bits = bits.parse().ok().filter(|bits| *bits <= 32)?;
    Some((address.parse().ok()?, bits))
}

fn masked(address: Ipv4Addr, bits: u32) -> u32 {
    address.to_bits() & u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0)
}

/// Two addresses, and the bits by which they are compared: the fewest of both prefixes and the argument.
fn pair4(values: &[Value<'_>]) -> Option<(Ipv4Addr, Ipv4Addr, u32)> {
    let (left, left_bits) = network4(&as_text(at(values, 0)))?;
    let (right, right_bits) = network4(&as_text(at(values, 1)))?;
    let asked = values.get(2).and_then(long).and_then(|bits| u32::try_from(bits).ok()).unwrap_or(32);
    Some((left, right, left_bits.min(right_bits).min(asked)))
}

fn in_range4(address: &str, range: &str) -> Option<bool> {
    let (address, own) = network4(address)?;
    let (network, bits) = network4(range)?;
    Some(own >= bits && masked(address, bits) == masked(network, bits))
}

/// As IPv6, in which an IPv4 address is mapped.
fn network6(text: &str) -> Option<(u128, u32)> {
    let (address, bits) = match text.trim().split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
        None => (text.trim(), None),
    };
    let (address, offset) = match address.parse().ok()? {
        IpAddr::V4(address) => (address.to_ipv6_mapped(), 96),
        IpAddr::V6(address) => (address, 0),
    };
    let bits = bits.map_or(128, |bits| bits.saturating_add(offset));
    (bits <= 128).then(|| (address.to_bits(), bits))
}

fn in_range6(address: &str, range: &str) -> Option<bool> {
    let ((address, own), (network, bits)) = (network6(address)?, network6(range)?);
    let mask = u128::MAX.checked_shl(128 - bits.min(128)).unwrap_or(0);
    Some(own >= bits && address & mask == network & mask)
}

/// Whether an address is in one of the ranges, which are arguments or elements of an array.
fn any_range(values: &[Value<'_>], is_in: impl Fn(&str) -> Option<bool>) -> Value<'static> {
    let one = |value: &Value<'_>| match value {
        Value::Dynamic(json) if json.is_array() => {
            let items = json.as_array().map(Vec::as_slice).unwrap_or_default();
            items.iter().any(|item| is_in(&dynamic::text(item)) == Some(true))
        }
        other => is_in(&as_text(other)) == Some(true),
    };
    Value::Bool(values.iter().skip(1).any(one))
}

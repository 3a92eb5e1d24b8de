//! The policy in kernel memory: made whole, filled through a mapping, then swapped in.

use std::io;
use std::os::fd::OwnedFd;
use std::ptr;

use monitor_common::limits::RULES_MAX;
use monitor_common::policy::{Bucket, Key, Orders, buckets_for, fill, larger};
use rustix::mm::{MapFlags, ProtFlags};
use rustix::rand::{GetRandomFlags, getrandom};

use super::{Error, bpf};

/// One name of the policy; its place in the sequence is its rule's number.
#[derive(Clone, Copy, Debug)]
pub struct TableEntry<'a> {
    /// In A-label form. Case does not matter.
    pub name: &'a str,
    /// For the name itself only, not for its subdomains.
    pub exact: bool,
}

/// A policy that the kernel programs can be given.
pub struct PolicyTable {
    map: OwnedFd,
}

impl PolicyTable {
    /// Makes and fills a table with a random key of its own.
    ///
    /// # Errors
    /// Too many rules, or the kernel has no memory for it.
    pub fn new<'a>(
        orders: impl Into<Orders>,
        entries: impl Iterator<Item = TableEntry<'a>> + Clone,
    ) -> Result<Self, Error> {
        let orders = orders.into();
        let rules = entries.clone().count();
        if rules > RULES_MAX {
            return Err(Error::TooManyRules { rules, max: RULES_MAX });
        }
        let key = random_key()?;
        let mut buckets = buckets_for(rules);
        loop {
            let elements = buckets + 1;
            let map = bpf::create_mappable_array(size_of::<Bucket>() as u32, elements as u32)
                .map_err(|source| Error::System { what: "make the policy table", source })?;
            let rules = entries.clone().map(|each| (each.name, each.exact));
            let filled = with_mapping(&map, elements, |table| fill(table, key, orders, rules))
                .map_err(|source| Error::System { what: "map the policy table", source })?;
            if filled {
                return Ok(Self { map });
            }
            buckets = larger(buckets);
        }
    }

    pub(super) fn duplicate(&self) -> io::Result<OwnedFd> {
        self.map.try_clone()
    }
}

fn random_key() -> Result<Key, Error> {
    let mut bytes = [0u8; 16];
    getrandom(&mut bytes, GetRandomFlags::empty())
        .map_err(|source| Error::System { what: "draw the policy's key", source: source.into() })?;
    let [seed, multiplier] = two_words(bytes);
    Ok(Key { seed, multiplier })
}

fn two_words(bytes: [u8; 16]) -> [u64; 2] {
    let both = u128::from_ne_bytes(bytes);
    [both as u64, (both >> 64) as u64]
}

/// Runs `fill` on the table's own memory.
fn with_mapping<T>(map: &OwnedFd, elements: usize, fill: impl FnOnce(&mut [Bucket]) -> T) -> io::Result<T> {
    let bytes = elements * size_of::<Bucket>();
    // SAFETY: a new mapping at an address of the kernel's choice; it is unmapped below.
    let address = unsafe {
        rustix::mm::mmap(ptr::null_mut(), bytes, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, map, 0)?
    };
    // SAFETY: `bytes` bytes are mapped there, page-aligned, initialised by the kernel, and no program and nobody else
    // uses the map yet.
    let table = unsafe { std::slice::from_raw_parts_mut(address.cast::<Bucket>(), elements) };
    let result = fill(table);
    // SAFETY: mapped above; the slice is not used any more.
    unsafe { rustix::mm::munmap(address, bytes)? };
    Ok(result)
}

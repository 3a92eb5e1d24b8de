//! The names that each process was given addresses for, until they expire.
//!
//! One process never learns a name from another: that an address belongs to a name is what one resolver told one
//! process. The table is bounded twice, and who fills it pays: a process that holds too many names loses its own oldest,
//! and when the whole table is full the process that holds the most does. So a process with no more than its even share
//! ([`NAMES_MAX`] divided by the number of processes) loses nothing to others, whatever they ask for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::net::IpAddr;

use crate::hostname::Hostname;

/// Addresses remembered for one process. A browser's day has a few hundred; a crawler connects to what it asked for last.
/// Beyond it the oldest goes: [`NameCache::process_full`].
pub const NAMES_PER_PROCESS_MAX: usize = 1024;

/// Addresses remembered in all: 64 processes at their limit. Beyond it the oldest of the process with the most goes:
/// [`NameCache::table_full`].
pub const NAMES_MAX: usize = 65_536;

/// A name lives at least so long, in seconds: programs keep addresses beyond their time, since `getaddrinfo` does not tell
/// them the time, and Chromium and Firefox keep them for a minute. No other grace is given on top.
const TTL_MIN_S: u32 = 60;

/// A name lives no longer than so long, in seconds: an answer may say 136 years. A day is what unbound keeps one at most.
const TTL_MAX_S: u32 = 86_400;

const NS_PER_S: u64 = 1_000_000_000;

/// The names of all processes. `K` identifies a process for ever: not a pid alone.
#[derive(Debug)]
pub struct NameCache<K> {
    processes: HashMap<K, Names>,
    /// Every process with the number of its names, the most last.
    by_size: BTreeSet<(usize, K)>,
    names: usize,
    /// Goes up with each insertion: the order of age.
    turn: u64,
    limits: Limits,
    process_full: u64,
    table_full: u64,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    process: usize,
    table: usize,
}

#[derive(Debug, Default)]
struct Names {
    by_address: HashMap<IpAddr, Entry>,
    /// The addresses by the turn in which they were last given, the oldest first.
    by_age: BTreeMap<u64, IpAddr>,
}

#[derive(Debug)]
struct Entry {
    name: Hostname,
    expires_ns: u64,
    turn: u64,
    /// Until when another name for the address is or was alive.
    shared_until_ns: u64,
}

/// What a process knows an address by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// The name that it asked for last and was given the address for.
    pub name: &'a Hostname,
    /// Whether it was given the address for other names, too.
    pub alone: Alone,
}

/// Whether an address has one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alone {
    /// The process knows the address by this name only.
    Yes,
    /// Other names that are alive led to the address: hosts share it, and the name that was asked for last is a guess.
    No,
}

impl<K: Clone + Eq + Hash + Ord> NameCache<K> {
    /// Empty.
    pub fn new() -> Self {
        Self::with_limits(Limits { process: NAMES_PER_PROCESS_MAX, table: NAMES_MAX })
    }

    fn with_limits(limits: Limits) -> Self {
        Self {
            processes: HashMap::new(),
            by_size: BTreeSet::new(),
            names: 0,
            turn: 0,
            limits,
            process_full: 0,
            table_full: 0,
        }
    }

    /// Addresses that processes lost because they held [`NAMES_PER_PROCESS_MAX`].
    pub fn process_full(&self) -> u64 {
        self.process_full
    }

    /// Addresses that processes lost because all together held [`NAMES_MAX`].
    pub fn table_full(&self) -> u64 {
        self.table_full
    }

    /// Remembers that `process` asked for `name` and was given `address` for `ttl_s` seconds, at `now_ns` (any clock that
    /// does not go back). The address that means no host is not remembered: filters answer with it for all that they block.
    pub fn insert(&mut self, process: &K, name: Hostname, address: IpAddr, ttl_s: u32, now_ns: u64) {
        let address = address.to_canonical();
        if address.is_unspecified() {
            return;
        }
        let expires_ns = now_ns.saturating_add(u64::from(ttl_s.clamp(TTL_MIN_S, TTL_MAX_S)) * NS_PER_S);
        self.turn += 1;
        let names = self.processes.entry(process.clone()).or_default();
        let before = names.by_address.len();
        names.insert(address, Entry { name, expires_ns, turn: self.turn, shared_until_ns: 0 });
        let after = names.by_address.len();
        self.resize(process, before, after);
        if after > self.limits.process {
            self.process_full += 1;
            self.drop_oldest(process);
        } else if self.names > self.limits.table
            && let Some((_, largest)) = self.by_size.last()
        {
            let largest = largest.clone();
            self.table_full += 1;
            self.drop_oldest(&largest);
        }
    }

    /// What `process` knows `address` by at `now_ns`, when it was told and the time of that is not over.
    pub fn look_up(&self, process: &K, address: IpAddr, now_ns: u64) -> Option<Found<'_>> {
        let entry = self.processes.get(process)?.by_address.get(&address.to_canonical())?;
        let alone = if now_ns < entry.shared_until_ns { Alone::No } else { Alone::Yes };
        (now_ns < entry.expires_ns).then_some(Found { name: &entry.name, alone })
    }

    /// Forgets a process that has ended.
    pub fn forget(&mut self, process: &K) {
        if let Some(names) = self.processes.get(process) {
            self.resize(process, names.by_address.len(), 0);
        }
    }

    /// Forgets what has expired at `now_ns`. Looks at every name: call it every few seconds, not with every event.
    pub fn expire(&mut self, now_ns: u64) {
        let mut changed = Vec::new();
        for (process, names) in &mut self.processes {
            let before = names.by_address.len();
            let Names { by_address, by_age } = names;
            by_address.retain(|_, entry| now_ns < entry.expires_ns || by_age.remove(&entry.turn).is_none());
            if by_address.len() != before {
                changed.push((process.clone(), before, by_address.len()));
            }
        }
        for (process, before, after) in changed {
            self.resize(&process, before, after);
        }
    }

    fn drop_oldest(&mut self, process: &K) {
        if let Some(names) = self.processes.get_mut(process)
            && let Some((_, oldest)) = names.by_age.pop_first()
        {
            let before = names.by_address.len();
            names.by_address.remove(&oldest);
            let after = names.by_address.len();
            self.resize(process, before, after);
        }
    }

    /// Keeps the counts true. A process without names is none.
    fn resize(&mut self, process: &K, before: usize, after: usize) {
        self.by_size.remove(&(before, process.clone()));
        if after == 0 {
            self.processes.remove(process);
        } else {
            self.by_size.insert((after, process.clone()));
        }
        self.names = self.names + after - before;
    }
}

impl<K: Clone + Eq + Hash + Ord> Default for NameCache<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl Names {
    fn insert(&mut self, address: IpAddr, mut entry: Entry) {
        self.by_age.insert(entry.turn, address);
        if let Some(old) = self.by_address.remove(&address) {
            self.by_age.remove(&old.turn);
            entry.shared_until_ns = old.shared_until_ns;
            if old.name != entry.name {
                entry.shared_until_ns = entry.shared_until_ns.max(old.expires_ns);
            }
        }
        self.by_address.insert(address, entry);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    const S: u64 = NS_PER_S;

    fn name(text: &str) -> Hostname {
        Hostname::parse(text.as_bytes()).unwrap()
    }

    fn address(number: u32) -> IpAddr {
        Ipv4Addr::from(0xc000_0200 + number).into()
    }

    fn small(process: usize, table: usize) -> NameCache<u32> {
        NameCache::with_limits(Limits { process, table })
    }

    fn check(cache: &NameCache<u32>, process: u32, number: u32, now_s: u64, expect: Option<(&str, Alone)>) {
        let found = cache.look_up(&process, address(number), now_s * S);
        assert_eq!(found.map(|found| (found.name.as_str(), found.alone)), expect);
    }

    /// The counts are what is there.
    fn check_counts(cache: &NameCache<u32>) {
        let mut sizes: Vec<(usize, u32)> = Vec::new();
        for (process, names) in &cache.processes {
            assert_eq!(names.by_address.len(), names.by_age.len());
            assert!(names.by_age.iter().all(|(turn, address)| names.by_address[address].turn == *turn));
            assert!(names.by_address.len() <= cache.limits.process);
            sizes.push((names.by_address.len(), *process));
        }
        sizes.sort_unstable();
        assert_eq!(cache.by_size.iter().copied().collect::<Vec<_>>(), sizes);
        assert_eq!(cache.names, sizes.iter().map(|(size, _)| size).sum::<usize>());
        assert!(cache.names <= cache.limits.table);
    }

    #[test]
    fn a_name_is_known_to_the_process_that_asked_for_it_and_to_no_other() {
        let mut cache = NameCache::new();
        cache.insert(&1, name("a.example"), address(1), 300, 0);
        check(&cache, 1, 1, 1, Some(("a.example", Alone::Yes)));
        check(&cache, 2, 1, 1, None);
        check(&cache, 1, 2, 1, None);
        cache.forget(&1);
        check(&cache, 1, 1, 1, None);
        check_counts(&cache);
    }

    #[test]
    fn a_name_lives_as_long_as_its_answer_says_within_bounds() {
        let mut cache = NameCache::new();
        for (number, ttl_s) in [(1, 300), (2, 0), (3, u32::MAX)] {
            cache.insert(&1, name("a.example"), address(number), ttl_s, 10 * S);
        }
        for (number, last_s) in [(1, 309), (2, 69), (3, 86_409)] {
            check(&cache, 1, number, last_s, Some(("a.example", Alone::Yes)));
            check(&cache, 1, number, last_s + 1, None);
        }
        cache.insert(&1, name("a.example"), address(1), 300, 200 * S);
        check(&cache, 1, 1, 499, Some(("a.example", Alone::Yes)));
        check_counts(&cache);
    }

    #[test]
    fn an_address_that_hosts_share_says_so_while_their_names_live() {
        let mut cache = NameCache::new();
        cache.insert(&1, name("a.example"), address(1), 100, 0);
        cache.insert(&1, name("b.example"), address(1), 300, 0);
        check(&cache, 1, 1, 99, Some(("b.example", Alone::No)));
        check(&cache, 1, 1, 100, Some(("b.example", Alone::Yes)));
        cache.insert(&1, name("b.example"), address(1), 300, 50 * S);
        check(&cache, 1, 1, 99, Some(("b.example", Alone::No)));
    }

    #[test]
    fn an_ipv4_address_is_the_same_inside_an_ipv6_one() {
        let mut cache = NameCache::new();
        let IpAddr::V4(v4) = address(1) else { unreachable!("made of four bytes") };
        cache.insert(&1, name("a.example"), v4.to_ipv6_mapped().into(), 300, 0);
        check(&cache, 1, 1, 0, Some(("a.example", Alone::Yes)));
        assert!(cache.look_up(&1, v4.to_ipv6_mapped().into(), 0).is_some());
        for nobody in [Ipv4Addr::UNSPECIFIED.into(), IpAddr::from(Ipv6Addr::UNSPECIFIED)] {
            cache.insert(&1, name("blocked.example"), nobody, 300, 0);
            assert_eq!(cache.look_up(&1, nobody, 0), None);
        }
    }

    #[test]
    fn a_process_with_too_many_names_loses_its_own_oldest() {
        let mut cache = small(3, 100);
        cache.insert(&2, name("other.example"), address(9), 300, 0);
        for number in 1..=3 {
            cache.insert(&1, name("a.example"), address(number), 300, 0);
        }
        // Asked for again, so it is not the oldest.
        cache.insert(&1, name("a.example"), address(1), 300, 0);
        assert_eq!(cache.process_full(), 0);
        cache.insert(&1, name("a.example"), address(4), 300, 0);
        check(&cache, 1, 2, 1, None);
        for number in [1, 3, 4] {
            check(&cache, 1, number, 1, Some(("a.example", Alone::Yes)));
        }
        check(&cache, 2, 9, 1, Some(("other.example", Alone::Yes)));
        assert_eq!((cache.process_full(), cache.table_full()), (1, 0));
        check_counts(&cache);
    }

    #[test]
    fn a_full_table_takes_from_who_holds_the_most() {
        let mut cache = small(60, 100);
        for number in 1..=10 {
            cache.insert(&1, name("modest.example"), address(number), 300, 0);
        }
        // Seven others ask for all that they can. Together with the modest one they are eight: twelve names each.
        for process in 2..=8 {
            for number in 0..200 {
                cache.insert(&process, name("greedy.example"), address(number), 300, 0);
            }
        }
        for number in 1..=10 {
            check(&cache, 1, number, 1, Some(("modest.example", Alone::Yes)));
        }
        assert!(cache.table_full() > 1000);
        // A process that comes last finds room, too.
        cache.insert(&99, name("late.example"), address(1), 300, 0);
        check(&cache, 99, 1, 1, Some(("late.example", Alone::Yes)));
        check_counts(&cache);
    }

    #[test]
    fn what_has_expired_makes_room() {
        let mut cache = small(10, 100);
        for process in 0..5 {
            cache.insert(&process, name("short.example"), address(1), 60, 0);
            cache.insert(&process, name("long.example"), address(2), 600, 0);
        }
        cache.expire(60 * S);
        assert_eq!(cache.names, 5);
        check(&cache, 3, 2, 60, Some(("long.example", Alone::Yes)));
        check_counts(&cache);
        cache.expire(600 * S);
        assert!(cache.processes.is_empty() && cache.by_size.is_empty());
    }

    #[test]
    fn the_counts_hold_in_any_order_of_calls() {
        let mut cache = small(5, 20);
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = |below: u32| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            u32::try_from((state >> 16) % u64::from(below)).unwrap()
        };
        for now_s in 0..20_000_u64 {
            match random(20) {
                0 => cache.forget(&random(8)),
                1 => cache.expire(now_s * S),
                _ => {
                    let host = name(if random(2) == 0 { "a.example" } else { "b.example" });
                    cache.insert(&random(8), host, address(random(9)), random(200), now_s * S);
                }
            }
            check_counts(&cache);
        }
        assert!(cache.process_full() > 0 && cache.table_full() > 0);
    }
}

//! The policy as the kernel programs have it, in memory of our own: they and `wire::inspect` look names up in the same way.

use monitor_common::policy::{Bucket, Key, Orders, buckets_for, fill, larger};

use crate::decide::Policy;

/// A capture cannot choose its names after the key of a run, but one that found collisions for a fixed key would only
/// hide from this command, which explains each hit again; so the key is fixed, and two runs give the same rows.
const KEY: Key = Key { seed: 0x243f_6a88_85a3_08d3, multiplier: 0x1319_8a2e_0370_7345 };

/// The table of all rules of a policy.
pub(super) fn table(policy: &Policy, orders: Orders) -> Vec<Bucket> {
    let rules = || policy.indicators().iter().map(|each| (each.name.as_str(), each.exact));
    let mut buckets = buckets_for(policy.indicators().len());
    loop {
        let mut elements = vec![Bucket::default(); buckets + 1];
        if fill(&mut elements, KEY, orders, rules()) {
            return elements;
        }
        buckets = larger(buckets);
    }
}

//! What a name comes to: the same for the kernel's table and for one in memory of our own.

use core::hint::black_box;

use super::Verdict;
use super::table::{Bucket, Head, choices, is_exact, probe};
use crate::limits::LABELS_MAX;
use crate::wire::Work;

/// Looks up the suffixes that [`suffixes`](crate::wire::name::suffixes) has hashed; `element` gives the table's, 0 is its head.
/// The entry of the most specific rule goes to `work.hit`, 0 for none. None: the table lacks an element.
///
/// From the top-level domain on: a later hit is more specific. All results go to memory; the paths of one step end in one
/// state.
#[inline(always)]
pub fn look_up<'a>(mut work: &mut Work, element: impl Fn(u32) -> Option<&'a Bucket>) -> Option<Verdict> {
    (work.hit, work.exact, work.exact_at) = (0, 0, u64::MAX);
    let buckets = Head::buckets_of(element(0)?);
    for i in 0..LABELS_MAX as u32 {
        work = black_box(work);
        if i >= work.labels {
            break;
        }
        let hash = work.hashes[i as usize];
        let [one, two] = choices(hash, buckets);
        let hit = probe(element(one as u32 + 1)?, hash) | probe(element(two as u32 + 1)?, hash);
        if hit != 0 {
            if is_exact(hit) {
                (work.exact, work.exact_at) = (hit, i as u64);
            } else {
                work.hit = hit;
            }
        }
    }
    work = black_box(work);
    if work.exact_at == work.labels as u64 - 1 {
        work.hit = work.exact;
    }
    Some(if work.hit == 0 {
        Verdict::Unlisted
    } else if Head::blocks(element(0)?) {
        Verdict::Blocked
    } else {
        Verdict::Audited
    })
}

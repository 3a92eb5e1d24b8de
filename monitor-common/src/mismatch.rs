//! Whether what is asked for inside a tunnel is what the proxy was asked for (domain fronting, ATT&CK T1090.004).
//!
//! One rule for the kernel, which may have to drop the packet, and for replays: the two are different names, in whatever
//! case, or the proxy was asked for a name and the hello inside has none. The second is told and never blocked: it hides
//! nothing that a name would show, and programs without SNI do it all the time. Neither are:
//!
//! * a proxy that was asked for an address, since some programs resolve a name before they ask for a tunnel;
//! * a request inside the tunnel to another proxy, which becomes what the next name is compared with;
//! * names of which one was told under another policy, whose hashes have another key.
//!
//! A name and one below it are different: whoever rents a name below a shared domain is not who runs it.

use crate::policy::{Bucket, Head, Key, Verdict};
use crate::progress::Progress;
use crate::wire::{NameSource, Work};

/// What the name in `work`, whose suffixes are hashed, comes to when `listed` is what the policy with this head makes of it.
/// `work.differs` is set. A name that a proxy is asked for is remembered.
#[inline(always)]
pub fn judge(progress: &mut Progress, work: &mut Work, head: &Bucket, listed: Verdict) -> Verdict {
    let Key { seed, .. } = Head::key_of(head);
    let name = work.whole_hash();
    work.differs = 0;
    let source = work.source;
    if source == NameSource::TlsSni as u32 || source == NameSource::HttpHost as u32 {
        work.differs = (expects(progress, seed) && progress.asked != name) as u32;
    } else if source != NameSource::AbsoluteUri as u32 {
        let is_name = work.is_address == 0 && work.letters != 0 && work.colons == 0;
        (progress.asked, progress.asked_seed) = (if is_name { name } else { 0 }, seed);
    }
    if work.differs != 0 && listed != Verdict::Blocked && Head::blocks_mismatch(head) {
        return Verdict::Mismatched;
    }
    listed
}

/// The same for a hello without a name: `work.differs` is set.
#[inline(always)]
pub fn judge_nameless(progress: &Progress, work: &mut Work, head: &Bucket) {
    work.differs = expects(progress, Head::key_of(head).seed) as u32;
}

/// Whether the name inside the tunnel is known beforehand.
#[inline(always)]
fn expects(progress: &Progress, seed: u64) -> bool {
    progress.in_tunnel != 0 && progress.asked != 0 && progress.asked_seed == seed
}

//! The policy: which names are dangerous, where that was written, and what a verdict of the kernel rests on.
//!
//! Pure: whoever reads the files hands over their text. The kernel decides; here its verdict is explained, and checked
//! against the real name, since the kernel compares hashes.

mod list;
mod policy;

pub use list::{LineError, LineProblem, parse_list};
pub use policy::{Indicator, IndicatorSource, Policy, PolicyBuilder};

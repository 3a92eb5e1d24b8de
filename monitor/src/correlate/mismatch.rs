//! Two hosts that should be one. Which pairs those are, the kernel says, by the rule of [`monitor_common::mismatch`].

use super::Target;

/// What was asked for inside a tunnel is not what the proxy was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What the proxy was asked for.
    pub outer: Target,
    /// What was asked for inside the tunnel; none for a hello without a name.
    pub inner: Option<Target>,
}

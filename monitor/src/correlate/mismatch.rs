//! Whether what a proxy was asked for and what is asked for inside the tunnel agree (ATT&CK T1090.004, domain fronting).
//!
//! The rule: both are names and are not the same name, or the proxy was asked for a name and the hello inside has none
//! ("domainless" fronting). Ordinary, and never told: a proxy asked for an address, since some programs resolve the name
//! themselves before they ask for a tunnel. Two names below one registrable domain are a mismatch like any other: one
//! customer of a shared domain is not the next.

use super::Target;
use crate::hostname::Host;

/// Two hosts that should be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What the proxy was asked for.
    pub outer: Target,
    /// What was asked for inside the tunnel; none for a hello without a name.
    pub inner: Option<Target>,
}

impl Mismatch {
    /// Compares; none when they agree, or cannot be compared.
    pub(super) fn of(outer: &Target, inner: Option<&Target>) -> Option<Self> {
        let Host::Name(asked) = &outer.host else {
            return None;
        };
        match inner.map(|target| &target.host) {
            Some(Host::Name(named)) if named == asked => None,
            Some(Host::Malformed { .. }) => None,
            Some(Host::Name(_) | Host::Address(_)) | None => Some(Self { outer: outer.clone(), inner: inner.cloned() }),
        }
    }
}

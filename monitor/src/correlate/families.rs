//! Which families of records there are.

use super::What;

/// Families of records that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Families {
    /// [`What::Attempted`]: each connection has one, and then another that tells how it turned out.
    pub attempts: bool,
    /// [`What::Accepted`].
    pub inbound: bool,
    /// [`What::Listening`].
    pub listening: bool,
    /// [`What::Closed`].
    pub ends: bool,
    /// [`What::Resolved`].
    pub dns: bool,
    /// [`What::Mismatched`].
    pub mismatches: bool,
    /// [`What::Found`].
    pub found: bool,
}

impl Default for Families {
    fn default() -> Self {
        Self { attempts: false, inbound: true, listening: true, ends: true, dns: true, mismatches: true, found: true }
    }
}

impl Families {
    pub(super) fn has(self, what: &What) -> bool {
        match what {
            What::Attempted => self.attempts,
            What::Accepted => self.inbound,
            What::Listening => self.listening,
            What::Closed { .. } => self.ends,
            What::Resolved(_) => self.dns,
            What::Mismatched(_) => self.mismatches,
            What::Found => self.found,
            _ => true,
        }
    }
}

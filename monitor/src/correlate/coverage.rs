//! How many outbound TCP connections had a name, and where it was found: what says how much of a host is seen.

use monitor_common::wire::NameSource;

/// Connections counted, those without a name among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Outbound TCP connections that were established.
    pub connections: u64,
    /// Those of them that had a name, by where it was first found; what DNS said counts only where nothing else did.
    pub named: Vec<(NameSource, u64)>,
}

impl Coverage {
    /// Counts a connection.
    pub(super) fn count(&mut self, source: Option<NameSource>) {
        self.connections += 1;
        let Some(source) = source else {
            return;
        };
        match self.named.iter_mut().find(|(each, _)| *each == source) {
            Some((_, count)) => *count += 1,
            None => self.named.push((source, 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted_by_source_and_without_one() {
        let mut coverage = Coverage::default();
        for source in [Some(NameSource::TlsSni), None, Some(NameSource::Dns), Some(NameSource::TlsSni)] {
            coverage.count(source);
        }
        assert_eq!(coverage.connections, 4);
        assert_eq!(coverage.named, [(NameSource::TlsSni, 2), (NameSource::Dns, 1)]);
    }
}

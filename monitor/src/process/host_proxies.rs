//! The proxies that are configured for a whole host, in /etc/environment (pam_env(8)).

use std::fs::{self, File};
use std::io::Read as _;
use std::sync::Arc;
use std::time::SystemTime;

use super::ProxySettings;

const ENVIRONMENT: &str = "/etc/environment";

/// Bytes of the file that are read; a few hundred are usual. What stands behind is not seen.
const FILE_BYTES_MAX: u64 = 64 * 1024;

#[derive(Default)]
pub(super) struct HostProxies {
    settings: Arc<ProxySettings>,
    read_at: Option<SystemTime>,
}

impl HostProxies {
    /// What the file says. It is read again when it has changed.
    pub(super) fn settings(&mut self) -> Arc<ProxySettings> {
        let changed = fs::metadata(ENVIRONMENT).and_then(|file| file.modified()).ok();
        if changed != self.read_at {
            self.settings = Arc::new(read().map(|text| ProxySettings::of_file(&text)).unwrap_or_default());
            self.read_at = changed;
        }
        self.settings.clone()
    }
}

fn read() -> Option<String> {
    let mut bytes = Vec::new();
    File::open(ENVIRONMENT).ok()?.take(FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

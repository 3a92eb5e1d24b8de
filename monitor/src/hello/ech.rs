//! Encrypted ClientHello (RFC 9849) as an observer sees it.

use crate::reader::Reader;

/// The extension's number (RFC 9849 section 11.1).
pub(super) const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;

/// The outer form; the inner form (1) is what a front end hands on after it has decrypted it.
const OUTER: u8 = 0;
const INNER: u8 = 1;

/// Whether the name may be a cover for another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ech {
    /// No hello is encrypted inside this one.
    #[default]
    None,
    /// The extension is there and holds nothing: a real outer hello names its front end (RFC 9849 section 6.1), and this
    /// one names nobody.
    ///
    /// This is the only case in which GREASE (section 6.2) can be told: otherwise a client without a configuration sends what
    /// one with a configuration would, and section 10.10.4 makes that the aim.
    Grease,
    /// The extension is there next to a name. It may be GREASE, and the name the real one; or the name may be the front
    /// end's. Only the server can tell. A DNS answer with an `ech` parameter (RFC 9848) that the same process got shortly
    /// before makes it likely to be real.
    Offered,
}

impl Ech {
    /// Reads the extension. `None`: it has not the form that RFC 9849 section 5 gives it.
    pub(super) fn read(mut content: Reader<'_>) -> Option<Self> {
        match content.u8()? {
            OUTER => {
                // HpkeSymmetricCipherSuite and config_id; then the encapsulated key, which is empty in the second hello
                // after a HelloRetryRequest, and the payload, which never is.
                content.take(5)?;
                content.vector16()?;
                let payload = content.vector16()?;
                (!payload.is_empty() && content.is_empty()).then_some(Self::Offered)
            }
            INNER => content.is_empty().then_some(Self::None),
            _ => None,
        }
    }

    /// What the extension means in a hello that names a host, or does not.
    pub(super) fn in_hello(self, names_a_host: bool) -> Self {
        match self {
            Self::Offered if !names_a_host => Self::Grease,
            state => state,
        }
    }
}

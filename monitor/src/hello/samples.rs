//! Hellos for tests, made of lists, as a client would send them.

/// What a hello is made of.
#[derive(Clone, Default)]
pub(crate) struct Sample {
    pub(crate) cookie: Option<Vec<u8>>,
    pub(crate) suites: Vec<u16>,
    pub(crate) extensions: Vec<(u16, Vec<u8>)>,
}

impl Sample {
    /// Adds an extension.
    pub(crate) fn with(mut self, kind: u16, content: &[u8]) -> Self {
        self.extensions.push((kind, content.to_vec()));
        self
    }

    /// The handshake message, with the header of TLS or, with a cookie, of DTLS.
    pub(crate) fn message(&self) -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.push(0);
        if let Some(cookie) = &self.cookie {
            body.extend(vector8(cookie));
        }
        body.extend(vector16(&numbers(&self.suites)));
        body.extend([1, 0]);
        let extension = |(kind, content): &(u16, Vec<u8>)| [kind.to_be_bytes().to_vec(), vector16(content)].concat();
        body.extend(vector16(&self.extensions.iter().flat_map(extension).collect::<Vec<u8>>()));
        let length = &(body.len() as u32).to_be_bytes()[1..];
        let datagram = self.cookie.as_ref().map(|_| [&[0; 5], length].concat()).unwrap_or_default();
        [&[1], length, &datagram, &body].concat()
    }
}

/// One hello that names a host, with `padding` bytes in front of the name.
pub(crate) fn named(name: &str, padding: usize) -> Vec<u8> {
    let sample = Sample { suites: vec![0x1301, 0x1302], ..Sample::default() };
    sample.with(21, &vec![0; padding]).with(0, &server_name(name.as_bytes())).message()
}

pub(crate) fn server_name(name: &[u8]) -> Vec<u8> {
    vector16(&[&[0], &vector16(name)[..]].concat())
}

pub(crate) fn protocols(names: &[&[u8]]) -> Vec<u8> {
    vector16(&names.iter().flat_map(|name| vector8(name)).collect::<Vec<u8>>())
}

pub(crate) fn numbers(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

pub(crate) fn vector8(bytes: &[u8]) -> Vec<u8> {
    [&[bytes.len() as u8], bytes].concat()
}

pub(crate) fn vector16(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

/// Xorshift: the same numbers each time, so that a failure can be found again.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % n
    }

    /// Changes a few bytes, and cuts every third.
    pub(crate) fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..self.below(6) {
            let at = self.below(bytes.len());
            bytes[at] = self.below(256) as u8;
        }
        if self.below(3) == 0 {
            bytes.truncate(1 + self.below(bytes.len()));
        }
    }
}

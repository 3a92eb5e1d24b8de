//! The file system that a kernel starts with: a cpio archive in the `newc` form (Documentation/driver-api/early-userspace/
//! buffer-format.rst of Linux). Written in memory; the kernel is its only reader.

/// One file or directory.
pub(super) struct Entry {
    name: String,
    mode: u32,
    bytes: Vec<u8>,
}

impl Entry {
    /// A program. Names have no leading slash, and a directory comes before what is in it.
    pub(super) fn program(name: &str, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), mode: 0o100_755, bytes }
    }

    /// A file that is not run.
    pub(super) fn file(name: &str, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), mode: 0o100_644, bytes }
    }

    /// A directory.
    pub(super) fn directory(name: &str) -> Self {
        Self { name: name.to_owned(), mode: 0o40_755, bytes: Vec::new() }
    }
}

/// The archive. None: a file is longer than the form can say (4 GiB).
pub(super) fn archive(entries: &[Entry]) -> Option<Vec<u8>> {
    let mut archive = Vec::new();
    for (number, Entry { name, mode, bytes }) in (1u32..).zip(entries) {
        add(&mut archive, number, name, *mode, bytes)?;
    }
    add(&mut archive, 0, "TRAILER!!!", 0, &[])?;
    Some(archive)
}

fn add(archive: &mut Vec<u8>, number: u32, name: &str, mode: u32, bytes: &[u8]) -> Option<()> {
    let file_len = u32::try_from(bytes.len()).ok()?;
    let name_len = u32::try_from(name.len() + 1).ok()?;
    // ino, mode, uid, gid, nlink, mtime, filesize, two device numbers of two parts each, namesize, check.
    let fields = [number, mode, 0, 0, 1, 0, file_len, 0, 0, 0, 0, name_len, 0];
    archive.extend(b"070701");
    archive.extend(fields.iter().flat_map(|field| format!("{field:08x}").into_bytes()));
    archive.extend(name.as_bytes());
    archive.push(0);
    pad(archive);
    archive.extend(bytes);
    pad(archive);
    Some(())
}

fn pad(archive: &mut Vec<u8>) {
    archive.resize(archive.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_and_both_paddings_are_as_the_kernel_reads_them() {
        let archive = archive(&[Entry::file("ab", b"12345".to_vec())]).unwrap();
        let header = "070701\
                      00000001000081a40000000000000000\
                      000000010000000000000005\
                      00000000000000000000000000000000\
                      0000000300000000";
        assert_eq!(&archive[..110], header.as_bytes());
        // 110 + "ab\0" is 113: three zeroes more; then 5 bytes and three zeroes.
        assert_eq!(&archive[110..124], b"ab\0\0\0\x0012345\0\0\0");
        assert!(archive[124..].starts_with(b"070701") && archive.len().is_multiple_of(4));
        assert!(archive.windows(11).any(|window| window == b"TRAILER!!!\0"));
    }
}

//! How a proxy's answer starts.

use core::hint::black_box;

use super::socks;

/// How much of an answer tells its code: `HTTP/1.x NNN`.
pub const CODE_BYTES: usize = 12;

/// An answer that cannot be read.
const UNREADABLE: u32 = 1;
const GRANTED: u32 = 200;
const REFUSED: u32 = 500;

/// The code of an answer of which `len` bytes are here, as `Progress::reply` has it: an HTTP status, for SOCKS 200 or 500; 1
/// when it cannot be read; 0 when it is an interim answer (RFC 9110 section 15.2), a status line that is not all there, or the
/// choice of a method that precedes the reply of SOCKS5.
#[inline(always)]
pub fn code(bytes: &[u8; CODE_BYTES], len: u32, version: u32) -> u32 {
    if version == socks::VERSION_5 as u32 {
        // VER, METHOD, perhaps with the reply right behind it: VER, REP, RSV (zero), ATYP, ….
        if len == 2 {
            return 0;
        }
        // Values, hidden from LLVM: it would choose between two places in the array by a computed pointer.
        let (first, second) = (black_box((bytes[0], bytes[1])), black_box((bytes[2], bytes[3])));
        return match if second.0 == socks::VERSION_5 { second } else { first } {
            (socks::VERSION_5, 0) => GRANTED,
            (socks::VERSION_5, _) => REFUSED,
            _ => UNREADABLE,
        };
    }
    if version == socks::VERSION_4 as u32 {
        // VN, CD: 90 is "request granted".
        return match (bytes[0], bytes[1]) {
            (0, 90) => GRANTED,
            (0, _) => REFUSED,
            _ => UNREADABLE,
        };
    }
    if len < CODE_BYTES as u32 {
        // A status line in pieces: user space gets them all.
        return 0;
    }
    if bytes[..7] != *b"HTTP/1." || bytes[8] != b' ' {
        return UNREADABLE;
    }
    let mut status = 0;
    for &digit in &bytes[9..] {
        if !digit.is_ascii_digit() {
            return UNREADABLE;
        }
        status = status * 10 + (digit - b'0') as u32;
    }
    if status < 200 { 0 } else { status }
}

//! SOCK_DESTROY by NETLINK_SOCK_DIAG (sock_diag(7); Linux 4.5, CONFIG_INET_DIAG_DESTROY): what is asked, and what the answer
//! means.

use std::io;
use std::os::fd::OwnedFd;

use monitor_common::event::Endpoints;
use rustix::net::{RecvFlags, SendFlags, recv, send};

// `linux/sock_diag.h`, `linux/inet_diag.h`, `linux/netlink.h`.
const SOCK_DESTROY: u16 = 21;
const NLM_F_REQUEST_ACK: u16 = 1 | 4;
const REQUEST_BYTES: usize = 16 + 56;
const NLMSG_ERROR: u16 = 2;

/// Destroys a socket of the namespace that the netlink socket belongs to.
///
/// # Errors
/// ENOENT: the namespace has no such socket.
pub(super) fn destroy(netlink: &OwnedFd, ends: &Endpoints, cookie: u64) -> io::Result<()> {
    send(netlink, &request(ends, cookie), SendFlags::empty())?;
    let mut answer = [0u8; 256];
    let (len, _) = recv(netlink, &mut answer, RecvFlags::empty())?;
    acknowledgement(answer.get(..len).unwrap_or(&answer))
}

/// `struct nlmsghdr` and `struct inet_diag_req_v2`. The addresses are the socket's own, IPv4-mapped ones too.
fn request(ends: &Endpoints, cookie: u64) -> Vec<u8> {
    let family = if ends.family == 6 { libc::AF_INET6 } else { libc::AF_INET };
    let mut request = Vec::with_capacity(REQUEST_BYTES);
    request.extend((REQUEST_BYTES as u32).to_ne_bytes());
    request.extend(SOCK_DESTROY.to_ne_bytes());
    request.extend(NLM_F_REQUEST_ACK.to_ne_bytes());
    request.extend([0; 8]);
    request.extend([family as u8, libc::IPPROTO_TCP as u8, 0, 0]);
    // In whatever state.
    request.extend(u32::MAX.to_ne_bytes());
    request.extend(ends.local_port.to_be_bytes());
    request.extend(ends.remote_port.to_be_bytes());
    request.extend(ends.local);
    request.extend(ends.remote);
    // Any interface.
    request.extend([0; 4]);
    // No other socket than the one with this cookie.
    request.extend(cookie.to_ne_bytes());
    request
}

fn acknowledgement(answer: &[u8]) -> io::Result<()> {
    let kind = answer.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    let code = answer.get(16..20).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
    match (kind, code) {
        (Some(NLMSG_ERROR), Some(0)) => Ok(()),
        (Some(NLMSG_ERROR), Some(code)) => Err(io::Error::from_raw_os_error(code.saturating_neg())),
        (Some(_) | None, _) => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledgement_is_read_or_refused() {
        let mut answer = [0u8; 36];
        answer[4..6].copy_from_slice(&NLMSG_ERROR.to_ne_bytes());
        assert!(acknowledgement(&answer).is_ok());
        answer[16..20].copy_from_slice(&(-libc::ENOENT).to_ne_bytes());
        assert_eq!(acknowledgement(&answer).unwrap_err().raw_os_error(), Some(libc::ENOENT));
        assert_eq!(acknowledgement(&answer[..19]).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(acknowledgement(&[]).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_request_is_as_long_as_it_says() {
        assert_eq!(request(&Endpoints::EMPTY, 2).len(), REQUEST_BYTES);
    }
}

//! A client program that sends one message in a way of the test's choice, and says how its connection ended.
//!
//! ```text
//! sender WAY ADDRESS     connects, sends the message that stdin has in hexadecimal, shuts down, reads to the end
//! sender child MESSAGE   sends MESSAGE, in hexadecimal, on the socket that is its stdin
//! sender receiver        takes a socket and a message from the Unix socket that is its stdin, and sends
//! ```
//!
//! The last two are what the ways `inherited` and `passed` start: the socket was connected by another process. How the
//! connection ended is a line `ended KIND`: the kind of the error, or `Answered` with the bytes that came.

use std::{
    env,
    fs::File,
    io::{self, IoSlice, IoSliceMut, Read as _, Seek as _, Write as _},
    mem::MaybeUninit,
    net::{Shutdown, SocketAddr, TcpStream},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::net::UnixStream,
    },
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use monitor_tests::client::{from_hex, to_hex};
use rustix::{
    fs::{MemfdFlags, memfd_create, sendfile},
    net::{
        AddressFamily, MMsgHdr, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, SocketType, recvmsg, send, sendmmsg, sendmsg, sendto, socket, sockopt,
    },
    pipe::{SpliceFlags, splice},
};

/// An end that does not come is an end by `WouldBlock`: the test then fails instead of waiting for ever.
const END_WITHIN: Duration = Duration::from_secs(8);

/// Connects with data in the SYN (tcp(7), Linux 3.7); rustix has no name for it.
const MSG_FASTOPEN: SendFlags = SendFlags::from_bits_retain(0x2000_0000);

/// More than any message here.
const MESSAGE_BYTES_MAX: usize = 64 << 10;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let end = match words.as_slice() {
        ["child", message] => {
            let stream = TcpStream::from(own_stdin()?);
            end_of(&stream, (&stream).write_all(&bytes_of(message)?))?
        }
        ["receiver"] => receive_and_send(&UnixStream::from(own_stdin()?))?,
        [way, address] => {
            let message = bytes_of(io::read_to_string(io::stdin())?.trim())?;
            let Some(end) = start(way, address.parse()?, &message)? else {
                return Ok(());
            };
            end
        }
        _ => bail!("see the head of sender.rs for what it takes"),
    };
    println!("ended {end}");
    Ok(())
}

fn bytes_of(hexadecimal: &str) -> Result<Vec<u8>> {
    from_hex(hexadecimal).context("the message is not hexadecimal")
}

fn own_stdin() -> Result<OwnedFd> {
    Ok(io::stdin().as_fd().try_clone_to_owned()?)
}

/// None: another process sends, and says how it ended.
fn start(way: &str, address: SocketAddr, message: &[u8]) -> Result<Option<String>> {
    match way {
        "fast-open" => {
            let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
            let sent = whole(sendto(&socket, message, MSG_FASTOPEN, &address), message);
            return Ok(Some(end_of(&TcpStream::from(socket), sent)?));
        }
        "io_uring" => return io_uring(address, message.to_vec()).map(Some),
        _ => {}
    }
    let stream = TcpStream::connect(address)?;
    match way {
        "inherited" => inherited(stream, message)?,
        "passed" => passed(&stream, message)?,
        _ => return Ok(Some(end_of(&stream, send_by(way, &stream, message)?)?)),
    }
    Ok(None)
}

/// The outer error is that of the way itself, the inner one that of the socket.
fn send_by(way: &str, stream: &TcpStream, message: &[u8]) -> Result<io::Result<()>> {
    let (head, tail) = message.split_at(message.len() / 2);
    let both = [IoSlice::new(head), IoSlice::new(tail)];
    let sent = match way {
        "write" => (&*stream).write_all(message),
        "writev" => whole(rustix::io::writev(stream, &both), message),
        "send" => whole(send(stream, message, SendFlags::empty()), message),
        "send-more" => {
            let sent = whole(send(stream, head, SendFlags::MORE), head);
            sent.and_then(|()| whole(send(stream, tail, SendFlags::empty()), tail))
        }
        "sendto" => whole(sendto(stream, message, SendFlags::empty(), &stream.peer_addr()?), message),
        "sendmsg" => {
            let sent = sendmsg(stream, &both, &mut SendAncillaryBuffer::default(), SendFlags::empty());
            whole(sent, message)
        }
        "sendmmsg" => {
            let (mut no_control, mut none_either) = Default::default();
            let halves = ([IoSlice::new(head)], [IoSlice::new(tail)]);
            let mut messages = [MMsgHdr::new(&halves.0, &mut no_control), MMsgHdr::new(&halves.1, &mut none_either)];
            let sent = sendmmsg(stream, &mut messages, SendFlags::empty()).map_err(io::Error::from);
            // The second message of a socket that was cut off by the first is an error of the next call.
            sent.and_then(|count| if count == messages.len() { Ok(()) } else { (&*stream).write_all(tail) })
        }
        "sendfile" => {
            let mut file = File::from(memfd_create("message", MemfdFlags::empty())?);
            file.write_all(message)?;
            file.rewind()?;
            whole(sendfile(stream, &file, None, message.len()), message)
        }
        "splice" => {
            let (reader, mut writer) = io::pipe()?;
            writer.write_all(message)?;
            whole(splice(&reader, None, stream, None, message.len(), SpliceFlags::empty()), message)
        }
        "cork" => {
            sockopt::set_tcp_cork(stream, true)?;
            let sent = message.chunks(7).try_for_each(|piece| (&*stream).write_all(piece));
            sockopt::set_tcp_cork(stream, false)?;
            sent
        }
        "thread" => thread::scope(|scope| scope.spawn(|| (&*stream).write_all(message)).join())
            .map_err(|_| anyhow::anyhow!("the sending thread panicked"))?,
        _ => bail!("no such way: {way}"),
    };
    Ok(sent)
}

fn whole(sent: rustix::io::Result<usize>, message: &[u8]) -> io::Result<()> {
    match sent? {
        count if count == message.len() => Ok(()),
        count => Err(io::Error::other(format!("{count} of {} bytes sent", message.len()))),
    }
}

fn io_uring(address: SocketAddr, message: Vec<u8>) -> Result<String> {
    tokio_uring::start(async move {
        let stream = tokio_uring::net::TcpStream::connect(address).await?;
        let (sent, _) = stream.write_all(message).await;
        if let Err(error) = sent {
            return Ok(kind(&error));
        }
        // A connection that was cut off has nothing to shut down, and says so when it is read.
        let _ = stream.shutdown(Shutdown::Write);
        let (read, bytes) = stream.read(vec![0; MESSAGE_BYTES_MAX]).await;
        Ok(read.map_or_else(|error| kind(&error), |count| answered(bytes.get(..count).unwrap_or_default())))
    })
}

/// A child gets the socket as its stdin.
fn inherited(stream: TcpStream, message: &[u8]) -> Result<()> {
    let mut child = Command::new(env::current_exe()?);
    child.args(["child", &to_hex(message)]).stdin(Stdio::from(OwnedFd::from(stream)));
    child.status()?;
    Ok(())
}

/// A child gets the socket in a message (`SCM_RIGHTS`, unix(7)), and the bytes to send with it.
fn passed(stream: &TcpStream, message: &[u8]) -> Result<()> {
    let (ours, theirs) = UnixStream::pair()?;
    let mut child = Command::new(env::current_exe()?);
    let mut child = child.arg("receiver").stdin(Stdio::from(OwnedFd::from(theirs))).spawn()?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let sockets = [stream.as_fd()];
    control.push(SendAncillaryMessage::ScmRights(&sockets));
    sendmsg(&ours, &[IoSlice::new(message)], &mut control, SendFlags::empty())?;
    child.wait()?;
    Ok(())
}

fn receive_and_send(from: &UnixStream) -> Result<String> {
    let mut message = vec![0; MESSAGE_BYTES_MAX];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let count = recvmsg(from, &mut [IoSliceMut::new(&mut message)], &mut control, RecvFlags::empty())?.bytes;
    message.truncate(count);
    let passed = control.drain().find_map(|item| match item {
        RecvAncillaryMessage::ScmRights(mut sockets) => sockets.next(),
        _ => None,
    });
    let stream = TcpStream::from(passed.context("no socket came")?);
    let sent = (&stream).write_all(&message);
    end_of(&stream, sent)
}

fn end_of(mut stream: &TcpStream, sent: io::Result<()>) -> Result<String> {
    if let Err(error) = sent {
        return Ok(kind(&error));
    }
    // A connection that was cut off has nothing to shut down, and says so when it is read.
    let _ = stream.shutdown(Shutdown::Write);
    stream.set_read_timeout(Some(END_WITHIN))?;
    let mut bytes = Vec::new();
    Ok(stream.read_to_end(&mut bytes).map_or_else(|error| kind(&error), |_| answered(&bytes)))
}

fn kind(error: &io::Error) -> String {
    format!("{:?}", error.kind())
}

fn answered(bytes: &[u8]) -> String {
    format!("Answered {}", bytes.escape_ascii())
}

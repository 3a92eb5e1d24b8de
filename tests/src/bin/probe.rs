//! A client program for the tests that need one that writes exactly what it is told, and says how each connection ended.
//! It runs inside a namespace, as any client does.
//!
//! ```text
//! probe pieces ADDRESS            each line of stdin is one piece in hexadecimal, sent in a packet of its own and
//!                                 answered by a line `sent`; the line `answer` has it read the head of an HTTP answer
//!                                 and print its first line; at the end of stdin it reads until the connection ends
//! probe connects ADDRESS N NAME   N times: connect, ask for a tunnel to hI.NAME (I from 0), read until the end
//! probe cuts ADDRESS PORT         the first line of stdin is a message in hexadecimal; each further line has places at
//!                                 which it is cut, and is one connection from the next local port, PORT the first; its
//!                                 pieces leave one by one, then it shuts down and reads until the end
//! ```
//!
//! How a connection ended is a line `ended KIND`: the kind of the error, or `Answered` with the bytes that came.

use std::{
    env,
    io::{self, BufRead as _, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream},
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use monitor_tests::client::{connect_request, cut, from_hex};
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

/// An end that does not come is an end by `WouldBlock`: the test then fails instead of waiting for ever.
const END_WITHIN: Duration = Duration::from_secs(8);

/// Long enough for a piece to leave by itself; whoever counts on it looks at the packets.
const PAUSE_BETWEEN_PIECES: Duration = Duration::from_micros(300);

/// Connections at a time for `cuts`. Fewer than the pieces that the kernel programs keep at once.
const CUTS_AT_ONCE: u16 = 16;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["pieces", address] => pieces(address.parse()?),
        ["connects", address, number, name] => connects(address.parse()?, number.parse()?, name),
        ["cuts", address, port] => cuts(address.parse()?, port.parse()?),
        _ => bail!("see the head of probe.rs for what it takes"),
    }
}

fn pieces(address: SocketAddr) -> Result<()> {
    let mut stream = open(address)?;
    let mut ended = None;
    for line in io::stdin().lock().lines() {
        let line = line?;
        if line == "answer" {
            println!("answer {}", first_line(&mut stream)?);
            continue;
        }
        let piece = from_hex(&line).context("a piece is not hexadecimal")?;
        match stream.write_all(&piece) {
            Ok(()) => println!("sent"),
            Err(error) => ended = Some(error),
        }
    }
    println!("ended {}", ended.map_or_else(|| end_of(&mut stream), |error| format!("{:?}", error.kind())));
    Ok(())
}

/// Reads byte by byte, so that nothing after the head is taken from the stream.
fn first_line(stream: &mut TcpStream) -> Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned())
}

fn connects(address: SocketAddr, number: usize, name: &str) -> Result<()> {
    for index in 0..number {
        let mut stream = open(address)?;
        let end = match stream.write_all(&connect_request(&format!("h{index}.{name}"))) {
            Ok(()) => end_of(&mut stream),
            Err(error) => format!("{:?}", error.kind()),
        };
        println!("ended {end}");
    }
    Ok(())
}

fn cuts(address: SocketAddr, first_port: u16) -> Result<()> {
    let lines: Vec<String> = io::stdin().lock().lines().collect::<io::Result<_>>()?;
    let (message, lines) = lines.split_first().context("no message")?;
    let message = from_hex(message).context("the message is not hexadecimal")?;
    let next = AtomicU16::new(0);
    let work = || -> Result<()> {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(line) = lines.get(usize::from(index)) else {
                return Ok(());
            };
            let places = line.split(' ').map(str::parse).collect::<Result<Vec<usize>, _>>()?;
            println!("ended {}", send_cut(address, first_port + index, &cut(&message, &places)?)?);
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..CUTS_AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow!("a thread panicked"))?)
    })
}

fn send_cut(address: SocketAddr, port: u16, pieces: &[Vec<u8>]) -> Result<String> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, port))).with_context(|| format!("bind port {port}"))?;
    connect(&socket, &address)?;
    let mut stream = ready(TcpStream::from(socket))?;
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            thread::sleep(PAUSE_BETWEEN_PIECES);
        }
        if let Err(error) = stream.write_all(piece) {
            return Ok(format!("{:?}", error.kind()));
        }
    }
    // A connection that was cut off has nothing to shut down, and says so when it is read.
    let _ = stream.shutdown(Shutdown::Write);
    Ok(end_of(&mut stream))
}

fn open(address: SocketAddr) -> Result<TcpStream> {
    ready(TcpStream::connect(address)?)
}

fn ready(stream: TcpStream) -> Result<TcpStream> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(END_WITHIN))?;
    Ok(stream)
}

fn end_of(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => format!("Answered {}", bytes.escape_ascii()),
        Err(error) => format!("{:?}", error.kind()),
    }
}

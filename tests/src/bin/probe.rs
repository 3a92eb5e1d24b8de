//! A client program for the tests that need one that writes exactly what it is told, and says how each connection ended.
//! It runs inside a namespace, as any client does.
//!
//! ```text
//! probe pieces ADDRESS            each line of stdin is one piece in hexadecimal, sent in a packet of its own and
//!                                 answered by a line `sent`; the line `answer` has it read the head of an HTTP answer
//!                                 and print its first line; at the end of stdin it reads until the connection ends
//! probe connects ADDRESS N NAME   N times: connect, ask for a tunnel to hI.NAME (I from 0), read until the end
//! ```
//!
//! How a connection ended is a line `ended KIND`: the kind of the error, or `Answered` with the bytes that came.

use std::{
    env,
    io::{self, BufRead as _, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use monitor_tests::client::{connect_request, from_hex};

/// An end that does not come is an end by `WouldBlock`: the test then fails instead of waiting for ever.
const END_WITHIN: Duration = Duration::from_secs(8);

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["pieces", address] => pieces(address.parse()?),
        ["connects", address, number, name] => connects(address.parse()?, number.parse()?, name),
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

fn open(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
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

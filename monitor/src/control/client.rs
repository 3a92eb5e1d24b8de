//! The other end: one request to a daemon's control socket.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

/// Bytes of an answer that is taken as a whole: a thousand proxies in a status are a quarter of it.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Rejected {
    /// Nobody is there.
    #[error(
        "no proxysight answers at {}; start one with `proxysight run --mode audit`, or name its socket with --control",
        path.display()
    )]
    NoDaemon {
        /// Where.
        path: PathBuf,
    },
    /// The file's mode keeps this user out.
    #[error("this user may not use the control socket {}: run it as root", path.display())]
    NotAllowed {
        /// Where.
        path: PathBuf,
    },
    /// The system refuses for another reason.
    #[error("connect to the control socket {}", path.display())]
    Connect {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The daemon does not do it.
    #[error("the daemon refuses ({status}): {reason}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it says.
        reason: String,
    },
    /// The answer ended before its end, or is none.
    #[error("the daemon's answer broke off: it ended, or something else listens there")]
    BrokenOff(#[source] hyper::Error),
    /// The answer is longer than any of these.
    #[error("the daemon's answer is longer than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
}

/// An answer whose head has come.
pub struct Answer {
    body: Incoming,
}

/// A request without a body.
struct Empty;

impl Body for Empty {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<io::Result<Frame<Bytes>>>> {
        std::task::Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(0)
    }
}

/// Asks the daemon at a socket for a path; runs inside a tokio runtime.
///
/// # Errors
/// Nobody is there, or what is there does not do it.
pub async fn get(socket: &Path, path: &str) -> Result<Answer, Rejected> {
    let to_path = || socket.to_owned();
    let stream = UnixStream::connect(socket).await.map_err(|source| match source.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => Rejected::NoDaemon { path: to_path() },
        ErrorKind::PermissionDenied => Rejected::NotAllowed { path: to_path() },
        _ => Rejected::Connect { path: to_path(), source },
    })?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(Rejected::BrokenOff)?;
    // What goes wrong on the connection is told to whoever reads the answer.
    tokio::spawn(async { drop(connection.await) });
    let mut request = Request::new(Empty);
    if let Ok(uri) = path.parse() {
        *request.uri_mut() = uri;
    }
    request.headers_mut().insert(HOST, hyper::header::HeaderValue::from_static("localhost"));
    let response: Response<Incoming> = sender.send_request(request).await.map_err(Rejected::BrokenOff)?;
    let status = response.status();
    let answer = Answer { body: response.into_body() };
    if status.is_success() {
        return Ok(answer);
    }
    let reason = answer.whole().await?;
    let reason = serde_json::from_slice::<serde_json::Value>(&reason)
        .ok()
        .and_then(|json| Some(json.get("error")?.as_str()?.to_owned()))
        .unwrap_or_else(|| "without a reason".to_owned());
    Err(Rejected::Refused { status: status.as_u16(), reason })
}

impl Answer {
    /// The next part of the body; none at its end.
    ///
    /// # Errors
    /// It broke off.
    pub async fn part(&mut self) -> Result<Option<Bytes>, Rejected> {
        loop {
            match poll_fn(|context| Pin::new(&mut self.body).poll_frame(context)).await {
                None => return Ok(None),
                Some(frame) => {
                    // What is no data are trailers, which say nothing here.
                    if let Ok(bytes) = frame.map_err(Rejected::BrokenOff)?.into_data() {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }

    /// All of the body.
    ///
    /// # Errors
    /// It broke off, or is too long.
    pub async fn whole(mut self) -> Result<Vec<u8>, Rejected> {
        let mut all = BytesMut::new();
        while let Some(part) = self.part().await? {
            if all.len() + part.len() > ANSWER_BYTES_MAX {
                return Err(Rejected::TooLong);
            }
            all.extend_from_slice(&part);
        }
        Ok(all.into())
    }
}

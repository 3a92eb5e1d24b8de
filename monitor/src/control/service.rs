//! One request, one answer: what each path gives, and who gets it.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::{Question, Route, Status};
use crate::stream::{Form, Live, READERS_MAX, Reader};

/// How long the pipeline may take to tell how it is. It looks at questions after each turn, which takes milliseconds.
const ANSWER_TIME: Duration = Duration::from_secs(5);

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";
const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Who used the socket, counted.
#[derive(Debug, Default)]
pub struct Counts {
    /// Connections at this moment.
    pub(super) connections: AtomicUsize,
    /// Connections that were one too many.
    pub(super) refused: AtomicU64,
    /// Connections of users who may not.
    pub(super) denied: AtomicU64,
    /// Connections that the system could not give.
    pub(super) failed: AtomicU64,
}

/// The same at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Connections at this moment.
    pub connections: usize,
    /// Connections that were one too many.
    pub refused: u64,
    /// Connections of users who may not.
    pub denied: u64,
    /// Connections that the system could not give: it had no descriptor left, for example.
    pub failed: u64,
}

impl Counts {
    /// As they are.
    pub fn usage(&self) -> Usage {
        Usage {
            connections: self.connections.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            denied: self.denied.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }
}

/// How a connection was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It may ask.
    Granted,
    /// It is one too many, and is told so.
    TooMany,
    /// It is another user's, and is told so.
    Denied,
}

/// What answers are made of.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) live: Arc<Live>,
    pub(super) questions: mpsc::Sender<Question>,
    pub(super) counts: Arc<Counts>,
}

/// An answer's body: all of it, or rows for as long as there are any.
pub(super) enum Content {
    Whole(Option<Bytes>),
    Rows(Reader),
}

impl Service {
    /// Answers; a refusal is an answer too.
    pub(super) async fn answer<B>(
        self,
        admission: Admission,
        request: Request<B>,
    ) -> Result<Response<Content>, Infallible> {
        let (status, kind, content) = match admission {
            Admission::Granted => self.granted(&request).await,
            Admission::TooMany => {
                refusal(StatusCode::SERVICE_UNAVAILABLE, "too many connections to the control socket; try again later")
            }
            Admission::Denied => refusal(StatusCode::FORBIDDEN, "only root may use the control socket"),
        };
        let mut response = Response::new(content);
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        Ok(response)
    }

    async fn granted<B>(&self, request: &Request<B>) -> Answer {
        let uri = request.uri();
        match Route::of(request.method().as_str(), uri.path(), uri.query()) {
            Ok(Route::Status) => match self.status().await.map(|status| serde_json::to_vec(&status)) {
                Some(Ok(json)) => whole(StatusCode::OK, JSON, json),
                Some(Err(error)) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
                None => busy(),
            },
            Ok(Route::Metrics) => match self.status().await {
                Some(status) => whole(StatusCode::OK, METRICS, status.metrics().into_bytes()),
                None => busy(),
            },
            Ok(Route::Stream(form)) => match self.live.read(form) {
                Some(reader) => {
                    let kind = match form {
                        Form::Json => NDJSON,
                        Form::Text => TEXT,
                    };
                    (StatusCode::OK, kind, Content::Rows(reader))
                }
                None => {
                    self.counts.refused.fetch_add(1, Ordering::Relaxed);
                    let reason = format!("there are {READERS_MAX} streams already; end one, or try again later");
                    refusal(StatusCode::SERVICE_UNAVAILABLE, &reason)
                }
            },
            Err(reason) => {
                let status = match reason {
                    super::Refusal::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
                    super::Refusal::Path(_) => StatusCode::NOT_FOUND,
                    super::Refusal::Parameter(_) | super::Refusal::Format(_) => StatusCode::BAD_REQUEST,
                };
                refusal(status, &reason.to_string())
            }
        }
    }

    /// Asks the pipeline. None: it did not answer in time.
    async fn status(&self) -> Option<Status> {
        let (question, answer) = oneshot::channel();
        let asked = async {
            self.questions.send(question).await.ok()?;
            answer.await.ok()
        };
        timeout(ANSWER_TIME, asked).await.ok().flatten()
    }
}

type Answer = (StatusCode, &'static str, Content);

fn whole(status: StatusCode, kind: &'static str, bytes: Vec<u8>) -> Answer {
    (status, kind, Content::Whole(Some(bytes.into())))
}

fn busy() -> Answer {
    refusal(StatusCode::SERVICE_UNAVAILABLE, "the daemon is too busy to answer, or about to end; try again")
}

fn refusal(status: StatusCode, reason: &str) -> Answer {
    whole(status, JSON, serde_json::json!({ "error": reason }).to_string().into_bytes())
}

impl Body for Content {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Rows(reader) => reader.poll_rows(context).map(|rows| rows.map(|rows| rows.map(Frame::data))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX)))
            }
            Self::Rows(_) => SizeHint::default(),
        }
    }
}

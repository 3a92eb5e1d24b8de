//! What a request asks for. Pure: the inputs are hostile, and nothing else of a request is looked at.

use crate::stream::Form;

/// Longest part of a request that is repeated in an answer.
const SHOWN_CHARS_MAX: usize = 80;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// How the daemon is.
    Status,
    /// Records as they are made.
    Stream(Form),
    /// The counters, in Prometheus' text format.
    Metrics,
}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Only GET is known.
    #[error("the method {0} is not known here: use GET")]
    Method(String),
    /// There is nothing at this path.
    #[error("there is nothing at {0}: there is /v1/status, /v1/stream and /metrics")]
    Path(String),
    /// A parameter that the path does not take.
    #[error("the parameter {0} is not known here: /v1/stream takes format, the others take none")]
    Parameter(String),
    /// A form that there is not.
    #[error("format={0} is not known: it is text or json")]
    Format(String),
}

impl Route {
    /// What a request's line asks for: method, path, and what stands behind the question mark.
    ///
    /// # Errors
    /// The first part of it that is not known.
    pub fn of(method: &str, path: &str, query: Option<&str>) -> Result<Self, Refusal> {
        let route = match path {
            "/v1/status" => Self::Status,
            "/v1/stream" => Self::Stream(Form::Json),
            "/metrics" => Self::Metrics,
            _ => return Err(Refusal::Path(shown(path))),
        };
        if method != "GET" {
            return Err(Refusal::Method(shown(method)));
        }
        query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).try_fold(route, Self::with)
    }

    fn with(self, pair: &str) -> Result<Self, Refusal> {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (self, name, value) {
            (Self::Stream(_), "format", "json") => Ok(Self::Stream(Form::Json)),
            (Self::Stream(_), "format", "text") => Ok(Self::Stream(Form::Text)),
            (Self::Stream(_), "format", _) => Err(Refusal::Format(shown(value))),
            (Self::Stream(_) | Self::Status | Self::Metrics, ..) => Err(Refusal::Parameter(shown(name))),
        }
    }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, query: Option<&str>, expect: Result<Route, Refusal>) {
        assert_eq!(Route::of("GET", path, query), expect, "{path} {query:?}");
    }

    #[test]
    fn each_path_has_its_parameters_and_no_others() {
        check("/v1/status", None, Ok(Route::Status));
        check("/metrics", Some(""), Ok(Route::Metrics));
        check("/v1/stream", None, Ok(Route::Stream(Form::Json)));
        check("/v1/stream", Some("format=json&format=text"), Ok(Route::Stream(Form::Text)));
        check("/v1/stream", Some("format"), Err(Refusal::Format(String::new())));
        check("/v1/stream", Some("format=xml"), Err(Refusal::Format("xml".to_owned())));
        check("/v1/stream", Some("where=1"), Err(Refusal::Parameter("where".to_owned())));
        check("/v1/status", Some("format=json"), Err(Refusal::Parameter("format".to_owned())));
        check("/v1/status/", None, Err(Refusal::Path("/v1/status/".to_owned())));
    }

    #[test]
    fn only_get_is_known_and_little_is_repeated() {
        assert_eq!(Route::of("POST", "/v1/status", None), Err(Refusal::Method("POST".to_owned())));
        assert_eq!(Route::of("GET", &"/ä".repeat(4000), None), Err(Refusal::Path("/ä".repeat(40))));
    }
}

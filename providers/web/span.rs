//! The span of a request: its method, whose host is asked, and what it answered. Paths, queries, heads and bodies may be secret.

use reqwest::{Method, RequestBuilder, Response, Url};
use tracing::Span;
use tracing::field::Empty;

use super::Broken;
use crate::trace::{failed, traced};

/// The span of one request; without a URL its host is not named.
pub fn of_request(method: &Method, url: Option<&Url>) -> Span {
    tracing::info_span!(
        "request",
        otel.name = method.as_str(),
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = method.as_str(),
        server.address = url.and_then(Url::host_str),
        server.port = url.and_then(Url::port_or_known_default).map(i64::from),
        http.response.status_code = Empty,
        error.type = Empty,
    )
}

/// It was answered with this status.
pub fn answered(span: &Span, status: u16) {
    span.record("http.response.status_code", i64::from(status));
    if status >= 400 {
        failed(span, &status.to_string());
    }
}

/// Sends it within a span of its own.
pub async fn sent(request: RequestBuilder) -> Result<Response, Broken> {
    let (client, request) = request.build_split();
    let request = request.map_err(|error| Broken::from(&error))?;
    let span = of_request(request.method(), Some(request.url()));
    let sending = async { client.execute(request).await.map_err(|error| Broken::from(&error)) };
    let answer = traced(span.clone(), sending, Broken::name).await?;
    answered(&span, answer.status().as_u16());
    Ok(answer)
}

//! Frames to WebSocket connections, through the gateway that holds them.

use std::time::Duration;

use aws_sdk_apigatewaymanagement::{
    Client,
    config::{Builder, http::HttpResponse},
    error::SdkError,
    operation::post_to_connection::PostToConnectionError,
    primitives::Blob,
};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use domain::{Error, Result};
use edge::App;
use jiff::{SignedDuration, Timestamp};
use store::connections::Connection;

/// The gateway takes a frame for a connection within milliseconds. Who needs longer holds the others
/// up.
const PATIENCE: Duration = Duration::from_secs(3);
/// The status of a connection that is not there.
const GONE: u16 = 410;
/// A connection this young may not be open yet: the gateway does not know it until its handshake is
/// over.
const OPENING: SignedDuration = SignedDuration::from_secs(10);

/// What became of a frame.
#[derive(Debug)]
pub enum Posted {
    /// It is on its way.
    Sent,
    /// The connection is not there: not any more, or not yet.
    Gone,
    /// The connection did not take it: too much waits for it, or it took too long.
    Refused(String),
    /// The gateway did not answer as it should: no fault of the connection's.
    Failed(Error),
}

/// The gateway.
#[derive(Debug)]
pub struct Sockets {
    client: Client,
}

impl Sockets {
    /// The gateway at this address: `https://<api>.execute-api.<region>.<suffix>/<stage>`.
    pub fn new(app: &App, address: &str) -> Self {
        Self::at(app, here(address, app.sdk.endpoint_url()))
    }

    /// The gateway at exactly this address.
    pub fn at(app: &App, address: String) -> Self {
        let timeouts = TimeoutConfig::builder()
            .operation_timeout(PATIENCE)
            .operation_attempt_timeout(PATIENCE)
            .build();
        let config = Builder::from(&app.sdk)
            .endpoint_url(address)
            .retry_config(RetryConfig::standard().with_max_attempts(2))
            .timeout_config(timeouts)
            .build();
        Self {
            client: Client::from_conf(config),
        }
    }

    /// Posts one frame.
    pub async fn post(&self, connection: &str, frame: &str) -> Posted {
        let post = self.client.post_to_connection().connection_id(connection);
        match post.data(Blob::new(frame.as_bytes())).send().await {
            Ok(_) => Posted::Sent,
            // Whatever name the body gives it.
            Err(error) if is_gone(error.raw_response()) => Posted::Gone,
            Err(SdkError::TimeoutError(_)) => Posted::Refused("too slow".to_owned()),
            Err(error) => match error.into_service_error() {
                full @ (PostToConnectionError::LimitExceededException(_)
                | PostToConnectionError::PayloadTooLargeException(_)) => {
                    Posted::Refused(full.to_string())
                }
                other => Posted::Failed(Error::unavailable(other)),
            },
        }
    }

    /// Whether a connection is there.
    ///
    /// # Errors
    /// The gateway did not answer as it should.
    pub async fn is_open(&self, connection: &str) -> Result<bool> {
        let get = self.client.get_connection().connection_id(connection);
        match get.send().await {
            Ok(_) => Ok(true),
            Err(error) if is_gone(error.raw_response()) => Ok(false),
            Err(error) => Err(Error::unavailable(error.into_service_error())),
        }
    }

    /// Closes a connection for good: its client comes back, and asks for what it missed.
    ///
    /// # Errors
    /// The datastore did not answer. That the gateway did not, is no error: the connection may be
    /// gone.
    pub async fn close(&self, app: &App, connection: &str) -> Result<()> {
        let delete = self.client.delete_connection().connection_id(connection);
        let _ = delete.send().await;
        app.store.disconnect(connection).await
    }
}

fn is_gone(response: Option<&HttpResponse>) -> bool {
    response.is_some_and(|it| it.status().as_u16() == GONE)
}

/// Whether a connection that is gone may be one that is not there yet.
pub fn is_opening(connection: &Connection, now: Timestamp) -> bool {
    now.duration_since(connection.connected_at) < OPENING
}

/// The address of the gateway here: with an endpoint of its own, a local stack, it is a path there.
fn here(address: &str, endpoint: Option<&str>) -> String {
    let Some(endpoint) = endpoint else {
        return address.to_owned();
    };
    let rest = address.trim_start_matches("https://");
    let (host, stage) = rest.split_once('/').unwrap_or((rest, ""));
    let api = host.split('.').next().unwrap_or_default();
    let endpoint = endpoint.trim_end_matches('/');
    format!("{endpoint}/_aws/execute-api/{api}/{stage}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_is_where_the_address_says_unless_the_stack_is_local() {
        let address = "https://a1b2.execute-api.eu-central-1.amazonaws.com/ws";
        assert_eq!(here(address, None), address);
        assert_eq!(
            here(address, Some("http://127.0.0.1:4566/")),
            "http://127.0.0.1:4566/_aws/execute-api/a1b2/ws"
        );
    }
}

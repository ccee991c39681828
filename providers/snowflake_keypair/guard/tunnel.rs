//! A tunnel: what the client and its endpoint say to each other is passed on as it is, and counted.

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, split};

use super::route::Stream;

/// The answer is longer than it may be.
pub(super) struct Endless;

/// Passes on both ways until one side goes, or more than `longest` bytes come back.
pub(super) async fn pass_on(client: Upgraded, endpoint: Box<dyn Stream>, longest: usize) -> Result<(), Endless> {
    let (mut from_client, mut to_client) = split(TokioIo::new(client));
    let (from_endpoint, mut to_endpoint) = split(endpoint);
    let longest = longest as u64;
    let asking = async {
        // Whoever is not there any more is not told.
        let _ = copy(&mut from_client, &mut to_endpoint).await;
    };
    let answering = async {
        let received = copy(&mut from_endpoint.take(longest + 1), &mut to_client).await;
        if received.is_ok_and(|received| received > longest) {
            return;
        }
        let _ = to_client.shutdown().await;
        // Its last bytes are still on their way: the client closes the tunnel.
        std::future::pending().await
    };
    tokio::select! {
        () = asking => Ok(()),
        () = answering => Err(Endless),
    }
}

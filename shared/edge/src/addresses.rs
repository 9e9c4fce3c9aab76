//! An agent's address, checked with its names looked up.

use domain::address::{AgentUrl, Reach, Refused, all_allowed};

/// The URL, if it and everything its host resolves to may be called.
///
/// What resolves well here may resolve otherwise later: whoever calls the agent checks again, on
/// the address it connects to.
///
/// # Errors
/// Why not, for the log: callers are told nothing of our network.
pub async fn reachable(text: &str, reach: &Reach) -> Result<AgentUrl, Refused> {
    let url = AgentUrl::parse(text, reach)?;
    if url.literal().is_none() {
        let host = url.url().host_str().unwrap_or_default().to_owned();
        let port = url.url().port_or_known_default().unwrap_or(80);
        let found = tokio::net::lookup_host((host, port)).await;
        let addresses = found.map_err(|_| Refused::Unresolved)?;
        all_allowed(addresses.map(|address| address.ip()), reach)?;
    }
    Ok(url)
}

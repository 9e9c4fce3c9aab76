//! The resolver of the client that calls agents: it hands out only addresses that may be called,
//! and the client connects to exactly those. What a name resolved to when it was stored does not
//! matter here.

use std::net::SocketAddr;

use domain::address::{Reach, Refused, all_allowed};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Resolves with the system's resolver and lets through what `reach` allows.
#[derive(Debug)]
pub(super) struct Guard {
    reach: Reach,
}

impl Guard {
    pub(super) fn new(reach: Reach) -> Self {
        Self { reach }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.reach.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let addresses = found.map_err(|_| Refused::Unresolved)?;
            let allowed = all_allowed(addresses.map(|address| address.ip()), &reach)?;
            let sockets = allowed.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(sockets) as Addrs)
        })
    }
}

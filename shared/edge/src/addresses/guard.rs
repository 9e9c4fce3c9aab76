//! The resolver of the guarded client: it hands out only addresses that may be called, and the
//! client connects to exactly those. What a name resolved to when it was stored does not matter
//! here.

use std::net::SocketAddr;

use domain::address::Reach;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Names;

/// Resolves, and lets through what `reach` allows.
#[derive(Debug)]
pub(super) struct Guard {
    names: Names,
    reach: Reach,
}

impl Guard {
    pub(super) fn new(names: Names, reach: Reach) -> Self {
        Self { names, reach }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, reach) = (self.names.clone(), self.reach.clone());
        Box::pin(async move {
            let allowed = names.allowed(name.as_str(), &reach).await?;
            let sockets = allowed.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(sockets) as Addrs)
        })
    }
}

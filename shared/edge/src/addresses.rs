//! Where others may send us: addresses that agents register, and token services that registries name.
//!
//! One filter ([`domain::address`]) judges the text, one resolver what names stand for, and
//! one HTTP client connects to what was judged.

mod guard;

use std::{fmt, io, net::IpAddr, pin::Pin, sync::Arc};

use domain::address::{AgentUrl, Reach, Refused, all_allowed};
use reqwest::{Client, ClientBuilder, redirect::Policy};

use guard::Guard;

/// What a name is looked up by.
pub type Looking<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Tells what a name stands for.
pub trait Lookup: fmt::Debug + Send + Sync {
    /// Its addresses now.
    fn look_up<'a>(&'a self, name: &'a str) -> Looking<'a>;
}

/// The system's resolver.
#[derive(Debug)]
struct System;

impl Lookup for System {
    fn look_up<'a>(&'a self, name: &'a str) -> Looking<'a> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Who is asked what names stand for.
#[derive(Debug, Clone)]
pub struct Names(Arc<dyn Lookup>);

impl Names {
    /// The system's resolver.
    pub fn system() -> Self {
        Self::by(System)
    }

    /// Another one: tests play a name server that lies.
    pub fn by(lookup: impl Lookup + 'static) -> Self {
        Self(Arc::new(lookup))
    }

    /// What a name stands for, if all of that may be called.
    async fn allowed(&self, name: &str, reach: &Reach) -> Result<Vec<IpAddr>, Refused> {
        let found = self.0.look_up(name).await;
        all_allowed(found.map_err(|_| Refused::Unresolved)?, reach)
    }

    /// The URL, if it and everything its host resolves to may be called.
    ///
    /// What resolves well here may resolve otherwise later: whoever calls the agent checks again, on
    /// the address it connects to.
    ///
    /// # Errors
    /// Why not, for the log: callers are told nothing of our network.
    pub async fn reachable(&self, text: &str, reach: &Reach) -> Result<AgentUrl, Refused> {
        let url = AgentUrl::parse(text, reach)?;
        if url.literal().is_none() {
            let host = url.url().host_str().unwrap_or_default();
            self.allowed(host, reach).await?;
        }
        Ok(url)
    }

    /// An HTTP client that connects to names only where `reach` allows every address they stand
    /// for, and to exactly those; follows no redirect, and uses no proxy. It does not see literal
    /// addresses: [`AgentUrl::parse`] must have judged each URL it is given.
    pub fn client(&self, reach: &Reach) -> ClientBuilder {
        Client::builder()
            .dns_resolver(Arc::new(Guard::new(self.clone(), reach.clone())))
            .redirect(Policy::none())
            .no_proxy()
    }
}

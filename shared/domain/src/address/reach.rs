//! How far calls may reach, and the verdict on an address.

use std::net::IpAddr;

use super::{Range, Refused, range};
use crate::mode::Mode;

/// How far calls to agents may reach. Nothing opens link-local, metadata, multicast or reserved
/// addresses.
///
/// | | global unicast | loopback | private (RFC 1918, `fd00::/8`) | shared (`100.64.0.0/10`) |
/// |---|---|---|---|---|
/// | [`PUBLIC`](Self::PUBLIC) | yes | no | recorded only | recorded only |
/// | [`LOCAL`](Self::LOCAL) | yes | yes | yes | recorded only |
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    local: bool,
    recorded: Vec<IpAddr>,
}

impl Reach {
    /// Every deployed stack, and the default: the internet, nothing of our own network.
    pub const PUBLIC: Self = Self {
        local: false,
        recorded: Vec::new(),
    };

    /// Development: agents run beside the control plane, so loopback and private ranges are open
    /// too.
    pub const LOCAL: Self = Self {
        local: true,
        recorded: Vec::new(),
    };

    /// Adds exactly these addresses: private ones of instances the control plane launched itself.
    ///
    /// Pass what the target workspace's own record holds, not the fleet's: with all of them, one
    /// agent could register another's address. A recorded address outside the private and shared
    /// ranges, where VPCs live, opens nothing: a record that says loopback or link-local is wrong.
    #[must_use]
    pub fn with_recorded(mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.recorded
            .extend(addresses.into_iter().map(|ip| ip.to_canonical()));
        self
    }

    /// Whether loopback and private ranges are open.
    pub fn is_local(&self) -> bool {
        self.local
    }

    fn records(&self, ip: IpAddr) -> bool {
        self.recorded.contains(&ip.to_canonical())
    }
}

impl From<Mode> for Reach {
    /// Closed doors make no difference here: in development the agents are still next door.
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Dev | Mode::DevClosed => Self::LOCAL,
            Mode::Strict => Self::PUBLIC,
        }
    }
}

/// Judges one address. An IPv4-mapped one (`::ffff:a.b.c.d`) is judged as the IPv4 address a
/// connection would reach.
///
/// # Errors
/// The range that keeps it out, as [`Refused::Address`].
pub fn allowed(ip: IpAddr, reach: &Reach) -> Result<(), Refused> {
    match range::of(ip) {
        None => Ok(()),
        Some(Range::Loopback) if reach.local => Ok(()),
        Some(Range::Private) if reach.local || reach.records(ip) => Ok(()),
        Some(Range::Shared) if reach.records(ip) => Ok(()),
        Some(range) => Err(Refused::Address(range)),
    }
}

/// Judges what a name resolved to, and returns the addresses to connect to, IPv4-mapped ones as
/// IPv4.
///
/// One bad address refuses them all: an answer that mixes public and internal addresses is an
/// attack (DNS rebinding), and picking the good ones would let the attacker choose the moment.
///
/// # Errors
/// The first bad address's range, or [`Refused::Unresolved`] if there is no address at all.
pub fn all_allowed(
    addresses: impl IntoIterator<Item = IpAddr>,
    reach: &Reach,
) -> Result<Vec<IpAddr>, Refused> {
    let addresses = addresses
        .into_iter()
        .map(|ip| allowed(ip, reach).map(|()| ip.to_canonical()))
        .collect::<Result<Vec<_>, _>>()?;
    if addresses.is_empty() {
        return Err(Refused::Unresolved);
    }
    Ok(addresses)
}

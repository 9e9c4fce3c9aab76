//! The address ranges that are not the public internet, from the IANA special-purpose registries.
//!
//! They are written out because the standard library's predicates draw other borders, and its
//! `is_global` is unstable. What the tables do not name is public: all other IPv4, and of IPv6 only
//! what lies in `2000::/3`.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::{Ipv4Net, Ipv6Net};

/// Why an address is not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// "This network", and the unspecified address: many systems connect `0.0.0.0` to themselves.
    Unspecified,
    /// The machine itself.
    Loopback,
    /// The local link. Cloud metadata services live here.
    LinkLocal,
    /// A cloud's own services at addresses that otherwise look private or public.
    Metadata,
    /// Private networks: RFC 1918, and the locally assigned half of IPv6 unique local addresses.
    Private,
    /// Shared address space between a carrier and its customers (RFC 6598); VPCs use it too.
    Shared,
    /// Multicast, never one agent.
    Multicast,
    /// For examples in texts.
    Documentation,
    /// IPv6 that embeds an IPv4 address: a translator or tunnel on the path could lead anywhere.
    Embedded,
    /// Reserved, deprecated, unassigned, or of a protocol that is not an agent's.
    Reserved,
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "unspecified",
            Self::Loopback => "loopback",
            Self::LinkLocal => "link-local",
            Self::Metadata => "metadata service",
            Self::Private => "private",
            Self::Shared => "shared",
            Self::Multicast => "multicast",
            Self::Documentation => "documentation",
            Self::Embedded => "embedded IPv4",
            Self::Reserved => "reserved",
        })
    }
}

/// The range that keeps an address from being public, if any. The first match counts.
pub(super) fn of(ip: IpAddr) -> Option<Range> {
    match ip.to_canonical() {
        IpAddr::V4(ip) => V4
            .iter()
            .find(|(net, _)| net.contains(&ip))
            .map(|&(_, range)| range),
        IpAddr::V6(ip) => V6
            .iter()
            .find(|(net, _)| net.contains(&ip))
            .map(|&(_, range)| range)
            .or_else(|| (!GLOBAL_UNICAST.contains(&ip)).then_some(Range::Reserved)),
    }
}

const V4: &[(Ipv4Net, Range)] = &[
    (v4([168, 63, 129, 16], 32), Range::Metadata), // Azure's host agent, in public space
    (v4([0, 0, 0, 0], 8), Range::Unspecified),
    (v4([10, 0, 0, 0], 8), Range::Private),
    (v4([100, 64, 0, 0], 10), Range::Shared),
    (v4([127, 0, 0, 0], 8), Range::Loopback),
    (v4([169, 254, 0, 0], 16), Range::LinkLocal),
    (v4([172, 16, 0, 0], 12), Range::Private),
    (v4([192, 0, 0, 0], 24), Range::Reserved), // protocol assignments; Oracle's metadata
    (v4([192, 0, 2, 0], 24), Range::Documentation),
    (v4([192, 88, 99, 0], 24), Range::Reserved), // 6to4 relays, deprecated
    (v4([192, 168, 0, 0], 16), Range::Private),
    (v4([198, 18, 0, 0], 15), Range::Reserved), // benchmarks
    (v4([198, 51, 100, 0], 24), Range::Documentation),
    (v4([203, 0, 113, 0], 24), Range::Documentation),
    (v4([224, 0, 0, 0], 4), Range::Multicast),
    (v4([240, 0, 0, 0], 4), Range::Reserved), // and broadcast
];

const V6: &[(Ipv6Net, Range)] = &[
    (v6([0xfd00, 0xec2], 32), Range::Metadata), // AWS: ::254, and its DNS and time
    // Google's metadata
    (
        v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128),
        Range::Metadata,
    ),
    (v6([], 128), Range::Unspecified),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), Range::Loopback),
    (v6([], 96), Range::Embedded),                   // IPv4-compatible
    (v6([0, 0, 0, 0, 0xffff], 96), Range::Embedded), // IPv4-translated
    (v6([0x64, 0xff9b], 96), Range::Embedded),       // NAT64
    (v6([0x64, 0xff9b, 1], 48), Range::Embedded),    // NAT64, local
    (v6([0x2001], 32), Range::Embedded),             // Teredo
    (v6([0x2001], 23), Range::Reserved),             // protocol assignments
    (v6([0x2001, 0xdb8], 32), Range::Documentation),
    (v6([0x2002], 16), Range::Embedded), // 6to4
    (v6([0x3fff], 20), Range::Documentation),
    (v6([0xfd00], 8), Range::Private),
    (v6([0xfe80], 10), Range::LinkLocal),
    (v6([0xff00], 8), Range::Multicast),
];

/// The only IPv6 block IANA allocates public addresses from; the rest, such as `100::/64`,
/// `5f00::/16`, `fc00::/8` and `fec0::/10`, is reserved.
const GLOBAL_UNICAST: Ipv6Net = v6([0x2000], 3);

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

/// The network whose address starts with these groups and goes on with zeros.
const fn v6<const N: usize>(front: [u16; N], prefix: u8) -> Ipv6Net {
    let mut groups = [0; 8];
    let (head, _) = groups.split_at_mut(N);
    head.copy_from_slice(&front);
    let [a, b, c, d, e, f, g, h] = groups;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix)
}

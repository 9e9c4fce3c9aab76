//! Verdicts on addresses: the first and last of every range, and the neighbours just outside.

use super::{
    Range, Refused,
    tests::{Row, Verdict},
};

const YES: Verdict = Ok(());
const UNSPEC: Verdict = Err(Refused::Address(Range::Unspecified));
const LOOP: Verdict = Err(Refused::Address(Range::Loopback));
const LINK: Verdict = Err(Refused::Address(Range::LinkLocal));
const META: Verdict = Err(Refused::Address(Range::Metadata));
const PRIV: Verdict = Err(Refused::Address(Range::Private));
const SHARED: Verdict = Err(Refused::Address(Range::Shared));
const MULTI: Verdict = Err(Refused::Address(Range::Multicast));
const DOC: Verdict = Err(Refused::Address(Range::Documentation));
const EMBED: Verdict = Err(Refused::Address(Range::Embedded));
const RSVD: Verdict = Err(Refused::Address(Range::Reserved));

/// Address, public reach, local reach.
#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    // 0.0.0.0/8, 10.0.0.0/8
    ("0.0.0.0", UNSPEC, UNSPEC),
    ("0.0.0.1", UNSPEC, UNSPEC),
    ("0.255.255.255", UNSPEC, UNSPEC),
    ("1.0.0.0", YES, YES),
    ("9.255.255.255", YES, YES),
    ("10.0.0.0", PRIV, YES),
    ("10.255.255.255", PRIV, YES),
    ("11.0.0.0", YES, YES),
    // 100.64.0.0/10
    ("100.63.255.255", YES, YES),
    ("100.64.0.0", SHARED, SHARED),
    ("100.100.100.200", SHARED, SHARED), // Alibaba's metadata
    ("100.127.255.255", SHARED, SHARED),
    ("100.128.0.0", YES, YES),
    // 127.0.0.0/8
    ("126.255.255.255", YES, YES),
    ("127.0.0.0", LOOP, YES),
    ("127.0.0.1", LOOP, YES),
    ("127.0.0.53", LOOP, YES),
    ("127.255.255.255", LOOP, YES),
    ("128.0.0.0", YES, YES),
    // Azure's host agent
    ("168.63.129.15", YES, YES),
    ("168.63.129.16", META, META),
    ("168.63.129.17", YES, YES),
    // 169.254.0.0/16
    ("169.253.255.255", YES, YES),
    ("169.254.0.0", LINK, LINK),
    ("169.254.169.123", LINK, LINK),
    ("169.254.169.253", LINK, LINK),
    ("169.254.169.254", LINK, LINK),
    ("169.254.170.2", LINK, LINK),
    ("169.254.255.255", LINK, LINK),
    ("169.255.0.0", YES, YES),
    // 172.16.0.0/12
    ("172.15.255.255", YES, YES),
    ("172.16.0.0", PRIV, YES),
    ("172.31.255.255", PRIV, YES),
    ("172.32.0.0", YES, YES),
    // 192.0.0.0/24, 192.0.2.0/24
    ("191.255.255.255", YES, YES),
    ("192.0.0.0", RSVD, RSVD),
    ("192.0.0.192", RSVD, RSVD), // Oracle's metadata
    ("192.0.0.255", RSVD, RSVD),
    ("192.0.1.0", YES, YES),
    ("192.0.1.255", YES, YES),
    ("192.0.2.0", DOC, DOC),
    ("192.0.2.255", DOC, DOC),
    ("192.0.3.0", YES, YES),
    // 192.88.99.0/24
    ("192.88.98.255", YES, YES),
    ("192.88.99.0", RSVD, RSVD),
    ("192.88.99.255", RSVD, RSVD),
    ("192.88.100.0", YES, YES),
    // 192.168.0.0/16
    ("192.167.255.255", YES, YES),
    ("192.168.0.0", PRIV, YES),
    ("192.168.255.255", PRIV, YES),
    ("192.169.0.0", YES, YES),
    // 198.18.0.0/15, 198.51.100.0/24
    ("198.17.255.255", YES, YES),
    ("198.18.0.0", RSVD, RSVD),
    ("198.19.255.255", RSVD, RSVD),
    ("198.20.0.0", YES, YES),
    ("198.51.99.255", YES, YES),
    ("198.51.100.0", DOC, DOC),
    ("198.51.100.255", DOC, DOC),
    ("198.51.101.0", YES, YES),
    // 203.0.113.0/24
    ("203.0.112.255", YES, YES),
    ("203.0.113.0", DOC, DOC),
    ("203.0.113.255", DOC, DOC),
    ("203.0.114.0", YES, YES),
    // 224.0.0.0/4, 240.0.0.0/4
    ("223.255.255.255", YES, YES),
    ("224.0.0.0", MULTI, MULTI),
    ("224.0.0.255", MULTI, MULTI),
    ("224.0.1.0", MULTI, MULTI),
    ("239.255.255.255", MULTI, MULTI),
    ("240.0.0.0", RSVD, RSVD),
    ("255.255.255.254", RSVD, RSVD),
    ("255.255.255.255", RSVD, RSVD),
    // ::/8: unspecified, loopback, IPv4-compatible, IPv4-mapped, IPv4-translated
    ("::", UNSPEC, UNSPEC),
    ("::1", LOOP, YES),
    ("::2", EMBED, EMBED),
    ("::8.8.8.8", EMBED, EMBED),
    ("::127.0.0.1", EMBED, EMBED),
    ("::ffff:ffff", EMBED, EMBED),
    ("::1:0:0", RSVD, RSVD),
    ("::fffe:ffff:ffff", RSVD, RSVD),
    ("::ffff:0.0.0.0", UNSPEC, UNSPEC),
    ("::ffff:8.8.8.8", YES, YES),
    ("::ffff:10.0.0.1", PRIV, YES),
    ("::ffff:100.64.0.1", SHARED, SHARED),
    ("::ffff:127.0.0.1", LOOP, YES),
    ("::ffff:7f00:1", LOOP, YES),
    ("::ffff:169.254.169.254", LINK, LINK),
    ("::ffff:a9fe:a9fe", LINK, LINK),
    ("::ffff:224.0.0.1", MULTI, MULTI),
    ("::ffff:255.255.255.255", RSVD, RSVD),
    ("::1:0:0:0", RSVD, RSVD),
    ("::ffff:0:8.8.8.8", EMBED, EMBED),
    ("::ffff:0:127.0.0.1", EMBED, EMBED),
    // NAT64: 64:ff9b::/96, 64:ff9b:1::/48
    ("64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", RSVD, RSVD),
    ("64:ff9b::", EMBED, EMBED),
    ("64:ff9b::8.8.8.8", EMBED, EMBED),
    ("64:ff9b::169.254.169.254", EMBED, EMBED),
    ("64:ff9b::ffff:ffff", EMBED, EMBED),
    ("64:ff9b::1:0:0", RSVD, RSVD),
    ("64:ff9b:1::", EMBED, EMBED),
    ("64:ff9b:1:ffff:ffff:ffff:ffff:ffff", EMBED, EMBED),
    ("64:ff9b:2::", RSVD, RSVD),
    // Discard-only, and the edges of 2000::/3
    ("100::", RSVD, RSVD),
    ("100:0:0:1::1", RSVD, RSVD),
    ("1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", RSVD, RSVD),
    ("2000::", YES, YES),
    ("2600:1f00::1", YES, YES),
    ("2606:4700:4700::1111", YES, YES),
    ("3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", YES, YES),
    ("4000::", RSVD, RSVD),
    // 2001::/23: Teredo, benchmarks, ORCHID
    ("2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", YES, YES),
    ("2001::", EMBED, EMBED),
    ("2001:0:ffff:ffff:ffff:ffff:ffff:ffff", EMBED, EMBED),
    ("2001:1::", RSVD, RSVD),
    ("2001:2::1", RSVD, RSVD),
    ("2001:20::1", RSVD, RSVD),
    ("2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", RSVD, RSVD),
    ("2001:200::", YES, YES),
    // 2001:db8::/32, 6to4 2002::/16, 3fff::/20
    ("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", YES, YES),
    ("2001:db8::", DOC, DOC),
    ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", DOC, DOC),
    ("2001:db9::", YES, YES),
    ("2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", YES, YES),
    ("2002::", EMBED, EMBED),
    ("2002:7f00:1::", EMBED, EMBED),
    ("2002:808:808::1", EMBED, EMBED),
    ("2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", EMBED, EMBED),
    ("2003::", YES, YES),
    ("3fff::", DOC, DOC),
    ("3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", DOC, DOC),
    ("3fff:1000::", YES, YES),
    // Segment routing, unique local, link-local, site-local, multicast
    ("5f00::", RSVD, RSVD),
    ("5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", RSVD, RSVD),
    ("fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", RSVD, RSVD),
    ("fc00::", RSVD, RSVD),
    ("fcff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", RSVD, RSVD),
    ("fd00::", PRIV, YES),
    ("fd00:ec1:ffff:ffff:ffff:ffff:ffff:ffff", PRIV, YES),
    ("fd00:ec2::", META, META),
    ("fd00:ec2::253", META, META),
    ("fd00:ec2::254", META, META),
    ("fd00:ec2:ffff:ffff:ffff:ffff:ffff:ffff", META, META),
    ("fd00:ec3::", PRIV, YES),
    ("fd20:ce::253", PRIV, YES),
    ("fd20:ce::254", META, META),
    ("fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", PRIV, YES),
    ("fe00::", RSVD, RSVD),
    ("fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", RSVD, RSVD),
    ("fe80::", LINK, LINK),
    ("fe80::a9fe:a9fe", LINK, LINK),
    ("febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", LINK, LINK),
    ("fec0::", RSVD, RSVD),
    ("feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", RSVD, RSVD),
    ("ff00::", MULTI, MULTI),
    ("ff01::1", MULTI, MULTI),
    ("ff02::1", MULTI, MULTI),
    ("ff15::1", MULTI, MULTI),
    ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", MULTI, MULTI),
];

/// Every IPv4 range that is not public, written a second time: the properties must not read the
/// filter's own table.
pub(super) const BLOCKED_V4: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
];

/// Every IPv6 range that is not public.
pub(super) const BLOCKED_V6: &[&str] = &[
    "::/96",
    "::ffff:0:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
];

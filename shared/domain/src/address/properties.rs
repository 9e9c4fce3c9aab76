//! What holds for every address and every text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::{AgentUrl, Range, Reach, Refused, allowed, tests::verdict, vectors_ip};

/// IPv6 addresses that carry an IPv4 address for a translator or tunnel: NAT64, its local block,
/// 6to4, Teredo, IPv4-compatible and IPv4-translated.
fn embeddings(ip: Ipv4Addr) -> [Ipv6Addr; 6] {
    let bits = u128::from(ip.to_bits());
    [
        (0x64_ff9b << 96) | bits,
        (0x0064_ff9b_0001 << 80) | bits,
        (0x2002 << 112) | (bits << 80),
        (0x2001_0000 << 96) | (bits ^ 0xffff_ffff),
        bits,
        (0xffff << 48) | bits,
    ]
    .map(Ipv6Addr::from_bits)
}

/// The spellings of an IPv4 address that the URL parser folds into it.
fn spellings(ip: Ipv4Addr) -> [String; 7] {
    let bits = ip.to_bits();
    let [a, b, c, d] = ip.octets();
    [
        format!("http://{bits}/"),
        format!("http://{bits:#x}/"),
        format!("http://0{bits:o}/"),
        format!("http://0{a:o}.0{b:o}.0{c:o}.0{d:o}/"),
        format!("http://{a:#x}.{b:#x}.{c:#x}.{d:#x}/"),
        format!("http://{ip}./"),
        format!("http://{a}.{b}%2e{c}.{d}/"),
    ]
}

/// What texts are put together from: parts of hosts, and what moves a parser's idea of where the
/// host is.
const PIECES: &[&str] = &[
    "127",
    "0x7f",
    "0177",
    "8.8.8.8",
    "10.0.0.1",
    "1",
    "0",
    ".",
    ".",
    ".",
    "localhost",
    "Example",
    "com",
    "xn--",
    "[::1]",
    "[2606:4700::1111]",
    "[::ffff:8.8.4.4]",
    "[",
    "]",
    "::",
    ":",
    ":8000",
    "@",
    "/",
    "?",
    "#",
    "\\",
    "%2e",
    "%31",
    "%",
    "\t",
    " ",
    "-",
    "_",
    "１",
    "。",
    "é",
    "\u{ad}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn mapping_changes_no_verdict(bits: u32, local: bool) {
        let v4 = Ipv4Addr::from_bits(bits);
        let reach = if local { Reach::LOCAL } else { Reach::PUBLIC };
        let plain = allowed(v4.into(), &reach);
        let mapped = v4.to_ipv6_mapped();
        prop_assert_eq!(plain, allowed(mapped.into(), &reach));
        prop_assert_eq!(plain, verdict(&format!("http://{v4}"), &reach));
        prop_assert_eq!(plain, verdict(&format!("http://[{mapped}]"), &reach));
        let [a, b] = [bits >> 16, bits & 0xffff];
        prop_assert_eq!(plain, verdict(&format!("http://[::FFFF:{a:x}:{b:x}]"), &reach));
    }

    #[test]
    fn a_blocked_ipv4_address_has_no_way_in(row in 0..vectors_ip::BLOCKED_V4.len(), host: u32, local: bool) {
        let net = vectors_ip::BLOCKED_V4[row].parse::<ipnet::Ipv4Net>().expect("a net in a test");
        let v4 = Ipv4Addr::from_bits(net.network().to_bits() | host & net.hostmask().to_bits());
        prop_assert!(allowed(v4.into(), &Reach::PUBLIC).is_err());
        prop_assert!(allowed(v4.to_ipv6_mapped().into(), &Reach::PUBLIC).is_err());
        let reach = if local { Reach::LOCAL } else { Reach::PUBLIC };
        for v6 in embeddings(v4) {
            prop_assert!(allowed(v6.into(), &reach).is_err() || (local && v6.is_loopback()), "{}", v6);
        }
        for text in spellings(v4) {
            prop_assert!(verdict(&text, &reach).is_err(), "{}", text);
        }
    }

    #[test]
    fn a_blocked_ipv6_address_has_no_way_in(row in 0..vectors_ip::BLOCKED_V6.len(), host: u128) {
        let net = vectors_ip::BLOCKED_V6[row].parse::<ipnet::Ipv6Net>().expect("a net in a test");
        let v6 = Ipv6Addr::from_bits(net.network().to_bits() | host & net.hostmask().to_bits());
        prop_assert!(allowed(v6.into(), &Reach::PUBLIC).is_err(), "{}", v6);
        prop_assert!(verdict(&format!("http://[{v6}]"), &Reach::PUBLIC).is_err(), "{}", v6);
    }

    /// What the standard library calls special is never public, though it knows fewer ranges.
    #[test]
    fn nothing_the_standard_library_calls_special_is_public(v4: u32, high in 0u128..1 << 16, low: u128) {
        let v4 = Ipv4Addr::from_bits(v4);
        if v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast()
            || v4.is_documentation() || v4.is_broadcast() || v4.is_unspecified()
        {
            prop_assert!(allowed(v4.into(), &Reach::PUBLIC).is_err());
        }
        let v6 = Ipv6Addr::from_bits(high << 112 | low >> 16);
        if allowed(v6.into(), &Reach::PUBLIC).is_ok() {
            prop_assert_eq!(v6.segments()[0] >> 13, 1, "outside 2000::/3: {}", v6);
        }
    }

    #[test]
    fn local_reach_only_adds(high in 0u128..1 << 16, low: u128, v4: u32) {
        let v6 = Ipv6Addr::from_bits(high << 112 | low >> 16);
        for ip in [IpAddr::from(v6), Ipv4Addr::from_bits(v4).into()] {
            prop_assert!(allowed(ip, &Reach::PUBLIC).is_err() || allowed(ip, &Reach::LOCAL).is_ok());
            let recorded = Reach::PUBLIC.with_recorded([ip]);
            if let Err(Refused::Address(range)) = allowed(ip, &Reach::PUBLIC) {
                let opens = matches!(range, Range::Private | Range::Shared);
                prop_assert_eq!(allowed(ip, &recorded).is_ok(), opens);
            }
        }
    }

    #[test]
    fn any_text_is_judged_without_panic(text in any::<String>()) {
        let _ = verdict(&text, &Reach::LOCAL);
        let _ = verdict(&format!("http://{text}"), &Reach::LOCAL);
    }

    /// What passes has one reading: the host our parser finds is the one that stands in the text.
    #[test]
    fn what_passes_is_plain(
        scheme in "(?i:https?)(://|://|:///|:/)",
        pieces in prop::collection::vec(prop::sample::select(PIECES), 1..5),
        local: bool,
    ) {
        let text = scheme + &pieces.concat();
        let reach = if local { Reach::LOCAL } else { Reach::PUBLIC };
        if let Ok(agent) = AgentUrl::parse(&text, &reach) {
            let url = agent.url();
            prop_assert_eq!(agent.as_str(), &text);
            prop_assert!(["http", "https"].contains(&url.scheme()));
            prop_assert!(url.username().is_empty() && url.password().is_none());
            prop_assert!(url.fragment().is_none() && url.port() != Some(0));
            let host = url.host_str().expect("a host");
            let lower = text.to_ascii_lowercase();
            let authority = lower.split(['/', '?']).nth(2).expect("an authority");
            match agent.literal() {
                Some(ip) => prop_assert!(allowed(ip, &reach).is_ok()),
                None => prop_assert!(host.parse::<IpAddr>().is_err()),
            }
            if let Some(bracketed) = authority.strip_prefix('[') {
                let ip = bracketed.split(']').next().and_then(|ip| ip.parse::<IpAddr>().ok());
                prop_assert_eq!(ip.map(|ip| ip.to_canonical()), agent.literal());
            } else {
                prop_assert_eq!(authority.split(':').next(), Some(host));
            }
        }
    }
}

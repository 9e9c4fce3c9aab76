//! The tables of verdicts, the resolver's cases and the recorded addresses.

use std::net::IpAddr;

use super::{
    AgentUrl, MAX_URL_LEN, Range, Reach, Refused, all_allowed, allowed, vectors_ip, vectors_url,
};
use crate::mode::Mode;

/// What a table expects.
pub(super) type Verdict = Result<(), Refused>;

/// A row: the text, the verdict in public reach, the verdict in local reach.
pub(super) type Row = (&'static str, Verdict, Verdict);

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address in a test")
}

pub(super) fn verdict(text: &str, reach: &Reach) -> Verdict {
    AgentUrl::parse(text, reach).map(drop)
}

/// Every row is checked before the test fails, so one run shows all that a change of the filter
/// changes.
fn assert_table(rows: &[Row], judge: impl Fn(&str, &Reach) -> Verdict) {
    let wrong: Vec<Row> = rows
        .iter()
        .map(|&(text, ..)| {
            (
                text,
                judge(text, &Reach::PUBLIC),
                judge(text, &Reach::LOCAL),
            )
        })
        .zip(rows)
        .filter_map(|(got, expected)| (got != *expected).then_some(got))
        .collect();
    assert!(wrong.is_empty(), "these came out otherwise: {wrong:#?}");
}

#[test]
fn addresses() {
    assert_table(vectors_ip::ROWS, |text, reach| allowed(ip(text), reach));
}

#[test]
fn addresses_as_urls() {
    assert_table(vectors_ip::ROWS, |text, reach| match ip(text) {
        IpAddr::V4(ip) => verdict(&format!("http://{ip}:8000/a2a"), reach),
        IpAddr::V6(_) => verdict(&format!("https://[{text}]:8000"), reach),
    });
}

#[test]
fn urls() {
    assert_table(vectors_url::ROWS, verdict);
}

#[test]
fn tables_are_large_and_without_repeats() {
    let mut texts: Vec<_> = vectors_ip::ROWS.iter().chain(vectors_url::ROWS).collect();
    let rows = texts.len();
    texts.sort_by_key(|row| row.0);
    texts.dedup_by_key(|row| row.0);
    assert_eq!(texts.len(), rows);
    assert!(rows >= 170, "{rows}");
}

#[test]
fn length_is_counted_in_bytes_of_the_whole_url() {
    let url = |len: usize| format!("{:a<len$}", "https://agent.example.com/");
    assert_eq!(verdict(&url(MAX_URL_LEN), &Reach::PUBLIC), Ok(()));
    let longer = verdict(&url(MAX_URL_LEN + 1), &Reach::LOCAL);
    assert_eq!(longer, Err(Refused::TooLong));
}

#[test]
fn names_are_limited_as_in_dns() {
    let labels = |count: usize, len: usize| vec!["a".repeat(len); count].join(".");
    for (name, expected) in [
        (labels(2, 63), Ok(())),
        (labels(2, 64), Err(Refused::Host)),
        (labels(127, 1), Ok(())),
        (format!("{}.", labels(127, 1)), Ok(())),
        (labels(128, 1), Err(Refused::Host)),
    ] {
        let url = format!("https://{name}/");
        assert_eq!(verdict(&url, &Reach::PUBLIC), expected, "{name}");
    }
}

#[test]
fn the_text_is_kept_as_given() {
    let text = "HTTPS://Agent.Example.COM:443/a/../b?x=1";
    let agent = AgentUrl::parse(text, &Reach::PUBLIC).expect("a public name");
    assert_eq!(agent.as_str(), text);
    assert_eq!(agent.to_string(), text);
    assert_eq!(agent.url().as_str(), "https://agent.example.com/b?x=1");
    assert_eq!(agent.literal(), None);
}

#[test]
fn a_literal_host_is_told_apart() {
    for (text, expected) in [
        ("http://8.8.8.8/", "8.8.8.8"),
        ("http://[::ffff:8.8.8.8]/", "8.8.8.8"),
        ("http://[2606:4700::0:1111]/", "2606:4700::1111"),
    ] {
        let agent = AgentUrl::parse(text, &Reach::PUBLIC).expect("a public address");
        assert_eq!(agent.literal(), Some(ip(expected)));
    }
}

/// A name under an attacker's control passes as text; every one of its addresses must pass too.
#[test]
fn one_bad_address_refuses_the_name() {
    let resolved = |texts: &[&str], reach: &Reach| {
        all_allowed(texts.iter().map(|text| ip(text)), reach)
            .map(|ips| ips.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let refused = |range| Err(Refused::Address(range));
    let public = &Reach::PUBLIC;

    assert_eq!(
        verdict("http://127.0.0.1.nip.io/", public),
        Ok(()),
        "only a name yet"
    );
    assert_eq!(
        resolved(&["127.0.0.1"], public),
        refused(Range::Loopback),
        "its address"
    );
    for mixed in [
        ["93.184.216.34", "169.254.169.254"],
        ["169.254.169.254", "93.184.216.34"],
        ["2606:4700::1111", "::ffff:169.254.169.254"],
    ] {
        assert_eq!(resolved(&mixed, public), refused(Range::LinkLocal));
        assert_eq!(resolved(&mixed, &Reach::LOCAL), refused(Range::LinkLocal));
    }
    assert_eq!(
        resolved(&["8.8.8.8", "10.0.0.1"], public),
        refused(Range::Private)
    );
    assert_eq!(
        resolved(&["127.0.0.1", "::1"], &Reach::LOCAL),
        Ok(vec!["127.0.0.1".into(), "::1".into()])
    );
    assert_eq!(
        resolved(&["::ffff:8.8.8.8", "2606:4700::1111"], public),
        Ok(vec!["8.8.8.8".into(), "2606:4700::1111".into()])
    );
    assert_eq!(resolved(&[], public), Err(Refused::Unresolved));
}

#[test]
fn only_development_reaches_local_agents() {
    for (mode, local) in [
        (Mode::Dev, true),
        (Mode::DevClosed, true),
        (Mode::Strict, false),
    ] {
        assert_eq!(Reach::from(mode).is_local(), local, "{mode:?}");
    }
    assert_eq!(Reach::default(), Reach::PUBLIC);
}

#[test]
fn a_recorded_address_opens_itself_and_nothing_else() {
    let reach = Reach::PUBLIC
        .with_recorded(["10.0.1.5", "fd12::5", "100.64.0.9", "::ffff:10.0.1.6"].map(ip));
    for text in [
        "10.0.1.5",
        "::ffff:10.0.1.5",
        "10.0.1.6",
        "fd12::5",
        "100.64.0.9",
    ] {
        assert_eq!(allowed(ip(text), &reach), Ok(()), "{text}");
    }
    for text in ["10.0.1.4", "10.0.1.7", "fd12::6", "100.64.0.8", "127.0.0.1"] {
        assert!(allowed(ip(text), &reach).is_err(), "{text}");
    }
    assert_eq!(verdict("http://10.0.1.5:8000", &reach), Ok(()));
    assert_eq!(
        verdict("http://localhost:8000", &reach),
        Err(Refused::Name),
        "records are no local reach"
    );
}

#[test]
fn a_wrong_record_opens_nothing() {
    let never = [
        "127.0.0.1",
        "::1",
        "169.254.169.254",
        "fe80::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "168.63.129.16",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "255.255.255.255",
        "64:ff9b::a00:105",
        "2002:a00:105::",
    ];
    let reach = Reach::PUBLIC.with_recorded(never.map(ip));
    for text in never {
        assert!(allowed(ip(text), &reach).is_err(), "{text}");
    }
}

#[test]
fn a_refusal_says_its_kind_and_nothing_of_the_input() {
    let refusal = verdict("http://10.1.2.3/secret", &Reach::PUBLIC).expect_err("a private address");
    assert_eq!(refusal.to_string(), "address is refused: private");
    assert_eq!(
        Refused::TooLong.to_string(),
        "url is longer than 2048 bytes"
    );
}

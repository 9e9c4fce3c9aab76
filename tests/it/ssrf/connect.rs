//! When an agent is called: the URL's text, where redirects lead, and the machines of ours.

use std::net::IpAddr;

use domain::address::Reach;
use e2e::{
    Agent, Script,
    ssrf::{ANSWERS, Bait, Liar, PUBLIC, URLS},
};
use edge::addresses::Names;
use messages::agent::Agents;

use super::{call, deployed, is_refused};

/// Fewer would leave forms of addresses out.
const LEAST: usize = 150;

#[test]
fn the_table_is_large_and_says_nothing_twice() {
    for table in [URLS, ANSWERS] {
        let mut all = table.to_vec();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), table.len());
    }
    assert!(URLS.len() >= LEAST, "{}", URLS.len());
}

#[tokio::test]
async fn no_url_of_the_table_is_connected_to() {
    let bait = Bait::lay().await;
    // Were the text let through, the name server would show the way.
    let here = Liar::saying(&[&["127.0.0.1"]]);
    let agents = deployed(&here);
    let mut wrong = Vec::new();
    for url in URLS {
        let url = url.replace("{port}", &bait.port.to_string());
        let outcome = call(&agents, &url).await;
        if !is_refused(&outcome) {
            wrong.push(format!("{url:?}: {outcome:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(bait.came(), 0);
    assert!(here.asked().is_empty(), "{:?}", here.asked());
}

#[tokio::test]
async fn the_bait_is_taken_by_whoever_may() {
    let bait = Bait::lay().await;
    let names = Names::by(Liar::saying(&[&["127.0.0.1"]]));
    let agents = Agents::new(&names, Reach::LOCAL).expect("a client");
    let host = |name: &str| format!("http://{name}:{}/", bait.port);
    for (at, name) in ["127.0.0.1", "127.0.0.53", "localhost", "agent.example.com"]
        .iter()
        .enumerate()
    {
        assert_eq!(call(&agents, &host(name)).await, Ok(200), "{name}");
        assert_eq!(bait.came(), at + 1, "{name}");
    }
}

#[tokio::test]
async fn redirects_are_answers() {
    let (agent, bait) = (Agent::start().await, Bait::lay().await);
    let names = Names::by(Liar::saying(&[&["127.0.0.1"]]));
    // Here the bait itself may be called: that nobody comes is the redirect's doing.
    let agents = Agents::new(&names, Reach::LOCAL).expect("a client");
    for status in [300, 301, 302, 303, 305, 307, 308] {
        for to in [
            format!("http://127.0.0.1:{}/", bait.port),
            format!("//127.0.0.1:{}/", bait.port),
            "http://169.254.169.254/latest/meta-data/".to_owned(),
            "http://[fd00:ec2::254]/".to_owned(),
        ] {
            agent.next(Script::Raw(status, vec![("location", to)], Vec::new()));
            assert_eq!(call(&agents, &agent.url).await, Ok(status));
        }
    }
    assert_eq!(bait.came(), 0);
}

#[test]
fn inside_a_vpc_only_the_recorded_address_is_called() {
    let ip = |text: &str| -> IpAddr { text.parse().expect(text) };
    let agents = deployed(&Liar::saying(&[&[PUBLIC]]));
    let may = |url: &str, recorded: &str| agents.address(url, Some(ip(recorded))).is_ok();
    for own in ["10.1.2.3", "172.16.5.6", "192.168.7.8", "100.64.9.1"] {
        let url = format!("http://{own}:8000/a2a");
        assert!(may(&url, own), "{own}");
        assert!(agents.address(&url, None).is_err(), "{own}: of no machine");
        assert!(!may(&url, "10.1.2.4"), "{own}: of another machine");
    }
    assert!(may("http://[fd12:3456::1]:8000/", "fd12:3456::1"));
    // A record that says this is wrong, and opens nothing.
    for never in ANSWERS {
        let url = match ip(never) {
            IpAddr::V4(ip) => format!("http://{ip}/"),
            IpAddr::V6(ip) => format!("http://[{ip}]/"),
        };
        let is_vpc = Reach::PUBLIC.with_recorded([ip(never)]);
        let opens = domain::address::allowed(ip(never), &is_vpc).is_ok();
        let private = [
            "10.",
            "172.",
            "192.168.",
            "100.",
            "::ffff:10.",
            "::ffff:100.",
        ];
        let private = private.iter().any(|start| never.starts_with(start))
            || ["fd12:3456:789a::1", "fd20:ce::253"].contains(never);
        assert_eq!(opens, private, "{never}");
        assert_eq!(may(&url, never), private, "{never}");
    }
}

//! Names: what the name server says when an address is stored, and when it is called.

use domain::address::Reach;
use e2e::ssrf::{ANSWERS, Bait, Liar, PUBLIC};
use edge::addresses::Names;
use messages::agent::{Agents, Failure};

use super::{call, deployed, is_refused};

#[tokio::test]
async fn a_name_is_bound_anew_and_still_not_connected_to() {
    let bait = Bait::lay().await;
    let url = format!("http://rebind.example.com:{}/a2a", bait.port);
    for bad in ANSWERS {
        // Public when it is stored, something else when it is called.
        let liar = Liar::saying(&[&[PUBLIC], &[bad]]);
        let stored = Names::by(liar.clone());
        let stored = stored.reachable(&url, &Reach::PUBLIC).await;
        assert!(stored.is_ok(), "{bad}: {stored:?}");
        let called = call(&deployed(&liar), &url).await;
        assert!(is_refused(&called), "{bad}: {called:?}");
        assert_eq!(liar.asked(), ["rebind.example.com"; 2], "{bad}");
        // It is not stored either, and one bad address among good ones spoils them all.
        for answer in [&[*bad][..], &[PUBLIC, bad], &[bad, PUBLIC]] {
            let liar = Liar::saying(&[answer]);
            let stored = Names::by(liar.clone());
            let stored = stored.reachable(&url, &Reach::PUBLIC).await;
            assert!(stored.is_err(), "{answer:?}");
            let called = call(&deployed(&liar), &url).await;
            assert!(is_refused(&called), "{answer:?}: {called:?}");
        }
    }
    assert_eq!(bait.came(), 0);
}

#[tokio::test]
async fn what_was_judged_is_what_is_connected_to() {
    let bait = Bait::lay().await;
    // Whoever asked a second time would be led to the metadata service, or nowhere.
    let liar = Liar::saying(&[&["127.0.0.1"], &["169.254.169.254"], &[]]);
    let agents = Agents::new(&Names::by(liar.clone()), Reach::LOCAL).expect("a client");
    let url = format!("http://rebind.example.com:{}/", bait.port);
    assert_eq!(call(&agents, &url).await, Ok(200));
    assert_eq!((bait.came(), liar.asked().len()), (1, 1));
    // No connection is kept, so the next call asks anew: what a name stood for before is no matter.
    let next = call(&agents, &url).await;
    assert!(is_refused(&next), "{next:?}");
    let gone = call(&agents, &url).await;
    assert!(matches!(gone, Err(Failure::Unreachable(_))), "{gone:?}");
    assert_eq!(bait.came(), 1);
}

#[tokio::test]
async fn a_name_never_leads_into_a_vpc() {
    let (own, bait) = ("10.1.2.3", Bait::lay().await);
    let agents = deployed(&Liar::saying(&[&[own]]));
    let url = format!("http://agent.example.com:{}/", bait.port);
    let recorded = own.parse().ok();
    let sent = agents.send(&url, recorded, b"{}".to_vec(), None).await;
    assert!(is_refused(&sent.map(|headers| headers.status)));
}

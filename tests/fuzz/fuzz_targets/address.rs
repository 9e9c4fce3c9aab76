//! Addresses of agents: whatever is let through is http, to a host that is public as far as its text
//! tells, and reads the same when it is read again.
#![no_main]

use domain::address::{AgentUrl, Reach, allowed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let public = AgentUrl::parse(text, &Reach::PUBLIC);
    let local = AgentUrl::parse(text, &Reach::LOCAL);
    if let Ok(url) = &public {
        assert!(
            local.is_ok(),
            "closed doors let through what open ones do not"
        );
        assert_eq!(url.as_str(), text);
        assert!(matches!(url.url().scheme(), "http" | "https"));
        assert!(url.url().username().is_empty() && url.url().password().is_none());
        match url.literal() {
            Some(ip) => assert_eq!(allowed(ip, &Reach::PUBLIC), Ok(())),
            None => {
                let host = url.url().host_str().unwrap_or_default();
                let host = host.trim_end_matches('.');
                assert!(host != "localhost" && !host.ends_with(".localhost"));
            }
        }
        let again = AgentUrl::parse(url.url().as_str(), &Reach::PUBLIC);
        assert!(again.is_ok(), "{text:?} is {}", url.url());
    }
});

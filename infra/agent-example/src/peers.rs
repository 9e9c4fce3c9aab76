//! Finding out which peer somebody means.

use serde::Deserialize;
use uuid::Uuid;

use crate::{commands::split_word, error::Error, platform::Platform};

/// Another workspace this one may talk to.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Peer {
    pub id: Uuid,
    pub name: String,
}

/// What may stand between a name and the text: `ask Beta: hello`.
const MARKS: [char; 2] = [':', ','];

/// Splits `<name or id> <text>` with the platform's help. `None`: no such peer, or several.
pub(crate) async fn find<'a>(
    platform: &Platform,
    request: &'a str,
) -> Result<Option<(Peer, &'a str)>, Error> {
    let (first, rest) = split_word(request);
    let first = first.trim_end_matches(MARKS);
    if let Ok(id) = first.parse() {
        return Ok(Some((platform.discover(id).await?, rest)));
    }
    Ok(pick(platform.peers(first).await?, request))
}

/// A name may be several words, so the longest one the request begins with is meant.
/// Otherwise a search with one hit is clear enough (`ask research …` for "Research Lead").
fn pick(peers: Vec<Peer>, request: &str) -> Option<(Peer, &str)> {
    let named = peers
        .iter()
        .filter_map(|peer| Some((peer.clone(), after_name(request, &peer.name)?)))
        .min_by_key(|(_, text)| text.len());
    match (named, peers.as_slice()) {
        (Some(found), _) => Some(found),
        (None, [only]) => Some((only.clone(), split_word(request).1)),
        (None, _) => None,
    }
}

fn after_name<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let (start, rest) = request.split_at_checked(name.len())?;
    let ends = |c: char| c.is_whitespace() || MARKS.contains(&c);
    let matches = start.to_lowercase() == name.to_lowercase() && rest.starts_with(ends);
    let text = rest.trim_start_matches(ends);
    (matches && !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_wins_and_one_hit_is_enough() {
        let peers = |names: &[&str]| -> Vec<Peer> {
            let peer = |name: &&str| Peer {
                id: Uuid::nil(),
                name: (*name).to_owned(),
            };
            names.iter().map(peer).collect()
        };
        type Case = (
            &'static [&'static str],
            &'static str,
            Option<(&'static str, &'static str)>,
        );
        let cases: [Case; 8] = [
            (&["Beta"], "Beta echo hi", Some(("Beta", "echo hi"))),
            (&["Beta"], "beta: echo hi", Some(("Beta", "echo hi"))),
            (
                &["Beta", "Beta Two"],
                "beta two hi",
                Some(("Beta Two", "hi")),
            ),
            (&["Beta", "Beta Two"], "beta hi", Some(("Beta", "hi"))),
            (&["Beta", "Betamax"], "betamax hi", Some(("Betamax", "hi"))),
            (
                &["Research Lead"],
                "research hi",
                Some(("Research Lead", "hi")),
            ),
            (&["Beta One", "Beta Two"], "beta hi", None),
            (&[], "beta hi", None),
        ];
        for (names, request, expected) in cases {
            let found = pick(peers(names), request);
            let found = found
                .as_ref()
                .map(|(peer, text)| (peer.name.as_str(), *text));
            assert_eq!(found, expected, "{request} among {names:?}");
        }
    }
}

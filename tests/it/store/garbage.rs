//! Bodies that were right, with something in them changed: every route refuses them or takes them, and
//! none of them breaks.

use std::{collections::BTreeSet, env};

use domain::Mode;
use e2e::{
    counted::{InCall, InProcess, show},
    garble::garble,
    ssrf::{Liar, PUBLIC},
};
use fastrand::Rng;

use super::outage::calls;

/// How often each call is changed, unless `GARBAGE_ROUNDS` says otherwise.
const ROUNDS: u64 = 4;

#[tokio::test]
async fn no_route_breaks_on_what_somebody_made_up() {
    let rounds = env::var("GARBAGE_ROUNDS")
        .ok()
        .and_then(|it| it.parse().ok());
    let (mut wrong, mut taken, mut sent) = (BTreeSet::new(), 0, 0);
    for seed in 0..rounds.unwrap_or(ROUNDS) {
        let names = Liar::saying(&[&[PUBLIC]]);
        let inside = InProcess::with_names(Mode::DevClosed, names).await;
        let mut dice = Rng::with_seed(seed);
        for call in calls(&inside).await.into_iter().filter(InCall::has_body) {
            let garbled = call.with_body(|body| garble(&mut dice, body));
            let what = format!("seed {seed}: {garbled} {}", garbled.shown_body());
            let answer = garbled.await;
            sent += 1;
            taken += u32::from(answer.status < 300);
            // Nothing is wrong with the datastore here: 503 would be ours, too.
            if answer.status >= 500 {
                wrong.insert(format!("{what}: {answer:?}"));
            }
        }
    }
    let wrong: Vec<String> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        taken * 4 < sent * 3,
        "{taken} of {sent} were taken: nothing was changed"
    );
    show(&format!("garbage: {sent} bodies, {taken} of them taken"));
}

//! What open development and a strict stack do where the deployed test stack, development with
//! closed doors, cannot show it: the functions in this process.

mod open;
mod register;
mod strict;

use e2e::counted::InCall;

/// Calls, and the status and sentence each is to be answered with.
async fn answers(calls: impl IntoIterator<Item = (InCall, u16, &'static str)>) {
    for (call, status, sentence) in calls {
        let what = format!("{call}");
        let answer = call.await;
        assert_eq!(
            answer.error(),
            (status, sentence),
            "{what}: {}",
            answer.json
        );
    }
}

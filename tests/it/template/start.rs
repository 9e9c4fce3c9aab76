//! Every function starts with the environment the template gives it, and asks for work.

use std::time::Duration;

use e2e::{
    runtime_api::{Running, RuntimeApi},
    template::{Function, Template},
};
use futures_util::{StreamExt as _, stream};
use tokio::time::timeout;

/// How many start at the same time.
const AT_ONCE: usize = 4;
/// Far more than a start takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

async fn starts(function: Function<'static>) -> Result<(), String> {
    let mut runtime = RuntimeApi::start().await;
    let mut child = Running::start(&function, &runtime.address, &[])?;
    let mut waited = Duration::ZERO;
    loop {
        let step = Duration::from_millis(100);
        if timeout(step, runtime.asked()).await.is_ok() {
            return Ok(());
        }
        waited += step;
        let ended = child.ended();
        if ended.is_some() || waited >= PATIENCE {
            return Err(format!("{}: {ended:?}", function.handler()));
        }
    }
}

#[tokio::test]
async fn every_function_starts_with_the_environment_the_template_gives_it() {
    let functions = Template::ours().functions();
    let starting = functions.map(starts);
    let outcomes: Vec<_> = stream::iter(starting)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let failures: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

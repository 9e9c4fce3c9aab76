//! Whether there may be as many workspaces as a plan makes (decision 30).

use domain::Result;
use edge::App;

/// All of it must fit, or nothing is begun. Each creation looks again.
///
/// # Errors
/// 409 when it does not; the datastore did not answer.
pub async fn room(app: &App, more: usize) -> Result<()> {
    let most = app.settings.max_workspaces;
    if most == 0 {
        return Ok(());
    }
    let there = app.store.count_workspaces().await?;
    if there + more > most {
        return Err(app.settings.quota_reached(there).with("planned", more));
    }
    Ok(())
}

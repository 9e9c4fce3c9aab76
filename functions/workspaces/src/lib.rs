//! Workspaces: create, list, change, delete; pause, resume, restart, hibernate; their tokens and secrets; the canvas; and what no
//! other route answers.

pub mod bootstrap_failed;
pub mod budget;
pub mod connection;
pub mod create;
pub mod delete;
pub mod fallback;
pub mod get;
pub mod global_secrets;
pub mod health;
pub mod hibernate;
mod life;
pub mod list;
pub mod metrics;
mod model;
pub mod once;
pub mod openapi;
pub mod operations;
mod org_tokens;
mod page;
pub mod pause;
pub mod restart;
pub mod restarts;
pub mod resume;
pub mod secret_values;
pub mod secrets;
pub mod state;
mod tagged;
pub mod test_token;
pub mod tokens;
pub mod update;
pub mod vaulted;
pub mod view;
pub mod viewport;

pub use domain::fields;
pub use vaulted::Vaulted;

edge::handlers! { "workspaces":
    /// `POST /workspaces`
    Create = "create",
    /// `GET /workspaces`
    List = "list",
    /// `GET /workspaces/{id}`
    Get = "get",
    /// `PATCH /workspaces/{id}`
    Update = "update",
    /// `DELETE /workspaces/{id}`
    Delete = "delete",
    /// `GET /workspaces/{id}/state`
    State = "state",
    /// `POST /workspaces/{id}/pause`
    Pause = "pause",
    /// `POST /workspaces/{id}/resume`
    Resume = "resume",
    /// `POST /workspaces/{id}/restart`
    Restart = "restart",
    /// `POST /workspaces/{id}/hibernate`
    Hibernate = "hibernate",
    /// `POST /admin/workspaces/{id}/bootstrap-failed`
    BootstrapFailed = "bootstrap_failed",
    /// Starts machines anew whose secrets have changed; fed by its queue.
    Restarts = "restarts",
    /// `GET|PATCH /workspaces/{id}/budget`
    Budget = "budget",
    /// `GET /workspaces/{id}/metrics`
    Metrics = "metrics",
    /// `GET|POST /workspaces/{id}/tokens`, `DELETE /workspaces/{id}/tokens/{token_id}`; the same of
    /// organisation tokens below `/org/tokens`
    Tokens = "tokens",
    /// `GET|POST|PUT /workspaces/{id}/secrets`, `DELETE /workspaces/{id}/secrets/{key}`
    Secrets = "secrets",
    /// `GET /workspaces/{id}/secrets/values`
    SecretValues = "secret_values",
    /// `GET|POST|PUT /settings/secrets`, `DELETE /settings/secrets/{key}`; the same below `/admin`
    GlobalSecrets = "global_secrets",
    /// `GET /admin/workspaces/{id}/test-token`
    TestToken = "test_token",
    /// `GET|PUT /canvas/viewport`
    Viewport = "viewport",
    /// `GET /admin/liveness`, `GET /metrics`
    Operations = "operations",
    /// `GET /health`
    Health = "health",
    /// `GET /openapi.json`
    Openapi = "openapi",
    /// The console, and everything no other route answers: preflights, trailing slashes, 404.
    Fallback = "fallback",
}

/// Describes the routes of this domain.
pub fn describe(api: &mut edge::openapi::Api) {
    api.tag(
        "workspaces",
        "Workspaces and their life; tokens, secrets, budgets; what operators look at.",
    );
    create::describe(api);
    list::describe(api);
    get::describe(api);
    update::describe(api);
    delete::describe(api);
    state::describe(api);
    pause::describe(api);
    resume::describe(api);
    restart::describe(api);
    hibernate::describe(api);
    bootstrap_failed::describe(api);
    budget::describe(api);
    metrics::describe(api);
    tokens::describe(api);
    org_tokens::describe(api);
    secrets::describe(api);
    model::describe(api);
    secret_values::describe(api);
    global_secrets::describe(api);
    test_token::describe(api);
    viewport::describe(api);
    operations::describe(api);
    health::describe(api);
    openapi::describe(api);
}

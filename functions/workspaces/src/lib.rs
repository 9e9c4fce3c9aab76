//! Workspaces: create, list, change, delete; their tokens and secrets; the canvas; and what no
//! other route answers.

pub mod budget;
pub mod connection;
pub mod create;
pub mod delete;
pub mod fallback;
pub mod get;
pub mod global_secrets;
pub mod health;
pub mod list;
pub mod metrics;
pub mod secret_values;
pub mod secrets;
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
    /// `GET|PATCH /workspaces/{id}/budget`
    Budget = "budget",
    /// `GET /workspaces/{id}/metrics`
    Metrics = "metrics",
    /// `GET|POST /workspaces/{id}/tokens`, `DELETE /workspaces/{id}/tokens/{token_id}`
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
    /// `GET /health`
    Health = "health",
    /// Everything no other route answers: preflights, trailing slashes, 404.
    Fallback = "fallback",
}

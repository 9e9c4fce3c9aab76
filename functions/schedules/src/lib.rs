//! Schedules: who has which, what became of them, and the tick that fires them.
//!
//! The tick only takes slots on; the prompt is sent by `messages`, as the message it is, so that
//! waiting, waking and being delivered once are what they are for any message.

pub mod admin_health;
pub mod crud;
pub mod tick;

edge::handlers! { "schedules":
    /// `GET|POST /workspaces/{id}/schedules`, `PATCH|DELETE …/schedules/{schedule_id}`,
    /// `POST …/{schedule_id}/run`, `GET …/{schedule_id}/history`, `GET …/schedules/health`
    Crud = "crud",
    /// `GET /admin/schedules/health`
    AdminHealth = "admin_health",
    /// Every minute: slots that have come.
    Tick = "tick",
}

/// Describes the routes of this domain.
pub fn describe(api: &mut edge::openapi::Api) {
    api.tag("schedules", "Prompts that come by the clock.");
    crud::describe(api);
    admin_health::describe(api);
}

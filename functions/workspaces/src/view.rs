//! A workspace as people and agents see it (contract: lifecycle-and-sweepers 3.2, 3.3).

use domain::{WorkspaceId, card, workspace::Status};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use store::{
    templates::Timeouts,
    workspaces::{DeliveryMode, Workspace},
};

/// What the list and the single view have in common.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WorkspaceCore")]
pub struct View {
    id: WorkspaceId,
    name: String,
    role: Option<String>,
    tier: i64,
    status: Status,
    agent_card: Option<Value>,
    url: String,
    parent_id: Option<WorkspaceId>,
    active_tasks: i64,
    max_concurrent_tasks: i64,
    last_error_rate: f64,
    uptime_seconds: i64,
    runtime: String,
    x: f64,
    y: f64,
    collapsed: bool,
    /// Only where a template says how long its runtime may take to register.
    #[serde(skip_serializing_if = "Option::is_none")]
    provision_timeout_ms: Option<i64>,
    /// Only where messages are fetched, not posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_mode: Option<DeliveryMode>,
}

impl View {
    /// The view of a workspace whose card was read.
    pub fn of(workspace: &Workspace) -> Self {
        let meta = &workspace.meta;
        let beat = workspace.beat.as_ref();
        Self {
            id: meta.id,
            name: meta.name.clone(),
            role: meta.role.clone(),
            tier: meta.tier,
            status: workspace.status(),
            agent_card: workspace.card.clone().filter(|card| !card.is_null()),
            url: meta.url.clone(),
            parent_id: meta.parent(),
            active_tasks: beat.map_or(0, |beat| beat.active_tasks),
            max_concurrent_tasks: meta.max_concurrent_tasks,
            last_error_rate: beat.map_or(0.0, |beat| beat.error_rate),
            uptime_seconds: beat.map_or(0, |beat| beat.uptime_seconds),
            runtime: meta.runtime.clone(),
            x: meta.x,
            y: meta.y,
            collapsed: meta.collapsed,
            provision_timeout_ms: None,
            delivery_mode: (meta.delivery_mode == DeliveryMode::Poll).then_some(DeliveryMode::Poll),
        }
    }

    /// Without the long part of its card.
    pub fn shorten(&mut self) {
        self.agent_card = self.agent_card.as_ref().map(card::shortened);
    }

    /// With how long its runtime may take to register, as templates say.
    #[must_use]
    pub fn with(self, timeouts: &Timeouts) -> Self {
        Self {
            provision_timeout_ms: timeouts.of(&self.runtime),
            ..self
        }
    }
}

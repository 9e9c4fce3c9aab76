//! What the agent listens to: messages, and who it is.

use std::{io, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, select};

use crate::{
    a2a::{self, Call},
    agent::Agent,
    card::card,
    commands::{self, Command},
    execute::{Answer, execute},
};

const BUSY_RETRY_SECONDS: &str = "2";

/// Serves until the agent is told to stop.
pub(crate) async fn serve(listener: TcpListener, agent: Arc<Agent>) -> io::Result<()> {
    let router = Router::new()
        .route("/", post(receive))
        .route("/health", get(async || Json(json!({"status": "ok"}))))
        .route("/.well-known/agent-card.json", get(introduce))
        // Where A2A before 0.3 looked for the card.
        .route("/.well-known/agent.json", get(introduce))
        .with_state(agent.clone());
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            agent.stopped().await;
        })
        .await
}

async fn introduce(State(agent): State<Arc<Agent>>) -> Json<Value> {
    Json(card(&agent.settings.name, &agent.url))
}

async fn receive(State(agent): State<Arc<Agent>>, body: Bytes) -> Response {
    let Call { id, message } = match a2a::parse(&body) {
        Ok(call) => call,
        Err(fault) => return Json(fault.answer()).into_response(),
    };
    if agent.is_busy() {
        let refusal = refuse(StatusCode::SERVICE_UNAVAILABLE, "busy");
        return ([(RETRY_AFTER, BUSY_RETRY_SECONDS)], refusal).into_response();
    }
    let command = commands::parse(&message.text);
    // A refused message was not received, and asking for the count does not change it.
    if command != Command::Count {
        agent.receive(&message.id);
    }
    let _task = agent.start_task();
    let answer = select! {
        answer = execute(&agent, command, &message) => answer,
        _ = agent.stopped() => return refuse(StatusCode::SERVICE_UNAVAILABLE, "shutting down"),
    };
    match answer {
        Answer::Text(text) => Json(a2a::answer(&id, &text)).into_response(),
        Answer::Status(status) => refuse(status, "asked to fail"),
    }
}

fn refuse(status: StatusCode, reason: &str) -> Response {
    (status, Json(json!({"error": reason}))).into_response()
}

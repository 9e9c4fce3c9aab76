//! Doing what a message asks for.

use axum::http::StatusCode;
use tokio::time::sleep;

use crate::{
    a2a::Message,
    agent::Agent,
    commands::Command,
    error::Error,
    outcome::Outcome,
    peers,
    platform::{Attachment, ToolUse},
    summary::summarise,
};

/// How a message is answered.
pub(crate) enum Answer {
    Text(String),
    /// With this HTTP status instead, because the message asked for it.
    Status(StatusCode),
}

const TOOL_USES: [ToolUse; 2] = [
    ToolUse {
        tool: "read_file",
        summary: "read_file: notes.md",
        duration_ms: 12,
    },
    ToolUse {
        tool: "web_search",
        summary: "web_search: organisations of agents",
        duration_ms: 340,
    },
];

/// How much of an unknown message the greeting repeats.
const HEARD_CHARS: usize = 200;

/// Carries out one command. Dropping the future cancels it.
pub(crate) async fn execute(agent: &Agent, command: Command<'_>, message: &Message) -> Answer {
    let done = match command {
        Command::Echo(text) => Ok(text.to_owned()),
        Command::Summarise => Ok(summarise(&message.files)),
        Command::Ask(request) => ask(agent, request).await,
        Command::Notify { message, attach } => notify(agent, message, attach).await,
        Command::Tools => use_tools(agent).await,
        Command::Slow { wait, text } => {
            sleep(wait).await;
            Ok(text.to_owned())
        }
        Command::Busy(span) => {
            agent.be_busy(span);
            Ok(format!("Busy for the next {span:?}."))
        }
        Command::Fail(status) => return Answer::Status(status),
        Command::Wedge => {
            agent.change(|state| state.wedged = true).await;
            Ok("I report a wedged runtime now.".to_owned())
        }
        Command::Recover => {
            agent.change(|state| state.wedged = false).await;
            Ok("I report a working runtime again.".to_owned())
        }
        Command::Errors(rate) => {
            agent.change(|state| state.error_rate = rate).await;
            Ok(format!("I report an error rate of {rate} now."))
        }
        Command::Task(text) => {
            agent
                .change(|state| state.current_task = text.to_owned())
                .await;
            Ok(format!("My current task is {text:?} now."))
        }
        Command::Capability { name, on } => {
            agent.change(|state| state.declare(name, on)).await;
            let state = if on { "on" } else { "off" };
            Ok(format!("My capability {name} is {state} now."))
        }
        Command::Count => {
            let (total, distinct) = agent.received();
            Ok(format!(r#"{{"total":{total},"distinct":{distinct}}}"#))
        }
        Command::Exit(code) => {
            agent.stop(code);
            Ok(format!("Goodbye, I end with code {code}."))
        }
        Command::Usage(usage) => Ok(format!("Please write: {usage}")),
        Command::Hello => Ok(greet(&agent.settings.name, &message.text)),
    };
    Answer::Text(done.unwrap_or_else(|error| format!("The platform did not help: {error}")))
}

async fn ask(agent: &Agent, request: &str) -> Result<String, Error> {
    let Some((peer, text)) = peers::find(&agent.platform, request).await? else {
        return Ok(format!("I cannot tell which peer you mean: {request}"));
    };
    let name = peer.name;
    Ok(match agent.platform.ask(peer.id, text).await {
        Ok(Outcome::Said(answer)) => format!("{name} says: {answer}"),
        Ok(Outcome::Queued) => {
            format!("{name} is busy; my message was queued and will reach it later.")
        }
        Ok(Outcome::Failed(reason)) => format!("{name} did not answer: {reason}"),
        Err(error) => format!("{name} did not answer: {error}"),
    })
}

async fn notify(agent: &Agent, message: &str, attach: Option<&str>) -> Result<String, Error> {
    let Some(name) = attach else {
        agent.platform.notify(message, &[]).await?;
        return Ok("I sent your note.".to_owned());
    };
    let text = format!("{message}\n\nWritten by {}.\n", agent.settings.name);
    let stored = agent.platform.upload(name, &text).await?;
    // Without a file store the note still names the file where the workspace would keep it.
    let attachment = stored.unwrap_or_else(|| Attachment {
        uri: format!("workspace:/workspace/{name}"),
        name: name.to_owned(),
        mime_type: Some("text/plain".to_owned()),
        size: text.len(),
    });
    agent.platform.notify(message, &[attachment]).await?;
    Ok(format!("I sent your note with {name}."))
}

async fn use_tools(agent: &Agent) -> Result<String, Error> {
    for tool_use in &TOOL_USES {
        agent.platform.report(tool_use).await?;
    }
    let names = TOOL_USES.map(|tool_use| tool_use.tool).join(" and ");
    Ok(format!("I used two tools: {names}."))
}

fn greet(name: &str, text: &str) -> String {
    let heard = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let heard: String = heard.chars().take(HEARD_CHARS).collect();
    format!(
        "Hello, I am {name}, an example agent. I heard \"{heard}\"; try \"echo\", \"ask\" or \"summarise\"."
    )
}

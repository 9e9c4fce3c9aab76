//! Every request this agent makes to the platform.

use std::{
    sync::{PoisonError, RwLock},
    time::Duration,
};

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    a2a::call,
    error::Error,
    form::form,
    heartbeat::Heartbeat,
    outcome::{Outcome, outcome},
    peers::Peer,
    settings::Settings,
};

/// The platform answers its own routes at once; only another agent may take its time.
const TIMEOUT: Duration = Duration::from_secs(10);
const PEER_TIMEOUT: Duration = Duration::from_secs(300);

/// The platform, as this workspace sees it.
pub(crate) struct Platform {
    http: Client,
    url: Url,
    id: Uuid,
    token: RwLock<Option<String>>,
}

/// A file on the platform, as messages refer to it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attachment {
    pub uri: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    pub size: usize,
}

/// One use of a tool, to be shown in the workspace's activity.
pub(crate) struct ToolUse {
    pub tool: &'static str,
    pub summary: &'static str,
    pub duration_ms: u32,
}

impl Platform {
    pub(crate) fn new(settings: &Settings) -> Result<Self, reqwest::Error> {
        Ok(Self {
            http: Client::builder().timeout(TIMEOUT).build()?,
            url: settings.platform_url.clone(),
            id: settings.workspace_id,
            token: RwLock::new(settings.auth_token.clone()),
        })
    }

    /// Announces this agent. A workspace's first registration answers its token, once.
    pub(crate) async fn register(&self, url: &str, card: &Value) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Registered {
            auth_token: Option<String>,
        }

        let body = json!({"id": self.id, "url": url, "agent_card": card});
        let reply = self.post("/registry/register", &body).await?;
        if let Some(token) = reply.json::<Registered>().await?.auth_token {
            *self.token.write().unwrap_or_else(PoisonError::into_inner) = Some(token);
        }
        Ok(())
    }

    pub(crate) async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<(), Error> {
        self.post("/registry/heartbeat", heartbeat).await?;
        Ok(())
    }

    /// The peers whose name or role contains `query`.
    pub(crate) async fn peers(&self, query: &str) -> Result<Vec<Peer>, Error> {
        let mut url = self.address(&format!("/registry/{}/peers", self.id));
        url.query_pairs_mut().append_pair("q", query);
        let reply = send(self.request(Method::GET, url)).await?;
        Ok(reply.json().await?)
    }

    /// The workspace of that id, if this one may talk to it.
    pub(crate) async fn discover(&self, id: Uuid) -> Result<Peer, Error> {
        let url = self.address(&format!("/registry/discover/{id}"));
        let reply = send(self.request(Method::GET, url)).await?;
        Ok(reply.json().await?)
    }

    /// Sends a text to another agent, through the platform.
    pub(crate) async fn ask(&self, peer: Uuid, text: &str) -> Result<Outcome, Error> {
        let url = self.address(&format!("/workspaces/{peer}/a2a"));
        let request = self.request(Method::POST, url).timeout(PEER_TIMEOUT);
        let reply = send(request.json(&call(text))).await?;
        let status = reply.status();
        Ok(outcome(status, &reply.json().await?))
    }

    /// Posts a note into the conversation with the user.
    pub(crate) async fn notify(
        &self,
        message: &str,
        attachments: &[Attachment],
    ) -> Result<(), Error> {
        let body = json!({"message": message, "attachments": attachments});
        self.post(&self.own("notify"), &body).await?;
        Ok(())
    }

    /// Stores a text file with the conversation. `None`: this platform has no such route.
    pub(crate) async fn upload(&self, name: &str, text: &str) -> Result<Option<Attachment>, Error> {
        #[derive(Deserialize)]
        struct Uploaded {
            files: Vec<Attachment>,
        }

        let boundary = Uuid::new_v4().simple().to_string();
        let url = self.address(&self.own("chat/uploads"));
        let request = self
            .request(Method::POST, url)
            .header(
                CONTENT_TYPE,
                format!("multipart/form-data; boundary={boundary}"),
            )
            .body(form(&boundary, name, text));
        match send(request).await {
            Ok(reply) => Ok(reply.json::<Uploaded>().await?.files.pop()),
            Err(Error::Refused {
                status: StatusCode::NOT_FOUND,
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Adds a row to the workspace's activity.
    pub(crate) async fn report(&self, tool_use: &ToolUse) -> Result<(), Error> {
        let body = json!({
            "activity_type": "agent_log",
            "method": "tool_use",
            "summary": tool_use.summary,
            "status": "ok",
            "duration_ms": tool_use.duration_ms,
            "metadata": {"tool": tool_use.tool},
        });
        self.post(&self.own("activity"), &body).await?;
        Ok(())
    }

    async fn post(&self, path: &str, body: &impl Serialize) -> Result<Response, Error> {
        send(self.request(Method::POST, self.address(path)).json(body)).await
    }

    /// A request that says who asks.
    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self
            .http
            .request(method, url)
            .header("X-Workspace-ID", self.id.to_string());
        let token = self.token.read().unwrap_or_else(PoisonError::into_inner);
        match token.as_deref() {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    fn address(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.url.path().trim_end_matches('/')));
        url
    }

    fn own(&self, route: &str) -> String {
        format!("/workspaces/{}/{route}", self.id)
    }
}

/// Sends a request; every answer but a 2xx is an error.
async fn send(request: RequestBuilder) -> Result<Response, Error> {
    let reply = request.send().await?;
    let status = reply.status();
    if status.is_success() {
        return Ok(reply);
    }
    let body = reply.json().await.unwrap_or_default();
    Err(Error::refused(status, &body))
}

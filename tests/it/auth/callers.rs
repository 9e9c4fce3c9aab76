//! Everybody who may come to a door, and what they hold.

use domain::Mode;
use e2e::{
    Workspace,
    counted::{InCall, InProcess, PUBLIC},
};
use reqwest::Method;
use serde_json::json;

/// Who calls. No token expires (contract: registry-and-auth 2), so nobody comes with an expired one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Without a bearer.
    Nobody,
    /// With a token that nobody minted.
    Wrong,
    /// With a token of the workspace that was revoked.
    Revoked,
    /// With the token of a workspace that was removed.
    Removed,
    /// With a token of the workspace.
    Own,
    /// With the token of a workspace below the same parent.
    Sibling,
    /// With the token of a workspace in another tree.
    Foreign,
    /// With an organisation token.
    Org,
    /// With one that was revoked.
    RevokedOrg,
    /// With the admin token.
    Admin,
}

impl Who {
    pub(super) const ALL: [Self; 10] = [
        Self::Nobody,
        Self::Wrong,
        Self::Revoked,
        Self::Removed,
        Self::Sibling,
        Self::Foreign,
        Self::RevokedOrg,
        Self::Own,
        Self::Org,
        Self::Admin,
    ];
}

/// The workspaces of one mode, and the tokens of each caller.
pub(super) struct Stage {
    pub(super) inside: InProcess,
    pub(super) top: Workspace,
    pub(super) own: Workspace,
    pub(super) sibling: Workspace,
    pub(super) foreign: Workspace,
    pub(super) removed: Workspace,
    revoked: String,
    org: String,
    revoked_org: String,
}

impl Stage {
    pub(super) async fn new(mode: Mode) -> Self {
        let inside = InProcess::without_machines(mode).await;
        inside.wire.stand_in();
        let (top, elsewhere) = (inside.online("Top").await, inside.online("Other").await);
        let own = inside.child("Own", &top).await;
        let sibling = inside.child("Sibling", &top).await;
        let foreign = inside.child("Foreign", &elsewhere).await;
        let removed = inside.child("Removed", &top).await;
        for workspace in [&own, &sibling, &foreign] {
            inside.register(workspace, PUBLIC).await.expect(200);
        }
        let path = format!("/workspaces/{}", removed.id);
        let delete = inside.call(Method::DELETE, &path).bearer(&inside.admin);
        delete.await.expect(200);

        let tokens = format!("/workspaces/{}/tokens", own.id);
        let minted = inside.post(&tokens).bearer(&inside.admin).await;
        let revoked = minted.expect(201).text("auth_token");
        let listed = inside.get(&tokens).bearer(&own.token).await.expect(200);
        let id = listed.json["tokens"][0]["id"].as_str().expect("a token");
        let revoke = inside.call(Method::DELETE, &format!("{tokens}/{id}"));
        revoke.bearer(&own.token).await.expect(200);

        let (org, revoked_org) = (inside.org_token().await, inside.org_token().await);
        let rows = inside.app.store.org_tokens().await.expect("a list");
        let row = rows.iter().find(|row| revoked_org.starts_with(&row.prefix));
        let gone = inside.app.store.revoke_org_token(row.expect("a row").id);
        assert!(gone.await.expect("revoked"));
        Self {
            inside,
            top,
            own,
            sibling,
            foreign,
            removed,
            revoked,
            org,
            revoked_org,
        }
    }

    /// Another workspace in the place of `own`, for calls that leave nothing of it.
    pub(super) async fn renewed(&mut self) {
        self.own = self.inside.child("Own", &self.top).await;
        self.inside.register(&self.own, PUBLIC).await.expect(200);
    }

    pub(super) fn token(&self, who: Who) -> &str {
        match who {
            Who::Nobody => "",
            Who::Wrong => "not-a-token",
            Who::Revoked => &self.revoked,
            Who::Removed => &self.removed.token,
            Who::Own => &self.own.token,
            Who::Sibling => &self.sibling.token,
            Who::Foreign => &self.foreign.token,
            Who::Org => &self.org,
            Who::RevokedOrg => &self.revoked_org,
            Who::Admin => &self.inside.admin,
        }
    }

    /// The workspace that a caller says it is, where it must say so: its own, or `own`.
    pub(super) fn claimed(&self, who: Who) -> &str {
        match who {
            Who::Sibling => &self.sibling.id,
            Who::Foreign => &self.foreign.id,
            Who::Removed => &self.removed.id,
            _ => &self.own.id,
        }
    }

    /// A call of this route about this workspace, still without a caller.
    pub(super) fn call(&self, row: &super::table::Row, id: &str) -> InCall {
        let path = filled(row.path(), id);
        let method = match row.route {
            "ANY $default" => Method::GET,
            _ => row.method(),
        };
        let mut call = self.inside.call(method, &path);
        if path.ends_with("/events/stream") {
            // There is something new since then, so the answer waits for nothing.
            call = call.header("last-event-id", "01900000-0000-7000-8000-000000000000");
        }
        if row.method_is_post() && path.ends_with("/chat/uploads") {
            return call.form("a.txt", "text");
        }
        match &row.body {
            Some(body) => {
                let text = body.to_string().replace("$id", id);
                call.json(&serde_json::from_str(&text).unwrap_or_else(|_| json!({})))
            }
            None => call,
        }
    }
}

/// The path with what it needs, all but the workspace made up.
pub(super) fn filled(path: &str, id: &str) -> String {
    let made_up = "01900000-0000-7000-8000-000000000000";
    let request = "00000000-0000-4000-8000-00000000000a";
    match path {
        "$default" => "/nowhere".to_owned(),
        "/org/tokens/{id}" => format!("/org/tokens/{made_up}"),
        path => path
            .replace("{id}", id)
            .replace("{key}", "K")
            .replace("{delegation_id}", "d")
            .replace("{schedule_id}", request)
            .replace("{request_id}", request)
            .replace("{approval_id}", made_up)
            .replace("{token_id}", made_up),
    }
}

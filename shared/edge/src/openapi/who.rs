//! Who may call a route.

use serde_json::{Value, json};

/// Who may call a route (contract: registry-and-auth 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Everybody.
    Everybody,
    /// Any live credential.
    Anyone,
    /// The workspace itself, and operators.
    Own,
    /// The workspace itself, and no operator.
    Itself,
    /// Operators.
    Operator,
    /// The admin.
    Admin,
    /// Another workspace that may talk to this one, and operators.
    Neighbour,
    /// A machine of this stack, by what it signed.
    Machine,
}

impl Who {
    /// The sentence for people.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Everybody => "Needs no credential.",
            Self::Anyone => "Any live credential.",
            Self::Own => "For the workspace itself, and operators.",
            Self::Itself => "For the workspace itself; operators' tokens do not open it.",
            Self::Operator => "For operators.",
            Self::Admin => "For the admin; organisations' tokens do not open it.",
            Self::Neighbour => {
                "For workspaces that may talk to this one (siblings, ancestors, descendants), and \
                 operators."
            }
            Self::Machine => "For machines of this stack: what they signed is in the body.",
        }
    }

    /// The alternatives: one of them is enough.
    pub(super) fn security(self) -> Value {
        let schemes: &[&str] = match self {
            Self::Everybody | Self::Machine => &[],
            Self::Anyone | Self::Own | Self::Neighbour => {
                &["workspaceToken", "orgToken", "adminToken"]
            }
            Self::Itself => &["workspaceToken"],
            Self::Operator => &["orgToken", "adminToken"],
            Self::Admin => &["adminToken"],
        };
        schemes
            .iter()
            .map(|scheme| json!({*scheme: []}))
            .collect::<Vec<_>>()
            .into()
    }

    /// Whether there is a credential that can be wrong.
    pub(super) fn is_asked(self) -> bool {
        self != Self::Everybody
    }
}

/// The kinds of credential. All are bearers; what differs is who mints them and what they open.
pub(super) fn schemes() -> Value {
    let bearer =
        |description| json!({"type": "http", "scheme": "bearer", "description": description});
    json!({
        "workspaceToken": bearer(
            "A token of one workspace: shown once when it is created, registered or started, and \
             minted by operators with `POST /workspaces/{id}/tokens`."
        ),
        "orgToken": bearer("A token of the organisation: an operator, as far as routes say so."),
        "adminToken": bearer("The stack's parameter `AdminToken`: an operator for everything."),
    })
}

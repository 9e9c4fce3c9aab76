//! Ids: one type per noun, so that one cannot be taken for another.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Error, Result};

/// The canonical hyphenated form, any case; braces, URNs and bare hex are refused so that one id
/// has one spelling in keys and logs.
fn canonical(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok())?
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident: $kind:literal, $refusal:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        #[schemars(inline, extend("format" = "uuid"))]
        pub struct $name(#[schemars(with = "String")] Uuid);

        impl $name {
            /// The id made of these random bits.
            pub fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The bits of the id.
            pub fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                canonical(text).map(Self).ok_or_else(|| Error::invalid($refusal))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($kind, ":{}"), self.0.hyphenated())
            }
        }
    )+};
}

ids! {
    /// A workspace: one agent with a place in the org tree.
    WorkspaceId: "workspace", "invalid workspace ID";
    /// An A2A request; also the id of its A2A task.
    RequestId: "request", "invalid request ID";
    /// A workspace or organisation token (never the token itself).
    TokenId: "token", "invalid token ID";
    /// A row of the event log. Version 7: sorts by time.
    EventId: "event", "invalid event ID";
    /// A row of a workspace's activity. Version 7: sorts by time.
    ActivityId: "activity", "invalid activity ID";
    /// A request for approval. Version 7: sorts by time.
    ApprovalId: "approval", "invalid approval ID";
    /// A delegation. Version 7: sorts by time.
    DelegationId: "delegation", "invalid delegation ID";
    /// A schedule.
    ScheduleId: "schedule", "invalid schedule ID";
    /// A stored body of a request or a reply.
    BodyId: "body", "invalid body ID";
}

impl WorkspaceId {
    /// A new random id (version 4, as on the wire everywhere).
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_an_id() {
        let id: WorkspaceId = "0A1B2C3D-0000-4000-8000-00000000000F"
            .parse()
            .expect("valid");
        assert_eq!(id.to_string(), "0a1b2c3d-0000-4000-8000-00000000000f");
        assert_eq!(
            format!("{id:?}"),
            "workspace:0a1b2c3d-0000-4000-8000-00000000000f"
        );
        for bad in [
            "",
            "x",
            "0a1b2c3d000040008000000000000000",
            "{0a1b2c3d-0000-4000-8000-00000000000f}",
            "urn:uuid:0a1b2c3d-0000-4000-8000-00000000000f",
            "0a1b2c3d-0000-4000-8000-00000000000g",
            " 0a1b2c3d-0000-4000-8000-00000000000",
        ] {
            let refused = bad.parse::<WorkspaceId>().expect_err(bad);
            assert_eq!(refused.message(), "invalid workspace ID");
        }
    }
}

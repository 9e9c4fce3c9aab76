//! What an agent's runtime says it does by itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The capabilities the platform acts on (contract: registry-and-auth 10). Others may be declared
/// and mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// Runs its own heartbeat loop.
    Heartbeat = 1,
    /// Runs its own schedules: ours advance without sending.
    Scheduler = 2,
    /// Queues by itself: ours stays out of the way.
    Session = 4,
    /// Decides by itself whether it is degraded.
    StatusMgmt = 8,
    /// Retries by itself.
    Retry = 16,
    /// Writes its own activity.
    ActivityDecoration = 32,
    /// Dispatches channel messages by itself.
    ChannelDispatch = 64,
}

const KNOWN: [(&str, Capability); 7] = [
    ("heartbeat", Capability::Heartbeat),
    ("scheduler", Capability::Scheduler),
    ("session", Capability::Session),
    ("status_mgmt", Capability::StatusMgmt),
    ("retry", Capability::Retry),
    ("activity_decoration", Capability::ActivityDecoration),
    ("channel_dispatch", Capability::ChannelDispatch),
];

/// The capabilities one agent declared, as bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Capabilities(u8);

impl Capabilities {
    /// Those declared `true`; unknown names are dropped.
    pub fn declared(flags: &BTreeMap<String, bool>) -> Self {
        let bits = KNOWN
            .iter()
            .filter(|(name, _)| flags.get(*name) == Some(&true))
            .fold(0, |bits, (_, capability)| bits | *capability as u8);
        Self(bits)
    }

    /// Whether `capability` was declared `true`.
    pub fn has(self, capability: Capability) -> bool {
        self.0 & capability as u8 != 0
    }

    /// The bits as stored.
    pub fn bits(self) -> u8 {
        self.0
    }
}

/// What a heartbeat's `runtime_metadata` sets; absent metadata sets nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuntimeMetadata {
    /// Replaces what was declared before.
    pub capabilities: Capabilities,
    /// How long the agent may be silent on a message, in seconds; none clears the override.
    pub idle_timeout_seconds: Option<u32>,
}

/// The longest silence an agent may ask for: a delivery cannot outlive its function (14.5 minutes).
pub const MAX_IDLE_TIMEOUT_SECONDS: u32 = 870;

impl RuntimeMetadata {
    /// From the declared flags and timeout: zero and negative clear, the rest is clamped.
    pub fn new(flags: &BTreeMap<String, bool>, idle_timeout_seconds: Option<i64>) -> Self {
        let idle_timeout_seconds =
            idle_timeout_seconds
                .filter(|seconds| *seconds > 0)
                .map(|seconds| {
                    u32::try_from(seconds)
                        .unwrap_or(MAX_IDLE_TIMEOUT_SECONDS)
                        .min(MAX_IDLE_TIMEOUT_SECONDS)
                });
        Self {
            capabilities: Capabilities::declared(flags),
            idle_timeout_seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_true_counts_and_unknown_names_mean_nothing() {
        let flags = BTreeMap::from([
            ("session".to_owned(), true),
            ("scheduler".to_owned(), false),
            ("telepathy".to_owned(), true),
        ]);
        let capabilities = Capabilities::declared(&flags);
        assert!(capabilities.has(Capability::Session));
        assert!(!capabilities.has(Capability::Scheduler));
        assert_eq!(capabilities.bits(), Capability::Session as u8);
    }

    #[test]
    fn the_idle_override_is_cleared_or_clamped() {
        let none = BTreeMap::new();
        for (declared, expected) in [
            (None, None),
            (Some(0), None),
            (Some(-5), None),
            (Some(1), Some(1)),
            (Some(600), Some(600)),
            (Some(i64::MAX), Some(MAX_IDLE_TIMEOUT_SECONDS)),
        ] {
            let metadata = RuntimeMetadata::new(&none, declared);
            assert_eq!(metadata.idle_timeout_seconds, expected, "{declared:?}");
        }
    }
}

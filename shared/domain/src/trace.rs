//! Which call of the outside world something is part of, as W3C Trace Context says it: a request
//! keeps it from its acceptance, so that whatever carries it to its agent says the same.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A trace, and the span in it that is the parent of what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Trace {
    id: u128,
    parent: u64,
    sampled: bool,
}

/// It is no trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent")]
pub struct NoTrace;

impl Trace {
    /// From X-Ray's header, `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=…;Sampled=1`, which
    /// Lambda sets on every invocation, traced or not.
    pub fn from_xray(header: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut fields = header.split(';').filter_map(|field| field.split_once('='));
            fields.find_map(|(key, value)| (key.trim() == name).then(|| value.trim()))
        };
        let root = field("Root")?.strip_prefix("1-")?;
        let (time, unique) = root.split_once('-')?;
        if (time.len(), unique.len()) != (8, 24) {
            return None;
        }
        Self::of(
            &format!("{time}{unique}"),
            field("Parent")?,
            field("Sampled") == Some("1"),
        )
    }

    fn of(id: &str, parent: &str, sampled: bool) -> Option<Self> {
        let plain = |text: &str| {
            let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            text.bytes().all(digit)
        };
        if id.len() != 32 || parent.len() != 16 || !plain(id) || !plain(parent) {
            return None;
        }
        let id = u128::from_str_radix(id, 16).ok()?;
        let parent = u64::from_str_radix(parent, 16).ok()?;
        (id != 0 && parent != 0).then_some(Self {
            id,
            parent,
            sampled,
        })
    }
}

impl FromStr for Trace {
    type Err = NoTrace;

    /// From a `traceparent` header. Of a version to come the known part counts, as the standard says.
    fn from_str(text: &str) -> Result<Self, NoTrace> {
        let mut parts = text.trim().split('-');
        let mut part = || parts.next().ok_or(NoTrace);
        let (version, id, parent, flags) = (part()?, part()?, part()?, part()?);
        let known = version == "00" && parts.next().is_none();
        if version.len() != 2 || version == "ff" || (version == "00" && !known) {
            return Err(NoTrace);
        }
        if flags.len() != 2 {
            return Err(NoTrace);
        }
        let flags = u8::from_str_radix(flags, 16).map_err(|_| NoTrace)?;
        Self::of(id, parent, flags & 1 == 1).ok_or(NoTrace)
    }
}

/// As the `traceparent` header.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sampled = u8::from(self.sampled);
        write!(f, "00-{:032x}-{:016x}-{sampled:02x}", self.id, self.parent)
    }
}

impl From<Trace> for String {
    fn from(trace: Trace) -> Self {
        trace.to_string()
    }
}

impl TryFrom<String> for Trace {
    type Error = NoTrace;

    fn try_from(text: String) -> Result<Self, NoTrace> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const W3C: &str = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";

    #[test]
    fn lambdas_header_becomes_a_traceparent() {
        let xray = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        let trace = Trace::from_xray(xray).expect("a trace");
        assert_eq!(trace.to_string(), W3C);
        let more = format!("Self=1-5759e988-0; {xray};Lineage=1:a8af:0");
        assert_eq!(Trace::from_xray(&more), Some(trace));
        let unsampled = xray.replace("Sampled=1", "Sampled=0");
        let unsampled = Trace::from_xray(&unsampled).expect("a trace");
        assert!(unsampled.to_string().ends_with("-00"));
        for none in [
            "",
            "Root=1-5759e988-bd862e3fe1be46a994272793",
            "Root=2-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8",
            "Root=1-5759e98-bd862e3fe1be46a9942727933;Parent=53995c3f42cd8ad8",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=0000000000000000",
        ] {
            assert_eq!(Trace::from_xray(none), None, "{none}");
        }
    }

    #[test]
    fn a_traceparent_is_read_as_the_standard_says() {
        let trace: Trace = W3C.parse().expect("a trace");
        assert_eq!(trace.to_string(), W3C);
        let json = serde_json::to_string(&trace).expect("JSON");
        assert_eq!(json, format!("{W3C:?}"));
        assert_eq!(serde_json::from_str::<Trace>(&json).expect("read"), trace);
        // What is unknown of the flags is not passed on.
        let flags = W3C.replace("-01", "-ff").parse::<Trace>();
        assert_eq!(flags, Ok(trace));
        let later = format!("cc{}-what-the-future-will-be-like", &W3C[2..]);
        assert_eq!(later.parse::<Trace>(), Ok(trace));
        for none in [
            "",
            "00",
            &W3C.to_uppercase(),
            &format!("{W3C}-more"),
            &W3C.replace("00-", "ff-"),
            &W3C.replace("-01", "-1"),
            &W3C.replace("5759e988bd862e3fe1be46a994272793", &"0".repeat(32)),
            &W3C.replace("53995c3f42cd8ad8", &"0".repeat(16)),
            &W3C.replace('5', "+"),
        ] {
            assert_eq!(none.parse::<Trace>(), Err(NoTrace), "{none}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_trace_or_none(text in ".{0,80}", shaped in "[0-9a-fg]{2}-[0-9a-f]{30,33}-[0-9a-f]{15,17}-.{0,3}") {
            for text in [text, shaped.clone(), format!("Root=1-{shaped}")] {
                for trace in [text.parse().ok(), Trace::from_xray(&text)].into_iter().flatten() {
                    prop_assert_eq!(trace.to_string().parse(), Ok(trace));
                }
            }
        }

        #[test]
        fn every_trace_reads_back(id in 1_u128.., parent in 1_u64.., sampled: bool) {
            let trace = Trace { id, parent, sampled };
            prop_assert_eq!(trace.to_string().parse(), Ok(trace));
        }
    }
}

//! The `Range` header (RFC 9110, section 14).

/// What of a file is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// All of it; also for what is no single range of bytes, which one may pass over.
    Whole,
    /// From this byte to this one, both of them in the file.
    Part(u64, u64),
    /// None of its bytes.
    Beyond,
}

/// What this header asks of a file of `length` bytes.
pub(super) fn of(header: Option<&str>, length: u64) -> Asked {
    let range = header.and_then(|header| header.trim().strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.split_once('-')) else {
        return Asked::Whole;
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // Too many digits are a very large number, not a mistake.
        digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    let (first, last) = (first.trim(), last.trim());
    let (first, last) = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => (first, last),
        (Some(first), None) if last.is_empty() => (first, u64::MAX),
        // The last so many bytes.
        (None, Some(0)) if first.is_empty() => return Asked::Beyond,
        (None, Some(count)) if first.is_empty() => (length.saturating_sub(count), u64::MAX),
        _ => return Asked::Whole,
    };
    match length.checked_sub(1) {
        Some(end) if first <= end => Asked::Part(first, last.min(end)),
        _ => Asked::Beyond,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_become_parts() {
        for (header, expected) in [
            (None, Asked::Whole),
            (Some("bytes=0-0"), Asked::Part(0, 0)),
            (Some("bytes=2-5"), Asked::Part(2, 5)),
            (Some("bytes=2-"), Asked::Part(2, 9)),
            (Some("bytes=2-99999999999999999999999"), Asked::Part(2, 9)),
            (Some("bytes=-3"), Asked::Part(7, 9)),
            (Some("bytes=-30"), Asked::Part(0, 9)),
            (Some("bytes=9-9"), Asked::Part(9, 9)),
            (Some("bytes=10-"), Asked::Beyond),
            (Some("bytes=99999999999999999999999-"), Asked::Beyond),
            (Some("bytes=-0"), Asked::Beyond),
            (Some("bytes=5-2"), Asked::Whole),
            (Some("bytes=-"), Asked::Whole),
            (Some("bytes=a-b"), Asked::Whole),
            (Some("bytes=+1-2"), Asked::Whole),
            (Some("bytes=0-1,4-5"), Asked::Whole),
            (Some("lines=0-1"), Asked::Whole),
            (Some(""), Asked::Whole),
        ] {
            assert_eq!(of(header, 10), expected, "{header:?}");
        }
        assert_eq!(of(Some("bytes=0-"), 0), Asked::Beyond);
        assert_eq!(of(None, 0), Asked::Whole);
    }
}

//! Texts that are compiled in: sent once per version, by their `ETag`.

use edge::Reply;
use lambda_http::http::StatusCode;

/// The text, or, by `If-None-Match`, that the client has it already.
pub(crate) fn reply(known: Option<&str>, content_type: &'static str, text: &'static str) -> Reply {
    let tag = format!("\"{:016x}\"", fingerprint(text.as_bytes()));
    let is_known = known.is_some_and(|tags| {
        let mut tags = tags.split(',').map(|it| it.trim().trim_start_matches("W/"));
        tags.any(|it| it == tag || it == "*")
    });
    let reply = if is_known {
        Reply::empty(StatusCode::NOT_MODIFIED)
    } else {
        Reply::file(content_type, text)
    };
    // Asked for each time: texts of two versions would not fit each other.
    reply
        .header("cache-control", "no-cache")
        .header("etag", tag)
}

/// FNV-1a: tells versions of a file apart, which needs no more.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn the_fingerprint_is_fnv_1a() {
        for (text, hash) in [
            ("", 0xcbf2_9ce4_8422_2325),
            ("a", 0xaf63_dc4c_8601_ec8c),
            ("foobar", 0x8594_4171_f739_67e8),
        ] {
            assert_eq!(fingerprint(text.as_bytes()), hash, "{text:?}");
        }
    }
}

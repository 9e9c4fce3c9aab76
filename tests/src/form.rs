//! Multipart forms.

/// A multipart form with these files (name, content type, content) in its field `files`, and what it
/// is called.
pub fn form(files: &[(&str, &str, &[u8])]) -> (String, Vec<u8>) {
    let boundary = uuid::Uuid::new_v4().simple().to_string();
    let mut body = Vec::new();
    for (name, content_type, content) in files {
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n"
        );
        body.extend(head.into_bytes());
        if !content_type.is_empty() {
            body.extend(format!("Content-Type: {content_type}\r\n").into_bytes());
        }
        body.extend(b"\r\n");
        body.extend(*content);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").into_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

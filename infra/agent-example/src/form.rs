//! `multipart/form-data`, as far as one text file needs it.

/// A form with one text file in the field `files`, as browsers write it.
pub(crate) fn form(boundary: &str, name: &str, text: &str) -> String {
    // Inside the quotes these would end the name, or the header.
    let name = name
        .replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A");
    format!(
        "--{boundary}\r\n\
         Content-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\
         Content-Type: text/plain\r\n\r\n\
         {text}\r\n\
         --{boundary}--\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::form;

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        let form = form("b", "a\"\r\nX: y.txt", "text");
        assert!(
            form.contains("filename=\"a%22%0D%0AX: y.txt\"\r\n"),
            "{form}"
        );
        assert!(form.ends_with("\r\n\r\ntext\r\n--b--\r\n"), "{form}");
    }
}

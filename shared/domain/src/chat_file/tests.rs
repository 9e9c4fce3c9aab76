//! Names, paths and headers, as tables and for every text.

use proptest::prelude::*;

use super::*;

fn id() -> Uuid {
    Uuid::from_u128(0x0192_aaaa_bbbb_7ccc_8ddd_eeee_ffff_0001)
}

#[test]
fn names_become_safe() {
    let long = "x".repeat(200);
    for (sent, safe) in [
        ("my file.pdf", "my_file.pdf"),
        ("../../etc/passwd", "passwd"),
        ("weird;$name`.txt", "weird__name_.txt"),
        ("", "file"),
        (".", "file"),
        ("..", "file"),
        ("/", "file"),
        ("a/b/", "b"),
        ("a/..", "file"),
        ("grüße.txt", "gr__e.txt"),
        ("C:\\dir\\a.txt", "C__dir_a.txt"),
        ("a\0b\r\nc", "a_b__c"),
        // What is stored can be asked for: no path with two dots in a row can.
        ("a..b", "a.b"),
        (".bashrc", ".bashrc"),
        (&long, &long[..100]),
        (&format!("{long}.pdf"), &format!("{}.pdf", &long[..96])),
        (
            &format!("{long}.{}", &long[..15]),
            &format!("{}.{}", &long[..84], &long[..15]),
        ),
        (&format!("{long}.{}", &long[..16]), &long[..100]),
        (&format!(".{long}"), &format!(".{}", &long[..99])),
        (
            &format!("{}.{long}.txt", &long[..95]),
            &format!("{}.txt", &long[..95]),
        ),
    ] {
        assert_eq!(safe_name(sent), safe, "{sent:?}");
    }
}

#[test]
fn stored_names_are_read_back_or_refused() {
    let stored = StoredName::new(id(), "my file.pdf");
    assert_eq!(
        stored.as_str(),
        "0192aaaabbbb7ccc8dddeeeeffff0001-my_file.pdf"
    );
    assert_eq!(stored.name(), "my_file.pdf");
    let uri = "workspace:/workspace/.molecule/chat-uploads/\
               0192aaaabbbb7ccc8dddeeeeffff0001-my_file.pdf";
    assert_eq!(stored.uri(), uri);
    assert_eq!(StoredName::of_uri(uri).expect("ours"), stored);
    assert_eq!(StoredName::at(&stored.path()).expect("ours"), stored);
    let digits = "0192aaaabbbb7ccc8dddeeeeffff0001";
    for other in [
        String::new(),
        digits.to_owned(),
        format!("{digits}-"),
        format!("{digits}-a/b"),
        format!("{digits}-../a"),
        format!("{digits}-a b"),
        format!("{digits}_a"),
        format!("{}-a", &digits[1..]),
        format!("{}-a", digits.to_uppercase()),
        format!("0{digits}-a"),
        format!("{digits}-{}", "x".repeat(101)),
    ] {
        assert!(other.parse::<StoredName>().is_err(), "{other:?}");
        assert_eq!(StoredName::at(&format!("{FOLDER}/{other}")), None);
    }
    for uri in ["", "workspace:", "file:///workspace/x", &stored.path()] {
        assert!(StoredName::of_uri(uri).is_err(), "{uri:?}");
    }
    assert_eq!(StoredName::at(&format!("/home/{digits}-a")), None);
    assert_eq!(StoredName::at(&format!("{FOLDER}x/{digits}-a")), None);
}

#[test]
fn paths_are_refused_in_the_contracts_order() {
    let outside = "path must be under /configs, /workspace, /home, or /plugins";
    for (path, said) in [
        ("", "path query required"),
        ("workspace/a", "path must be absolute"),
        ("..", "path must be absolute"),
        ("workspace:/workspace/a", "path must be absolute"),
        ("/", outside),
        ("/etc/passwd", outside),
        ("/workspaces/a", outside),
        ("//workspace/a", outside),
        ("/../workspace/a", outside),
        ("/workspace/../etc/passwd", "invalid path"),
        ("/workspace/a..b", "invalid path"),
        ("/workspace/", "invalid path"),
        ("/workspace//a", "invalid path"),
        ("/workspace/./a", "invalid path"),
        ("/workspace/a/", "invalid path"),
        ("/workspace/a/.", "invalid path"),
    ] {
        assert_eq!(check_path(path).expect_err(path).message(), said, "{path}");
    }
    for path in ["/workspace", "/home/a b", "/configs/.x", "/plugins/%2e%2e"] {
        assert!(check_path(path).is_ok(), "{path}");
    }
}

#[test]
fn dispositions_carry_every_name() {
    for (name, header) in [
        (
            "a.txt",
            "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt",
        ),
        (
            "a \"b\"\\.txt",
            r#"attachment; filename="a \"b\"\\.txt"; filename*=UTF-8''a%20%22b%22%5C.txt"#,
        ),
        (
            "grüße~/x",
            "attachment; filename=\"grüße~/x\"; filename*=UTF-8''gr%C3%BC%C3%9Fe~%2Fx",
        ),
        (
            "a\r\nX: y",
            "attachment; filename=\"aX: y\"; filename*=UTF-8''a%0D%0AX%3A%20y",
        ),
    ] {
        assert_eq!(disposition(name), header);
    }
}

proptest! {
    #[test]
    fn every_text_gets_a_safe_name(sent in "(?s).{0,200}|[./ab]{0,12}|[a.]{90,130}") {
        let name = safe_name(&sent);
        prop_assert!((1..=MAX_NAME).contains(&name.len()), "{}", name);
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        prop_assert!(name.bytes().all(fine), "{}", name);
        prop_assert_eq!(&safe_name(&name), &name);
        // What gets a name is found again, and can be asked for.
        let stored = StoredName::new(id(), &sent);
        prop_assert_eq!(stored.name(), &name);
        prop_assert_eq!(StoredName::of_uri(&stored.uri()).ok(), Some(stored.clone()));
        prop_assert!(check_path(&stored.path()).is_ok());
    }

    #[test]
    fn no_name_breaks_out_of_its_header(name in "(?s).{0,60}") {
        let header = disposition(&name);
        prop_assert!(!header.chars().any(char::is_control));
        let quoted = header.strip_prefix("attachment; filename=\"").expect("quoted");
        let mut chars = quoted.chars();
        while let Some(char) = chars.next() {
            match char {
                '\\' => prop_assert!(matches!(chars.next(), Some('"' | '\\'))),
                '"' => break,
                _ => {}
            }
        }
        let encoded = chars.as_str().strip_prefix("; filename*=UTF-8''");
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
        prop_assert!(encoded.is_some_and(|text| text.bytes().all(plain)), "{}", header);
    }
}

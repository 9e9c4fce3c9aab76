use domain::TokenId;

use super::*;

const ADMIN: &str = "break-glass";

fn id(n: u128) -> WorkspaceId {
    format!("00000000-0000-4000-8000-{n:012}")
        .parse()
        .expect("valid")
}

fn token_id() -> TokenId {
    "00000000-0000-7000-8000-000000000001"
        .parse()
        .expect("valid")
}

fn caller(authorization: Option<&str>) -> Caller {
    Caller::of(authorization, None, ADMIN)
}

fn workspace(n: u128) -> Option<Credential> {
    Some(Credential::Workspace {
        workspace_id: id(n),
        token_id: token_id(),
    })
}

fn org() -> Option<Credential> {
    Some(Credential::Org {
        token_id: token_id(),
        prefix: "abcdefgh".to_owned(),
    })
}

fn said<T>(outcome: Result<T>) -> String {
    outcome.map_or_else(|e| e.message().to_owned(), |_| "yes".to_owned())
}

#[test]
fn the_classes_as_a_table() {
    let admin_text = format!("Bearer {ADMIN}");
    // bearer, what the store has, then: admin, own, anyone, discoverer, which as to operators'
    // tokens is the same as: itself
    for (bearer, credential, expected) in [
        (
            None,
            None,
            [
                "admin auth required",
                "missing workspace auth token",
                "missing auth token",
                "missing workspace auth token",
            ],
        ),
        (
            Some("Bearer unknown"),
            None,
            [
                "invalid admin auth token",
                "invalid workspace auth token",
                "invalid auth token",
                "invalid workspace auth token",
            ],
        ),
        (
            Some("Bearer foreign"),
            workspace(2),
            [
                "invalid admin auth token",
                "invalid workspace auth token",
                "yes",
                "invalid workspace auth token",
            ],
        ),
        (
            Some("Bearer own"),
            workspace(1),
            ["invalid admin auth token", "yes", "yes", "yes"],
        ),
        (
            Some("Bearer org"),
            org(),
            ["yes", "yes", "yes", "invalid workspace auth token"],
        ),
        (
            Some(admin_text.as_str()),
            None,
            ["yes", "yes", "yes", "invalid workspace auth token"],
        ),
    ] {
        for mode in [Mode::Strict, Mode::DevClosed] {
            let (caller, credential) = (caller(bearer), credential.as_ref());
            let found = [
                said(admin(mode, &caller, credential)),
                said(own(mode, &caller, id(1), credential)),
                said(anyone(mode, &caller, credential)),
                said(discoverer(mode, &caller, id(1), credential)),
            ];
            assert_eq!(found, expected, "{bearer:?}");
            // The same as `own`, but for the workspace itself.
            let is_itself = bearer == Some("Bearer own");
            let of_it = if is_itself { "no" } else { expected[1] };
            let found = operator_of(mode, &caller, id(1), credential, "no");
            assert_eq!(said(found), of_it, "{bearer:?}");
            for has_tokens in [false, true] {
                let itself = said(itself(mode, &caller, id(1), credential, has_tokens));
                assert_eq!(itself, expected[3], "{bearer:?}");
            }
        }
    }
}

#[test]
fn open_development_lets_the_nameless_in_but_not_a_wrong_name() {
    let mode = Mode::Dev;
    let nobody = Caller::of(None, None, "");
    assert_eq!(said(admin(mode, &nobody, None)), "yes");
    assert_eq!(said(own(mode, &nobody, id(1), None)), "yes");
    assert_eq!(said(anyone(mode, &nobody, None)), "yes");
    let wrong = Caller::of(Some("Bearer wrong"), None, "");
    assert_eq!(
        said(own(mode, &wrong, id(1), None)),
        "invalid workspace auth token"
    );
    let (named, credential) = (Caller::of(Some("Bearer own"), None, ""), workspace(1));
    for (caller, credential, expected) in [
        (&nobody, None, "yes"),
        (&wrong, None, "invalid workspace auth token"),
        (&named, credential.as_ref(), "yes"),
    ] {
        let found = operator_of(mode, caller, id(1), credential, "no");
        assert_eq!(said(found), expected);
    }
    // Who has a name is known by it.
    let itself = |caller, has_tokens| said(itself(mode, caller, id(1), None, has_tokens));
    assert_eq!(itself(&nobody, false), "yes");
    assert_eq!(itself(&nobody, true), "missing workspace auth token");
    assert_eq!(itself(&wrong, false), "invalid workspace auth token");
    // An empty admin token is nobody's.
    assert_eq!(Caller::of(Some("Bearer "), None, "").bearer, Bearer::None);
}

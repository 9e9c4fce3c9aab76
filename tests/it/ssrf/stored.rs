//! When an address is stored: registering, creating and importing refuse the whole table, and nothing
//! is written. A card may say what it likes: nobody calls what it says.

use domain::Mode;
use e2e::{
    Answer, Workspace,
    counted::{InProcess, PUBLIC},
    ssrf::{self, ANSWERS, Liar, URLS},
};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use store::workspaces::Parts;

/// How many calls are under way at once.
const AT_ONCE: usize = 8;
/// Nobody listens here, and nobody may ask.
const PORT: &str = "9";

/// Each door that stores an address, asked with this one.
async fn doors(inside: &InProcess, own: &Workspace, url: &str) -> [(&'static str, Answer); 3] {
    let admin = |path: &str, body: Value| inside.post(path).bearer(&inside.admin).json(&body);
    let external = json!({"name": "A", "external": true, "url": url});
    let org = json!({"template": {"workspaces": [external]}});
    [
        ("register", inside.register(own, url).await),
        ("create", admin("/workspaces", external).await),
        ("import", admin("/org/import", org).await),
    ]
}

/// What went otherwise than refused.
async fn let_through(inside: &InProcess, own: &Workspace, url: String) -> Vec<String> {
    let answers = doors(inside, own, &url).await;
    let through = answers.iter().filter(|(_, answer)| answer.status != 400);
    through
        .map(|(door, answer)| format!("{door} {url:?}: {answer:?}"))
        .collect()
}

async fn stored(inside: &InProcess, own: &Workspace) -> String {
    let id = own.id.parse().expect("an id");
    let found = inside.app.store.workspace(id, Parts::Core).await;
    found.expect("read").expect("there").meta.url
}

async fn count(inside: &InProcess) -> usize {
    let all = inside.get("/workspaces").bearer(&inside.admin).await;
    all.expect(200).json.as_array().expect("a list").len()
}

#[tokio::test]
async fn no_url_of_the_table_is_stored() {
    let names = Liar::saying(&[&[ssrf::PUBLIC]]);
    let inside = InProcess::with_names(Mode::Strict, names.clone()).await;
    let own = inside.online("Own").await;
    let before = count(&inside).await;
    let urls = URLS.iter().map(|url| url.replace("{port}", PORT));
    let wrong: Vec<Vec<String>> = stream::iter(urls)
        .map(|url| let_through(&inside, &own, url))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    assert!(wrong.concat().is_empty(), "{}", wrong.concat().join("\n"));
    assert_eq!(stored(&inside, &own).await, PUBLIC);
    assert_eq!(count(&inside).await, before);
    assert!(names.asked().is_empty(), "{:?}", names.asked());
}

#[tokio::test]
async fn no_name_for_a_bad_address_is_stored() {
    let first = InProcess::apart(Mode::Strict).await;
    let own = first.online("Own").await;
    let before = count(&first).await;
    let mut wrong = Vec::new();
    for bad in ANSWERS {
        let inside = first.knowing(Liar::saying(&[&[ssrf::PUBLIC, bad]]));
        let url = "https://agent.example.com/a2a".to_owned();
        let through = let_through(&inside, &own, url).await;
        wrong.extend(through.into_iter().map(|it| format!("{bad}: {it}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(stored(&first, &own).await, PUBLIC);
    assert_eq!(count(&first).await, before);
    // The same name, when it is public.
    let inside = first.knowing(Liar::saying(&[&[ssrf::PUBLIC]]));
    let good = "https://agent.example.com/a2a";
    let statuses = doors(&inside, &own, good).await.map(|it| it.1.status);
    assert_eq!(statuses, [200, 201, 201]);
}

#[tokio::test]
async fn a_card_moves_no_address() {
    let inside = InProcess::apart(Mode::Strict).await;
    let own = inside.online("Own").await;
    for url in ["http://169.254.169.254/", "http://127.0.0.1:9/"] {
        let card = json!({"name": "a", "url": url, "additionalInterfaces": [{"url": url}]});
        let body = json!({"workspace_id": own.id, "agent_card": card, "url": url});
        let call = inside.post("/registry/update-card").bearer(&own.token);
        call.json(&body).await.expect(200);
        assert_eq!(stored(&inside, &own).await, PUBLIC);
    }
}

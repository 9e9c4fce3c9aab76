//! Folders of the bucket with more files than one look shows.

use domain::Mode;
use e2e::counted::InProcess;
use serde_json::Value;
use store::{chat_files, files, keys};

use super::id;

#[tokio::test]
async fn of_very_many_files_of_a_chat_the_newest_are_shown() {
    let (inside, memory) = InProcess::in_memory(Mode::DevClosed).await;
    let own = inside.workspace("Collector").await;
    let names: Vec<_> = (0..files::MOST + 50)
        .map(|_| chat_files::new_name("a.txt"))
        .collect();
    for name in &names {
        memory.put_object(&keys::chat_file(id(&own), name), b"text".to_vec());
    }

    let path = format!("/workspaces/{}/chat/uploads", own.id);
    let answer = inside.get(&path).bearer(&own.token).await.expect(200);
    let shown = answer.json["files"].as_array().expect("a list").iter();
    let shown: Vec<_> = shown.filter_map(|file| file["name"].as_str()).collect();
    let newest = &names[names.len() - chat_files::MOST..];
    let newest: Vec<_> = newest.iter().map(|name| name.as_str()).collect();
    assert!(shown == newest, "{} files, not the newest", shown.len());
    assert_eq!(memory.defects(), Vec::<String>::new());
}

#[tokio::test]
async fn a_list_of_templates_that_was_cut_removes_none() {
    let (inside, memory) = InProcess::in_memory(Mode::DevClosed).await;
    let refresh = || inside.post("/templates/refresh").bearer(&inside.admin);
    let config = b"name: Last\nruntime: r1".to_vec();
    memory.put_object("templates/z/config.yaml", config);
    for n in 1..files::MOST {
        memory.put_object(&format!("templates/a/{n}.md"), Vec::new());
    }
    assert_eq!(refresh().await.expect(200).json["templates"], 1);

    memory.put_object("templates/a/one-more.md", Vec::new());
    let sentence = "templates/ has more than 10000 files: take some away";
    assert_eq!(refresh().await.error(), (500, sentence));
    let list = inside.get("/templates").bearer(&inside.admin).await;
    let dirs: Vec<Value> = list.expect(200).json.as_array().expect("a list").clone();
    assert_eq!(dirs.len(), 1, "{dirs:?}");
}

use serde_json::json;

use super::*;

fn org(json: Value) -> Org {
    Org::read(json).expect("an org")
}

fn planned(org: &Org, variables: &Variables) -> Result<Vec<Planned>, String> {
    plan(org, variables, &Prompts::new(), Timestamp::UNIX_EPOCH)
}

fn refused(node: Value) -> String {
    let mut node = node;
    if node.get("name").is_none() {
        node["name"] = json!("a");
    }
    let org = org(json!({"workspaces": [node]}));
    let planned = folders(&org).and_then(|_| planned(&org, &Variables::default()));
    planned.expect_err("refused")
}

#[test]
fn workspaces_take_defaults() {
    let org = org(json!({
        "defaults": {"runtime": "crewai", "tier": 1},
        "workspaces": [
            {"name": "Plain", "role": "leads\n  all\n"},
            {"name": "Own", "runtime": "claude-code", "tier": 4, "max_concurrent_tasks": -1},
            {"name": "Out", "external": true, "runtime": "hermes", "url": "https://8.8.8.8/"},
        ],
    }));
    let plan = planned(&org, &Variables::default()).expect("a plan");
    let short: Vec<_> = plan
        .iter()
        .map(|it| {
            (
                it.runtime.as_str(),
                it.model.as_str(),
                it.tier,
                it.url.as_str(),
            )
        })
        .collect();
    let opus = "anthropic:claude-opus-4-7";
    assert_eq!(
        short,
        [
            ("crewai", opus, 1, ""),
            ("claude-code", "sonnet", 4, ""),
            ("external", opus, 1, "https://8.8.8.8/"),
        ]
    );
    assert_eq!(plan[0].role.as_deref(), Some("leads all"));
    assert_eq!(plan[1].max_concurrent_tasks, 1);
    let bare = Org::read(json!({"workspaces": [{"name": "a"}]})).expect("an org");
    let bare = planned(&bare, &Variables::default()).expect("a plan");
    assert_eq!((bare[0].runtime.as_str(), bare[0].tier), ("langgraph", 2));
}

#[test]
fn parents_come_first_and_children_stand_inside() {
    let org = org(json!({"workspaces": [
        {"name": "A", "canvas": {"x": 100, "y": 10}, "children": [
            {"name": "B", "children": [{"name": "C"}]}, {"name": "D"},
        ]},
        {"name": "E"},
    ]}));
    let plan = planned(&org, &Variables::default()).expect("a plan");
    let shape: Vec<_> = plan
        .iter()
        .map(|it| (it.name.as_str(), it.parent))
        .collect();
    assert_eq!(
        shape,
        [
            ("A", None),
            ("B", Some(0)),
            ("C", Some(1)),
            ("D", Some(0)),
            ("E", None),
        ]
    );
    assert_eq!(plan[0].at, (100.0, 10.0));
    assert_eq!(
        (plan[1].beside_parent, plan[1].at),
        ((16.0, 130.0), (116.0, 140.0))
    );
    assert_eq!(
        (plan[2].beside_parent, plan[2].at),
        ((16.0, 130.0), (132.0, 270.0))
    );
    // B is 272 wide: so is its column.
    assert_eq!(plan[3].beside_parent, (302.0, 130.0));
    assert_eq!(plan[2].place.path, [plan[0].place.id, plan[1].place.id]);
}

#[test]
fn variables_become_secrets_and_fill_directories() {
    let org = org(json!({"workspaces": [
        {"name": "A", "files_dir": "./a/", "workspace_dir": "${ROOT}/a"},
        {"name": "B", "workspace_dir": "${PATH}"},
        {"name": "C", "workspace_dir": "$ROOT/$UNSET"},
    ]}));
    let all = Variables::from(&[("", "ROOT=/srv\nKEY=1\nEMPTY="), ("a", "KEY=2\nMORE=3")]);
    assert_eq!(
        folders(&org).expect("folders"),
        ["", "a"].map(str::to_owned).into()
    );
    let plan = planned(&org, &all).expect("a plan");
    let secrets = |n: usize| -> Vec<_> {
        let secrets = plan[n].secrets.iter();
        secrets.map(|(k, v)| (k.as_str(), v.reveal())).collect()
    };
    assert_eq!(secrets(0), [("KEY", "2"), ("MORE", "3"), ("ROOT", "/srv")]);
    assert_eq!(secrets(1), [("KEY", "1"), ("ROOT", "/srv")]);
    let directories: Vec<_> = plan.iter().map(|it| it.workspace_dir.as_deref()).collect();
    assert_eq!(directories, [Some("/srv/a"), None, Some("/srv/")]);
    let many: String = (0..51).map(|n| format!("K{n}=v\n")).collect();
    assert!(planned(&org, &Variables::from(&[("", &many)])).is_err());
}

#[test]
fn what_cannot_be_created_is_refused_as_a_whole() {
    for (node, why) in [
        (json!({"name": ""}), "needs a name"),
        (json!({"name": "a\nb"}), "newline"),
        (json!({"tier": 5}), "tier must be 1 to 4"),
        (json!({"tier": -1}), "tier must be 1 to 4"),
        (json!({"template": "../x"}), "invalid template"),
        (json!({"files_dir": "../x"}), "invalid files_dir"),
        (
            json!({"workspace_dir": "/etc"}),
            "invalid workspace directory",
        ),
        (
            json!({"workspace_dir": "${UNSET}/etc"}),
            "invalid workspace directory",
        ),
        (
            json!({"workspace_access": "read_only"}),
            "invalid workspace access",
        ),
        (json!({"model": "x".repeat(101)}), "model must be"),
    ] {
        let found = refused(node.clone());
        assert!(found.contains(why), "{node}: {found}");
    }
}

#[test]
fn schedules_are_sorted_out_and_their_files_are_known() {
    let org = org(
        json!({"workspaces": [{"name": "A", "files_dir": "./a/", "schedules": [
            {"name": "one", "cron_expr": "0 9 * * *", "prompt_file": "one.md"},
            {"name": "two", "cron_expr": "0 9 * * *", "prompt": "p", "timezone": "Europe/Berlin"},
            {"name": "three", "cron_expr": "0 9 * *", "prompt": "p"},
            {"name": "four", "cron_expr": "0 9 * * *", "prompt_file": "../four.md"},
        ]}]}),
    );
    assert_eq!(
        prompt_files(&org).expect("files"),
        ["a/one.md".to_owned()].into()
    );
    let prompts = [("a/one.md".to_owned(), Some("One".to_owned()))].into();
    let plan = plan(&org, &Variables::default(), &prompts, Timestamp::UNIX_EPOCH);
    let plan = plan.expect("a plan");
    let made: Vec<_> = plan[0]
        .schedules
        .iter()
        .map(|it| (&*it.name, &*it.prompt))
        .collect();
    assert_eq!(made, [("one", "One"), ("two", "p")]);
    let skipped: Vec<_> = plan[0]
        .schedules_skipped
        .iter()
        .map(|it| &*it.name)
        .collect();
    assert_eq!(skipped, ["three", "four"]);
}

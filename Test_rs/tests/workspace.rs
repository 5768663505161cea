//! The workspace folder: what counts as an integration, changes and their undoing, environments, the watch, the lock.

use std::{
    fs,
    path::Path,
    sync::mpsc,
    time::{Duration, Instant},
};

use patchbay_contracts::{Code, workspace::Edit};
use patchbay_engine::{
    definition,
    workspace::{SETTINGS_FILE, Workspace},
};
use patchbay_tests::workspaces::{Folder, small};
use serde_json::json;

#[test]
fn integrations_are_found_and_other_tools_files_left_alone() {
    let folder = Folder::with(&[
        ("b.yaml", &small("beta")),
        ("a.yml", &small("alpha")),
        ("sub/deep/er/c.yaml", &small("gamma")),
        ("docker-compose.yaml", "services:\n  web: { image: nginx }\n"),
        ("chart.yaml", "{{- if .Values.x }}\na: {{ .Values.y }}\n"),
        ("empty.yaml", ""),
        ("comments.yaml", "# only\n# comments\n"),
        ("list.yaml", "- a\n- b\n"),
        ("integrations.yaml", "integrations: [slack, github]\n"),
        ("notes.txt", &small("text")),
        (".hidden.yaml", &small("hidden")),
        (".git/x.yaml", &small("git")),
        ("node_modules/x.yaml", &small("node")),
        ("target/x.yaml", &small("target")),
        ("reports/x.yaml", &small("report")),
        ("1/2/3/4/too-deep.yaml", &small("deep")),
        ("patchbay.yaml", "workspace: {}\n"),
    ]);
    assert_eq!(folder.names(), ["alpha", "beta", "gamma"]);
    assert_eq!(folder.workspace.problems(), []);
    assert_eq!(folder.workspace.entry("gamma").expect("it is there").file, "sub/deep/er/c.yaml");
    assert_eq!(folder.workspace.entry("a.yml").expect("a file's name will do").name, "alpha");
    let unknown = folder.workspace.entry("gama").expect_err("there is none");
    assert_eq!((unknown.code, unknown.next.as_str()), (Code::NotFound, "Did you mean \"gamma\"?"));
}

#[cfg(unix)]
#[test]
fn a_file_with_a_mistake_is_an_entry_and_the_others_load() {
    let folder = Folder::with(&[
        ("good.yaml", &small("good")),
        ("broken.yaml", "integration:\n\tname: broken\n"),
        ("typo.yaml", "integraton:\n  name: typo\n"),
        ("wrong.yaml", "integration:\n  name: wrong\n  metod: GET\n"),
    ]);
    fs::write(folder.path("latin.yaml"), b"integration:\n  name: caf\xe9\n").expect("written");
    fs::write(folder.path("huge.yaml"), format!("integration:\n{}", "#".repeat(definition::MAX_BYTES))).expect("written");
    folder.workspace.reload();
    assert_eq!(folder.names(), ["broken", "good", "huge", "latin", "typo", "wrong"]);
    for name in ["broken", "huge", "latin", "typo", "wrong"] {
        let entry = folder.workspace.entry(name).expect("listed");
        assert!(entry.parsed.definition.is_none() && !entry.parsed.problems.is_empty(), "{name}");
        assert_eq!(entry.parsed.problems[0].place.as_ref().map(|place| place.file.clone()), Some(format!("{name}.yaml")));
    }
    assert!(folder.workspace.entry("good").expect("listed").parsed.definition.is_some());
    // What becomes unreadable stays an entry: a folder stands where the file was.
    fs::remove_file(folder.path("good.yaml")).expect("removed");
    std::os::unix::fs::symlink("/nowhere/at/all", folder.path("good.yaml")).expect("linked");
    assert!(folder.workspace.reload());
    assert!(folder.mistakes("good")[0].contains("good.yaml can't be read"), "{:?}", folder.mistakes("good"));
    assert_eq!(folder.names().len(), 6);
}

#[test]
fn two_files_of_one_name_are_both_refused() {
    let folder = Folder::with(&[("a.yaml", &small("same")), ("b.yaml", &small("same")), ("c.yaml", &small("other"))]);
    let entries = folder.workspace.entries();
    assert_eq!(entries.len(), 3);
    for (entry, other) in [(&entries[1], "b.yaml"), (&entries[2], "a.yaml")] {
        assert!(entry.parsed.definition.is_none());
        assert_eq!(
            entry.parsed.problems[0].to_string(),
            format!("{}:2:9: The name \"same\" is taken: {other} has it as well. Give one of them another name", entry.file)
        );
    }
    folder.write("b.yaml", &small("another"));
    assert!(folder.workspace.reload());
    assert!(folder.workspace.entries().iter().all(|entry| entry.parsed.definition.is_some()));
}

#[cfg(unix)]
#[test]
fn links_lead_nowhere_outside() {
    let outside = tempfile::TempDir::new().expect("a folder");
    fs::write(outside.path().join("secret.yaml"), small("outside")).expect("written");
    let folder = Folder::with(&[("data/real.yaml", &small("inside"))]);
    std::os::unix::fs::symlink(outside.path().join("secret.yaml"), folder.path("link.yaml")).expect("linked");
    std::os::unix::fs::symlink(outside.path(), folder.path("folder")).expect("linked");
    std::os::unix::fs::symlink(folder.path("data"), folder.path("loop")).expect("linked");
    folder.workspace.reload();
    assert_eq!(folder.names(), ["inside", "link"]);
    assert!(folder.mistakes("link")[0].contains("leads out of the workspace"), "{:?}", folder.mistakes("link"));
    assert!(folder.workspace.entry("link").expect("listed").text.is_empty());
    let refused = folder.workspace.edit("link", &[Edit { pointer: "/integration/name".to_owned(), value: json!("x") }]);
    assert_eq!(refused.expect_err("not outside").code, Code::Workspace);
    // A link inside is written through, and stays a link.
    fs::remove_file(folder.path("link.yaml")).expect("removed");
    fs::rename(folder.path("data/real.yaml"), folder.path("data/real.txt")).expect("renamed");
    std::os::unix::fs::symlink("data/real.txt", folder.path("link.yaml")).expect("linked");
    folder.workspace.reload();
    folder.workspace.edit("inside", &[Edit { pointer: "/integration/version".to_owned(), value: json!("2") }]).expect("saved");
    assert!(folder.text("data/real.txt").contains("version: \"2\""));
    assert!(folder.path("link.yaml").is_symlink());
}

#[test]
fn a_folder_that_is_none_is_refused() {
    let folder = Folder::with(&[("file", "")]);
    for (path, words) in [(folder.path("missing"), "There is no folder"), (folder.path("file"), "is not a folder")] {
        let problem = Workspace::open(&path).expect_err("no workspace");
        assert_eq!(problem.code, Code::Workspace);
        assert!(problem.what.contains(words) && !problem.next.is_empty(), "{problem}");
    }
    assert_eq!(Workspace::init(&folder.path("file")).expect_err("a file is in the way").code, Code::Workspace);
}

/// Permissions mean nothing to the superuser, as whom tests may run; the kernel's own folders can be written by nobody.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_can_not_be_written_can_be_read() {
    let workspace = Workspace::open(Path::new("/proc/tty")).expect("it can be read");
    let reason = workspace.read_only().expect("it can't be written");
    assert_eq!(reason.code, Code::Workspace);
    for refused in
        [workspace.add(None, &small("new")).map(drop), workspace.save("new", "", "").map(drop), workspace.remove("new")]
    {
        assert!(matches!(refused.expect_err("read-only").code, Code::Workspace | Code::NotFound));
    }
    assert_eq!(workspace.add(None, &small("new")).expect_err("read-only"), reason);
    assert!(!workspace.state_dir().starts_with("/proc"));
    assert_eq!(Workspace::init(Path::new("/proc/tty")).expect_err("read-only").code, Code::Workspace);
}

#[test]
fn a_write_that_fails_leaves_the_file_as_it_was() {
    let folder = Folder::with(&[("sub/a.yaml", &small("a"))]);
    let entry = folder.workspace.entry("a").expect("listed");
    // The folder of the file is gone and a file stands in its place: nothing can be written there.
    fs::rename(folder.path("sub"), folder.path("away")).expect("renamed");
    fs::write(folder.path("sub"), "in the way").expect("written");
    let problem = folder.workspace.save("a", &small("b"), &entry.revision).expect_err("no such file");
    assert!(matches!(problem.code, Code::Workspace | Code::Conflict), "{problem}");
    assert_eq!(folder.text("away/a.yaml"), small("a"));
    assert_eq!(folder.workspace.undoable(), None);
}

#[test]
fn adding_writes_a_file_of_its_own() {
    let folder = Folder::with(&[("taken.yaml", "services: {}\n"), ("a.yaml", &small("alpha"))]);
    let saved = folder.workspace.add(None, &small("My Orders (v2)").replace("(v2)", "v2")).expect("added");
    assert_eq!((saved.name.as_str(), saved.file.as_str(), saved.problems.len()), ("My Orders v2", "my-orders-v2.yaml", 0));
    assert_eq!(folder.workspace.add(None, &small("taken")).expect("added").file, "taken-2.yaml");
    assert_eq!(folder.text("taken.yaml"), "services: {}\n");
    assert_eq!(folder.workspace.add(None, &small("patchbay")).expect("added").file, "patchbay-integration.yaml");
    let renamed = folder.workspace.add(Some("beta"), &small("alpha")).expect("added");
    assert_eq!(renamed.text, small("beta"));
    assert_eq!(folder.workspace.add(None, &small("alpha")).expect_err("taken").code, Code::AlreadyExists);
    assert_eq!(folder.workspace.add(Some("beta"), &small("new")).expect_err("taken").code, Code::AlreadyExists);
    assert_eq!(folder.workspace.add(None, "services: {}\n").expect_err("foreign").code, Code::InvalidDefinition);
    assert_eq!(
        folder.workspace.add(None, "integration: { version: \"1\" }\n").expect_err("no name").code,
        Code::InvalidDefinition
    );
    let mistaken = folder.workspace.add(None, "integration: { name: bad, metod: 1 }\n").expect("added with its mistake");
    assert_eq!(mistaken.problems.len(), 1);
    assert_eq!(folder.workspace.free_name("beta"), "beta-2");
    assert_eq!(folder.workspace.free_name("free"), "free");
    let huge = format!("{}#{}", small("huge"), "x".repeat(definition::MAX_BYTES));
    assert_eq!(folder.workspace.add(None, &huge).expect_err("huge").code, Code::TooLarge);
}

#[test]
fn saving_keeps_nobody_elses_change_from_view() {
    let folder = Folder::with(&[("a.yaml", &small("a")), ("b.yaml", &small("b"))]);
    let entry = folder.workspace.entry("a").expect("listed");
    let saved = folder.workspace.save("a", &format!("{}  version: \"2\"\n", small("a")), &entry.revision).expect("saved");
    assert_eq!(saved.text, folder.text("a.yaml"));
    let stale = folder.workspace.save("a", &small("a"), &entry.revision).expect_err("the mark is old");
    assert_eq!(stale.code, Code::Conflict);
    folder.write("a.yaml", &small("a # by hand"));
    assert_eq!(folder.workspace.save("a", &small("a"), &saved.revision).expect_err("changed").code, Code::Conflict);
    assert_eq!(folder.text("a.yaml"), small("a # by hand"));
    let entry = folder.workspace.entry("a").expect("read again after the conflict");
    assert_eq!(folder.workspace.save("a", &small("b"), &entry.revision).expect_err("b is taken").code, Code::AlreadyExists);
    let bad = folder.workspace.save("a", "integration: { name: a, metod: 1 }\n", &entry.revision).expect("saved all the same");
    assert_eq!(bad.problems.len(), 1);
    assert_eq!(folder.workspace.save("nobody", "", "").expect_err("none").code, Code::NotFound);
    fs::remove_file(folder.path("b.yaml")).expect("removed");
    assert_eq!(folder.workspace.remove("b").expect_err("gone").code, Code::Conflict);
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_permissions_and_no_trace_is_left_beside_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::with(&[("a.yaml", &small("a"))]);
    fs::set_permissions(folder.path("a.yaml"), fs::Permissions::from_mode(0o640)).expect("set");
    folder.workspace.edit("a", &[Edit { pointer: "/integration/version".to_owned(), value: json!("3") }]).expect("saved");
    assert_eq!(fs::metadata(folder.path("a.yaml")).expect("there").permissions().mode() & 0o777, 0o640);
    assert_eq!(folder.text("a.yaml"), format!("{}  version: \"3\"\n", small("a")));
    let names: Vec<_> = fs::read_dir(folder.dir.path()).expect("readable").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names, ["a.yaml"]);
}

#[test]
fn every_kind_of_change_can_be_taken_back() {
    let folder = Folder::with(&[("a.yaml", &small("a"))]);
    let workspace = &folder.workspace;
    assert_eq!(workspace.undo().expect_err("nothing").code, Code::NotFound);
    workspace.edit("a", &[Edit { pointer: "/integration/version".to_owned(), value: json!("1") }]).expect("edited");
    let edited = folder.text("a.yaml");
    workspace.save("a", &small("c"), &workspace.entry("a").expect("listed").revision).expect("renamed");
    workspace.add(None, &small("b")).expect("added");
    workspace.remove("c").expect("removed");
    assert_eq!(folder.names(), ["b"]);
    // A change that changes nothing is none.
    workspace.save("b", &small("b"), &workspace.entry("b").expect("listed").revision).expect("the same");
    for (what, names) in [("removing c", vec!["b", "c"]), ("adding b", vec!["c"]), ("renaming a to c", vec!["a"])] {
        assert_eq!(workspace.undoable().as_deref(), Some(what));
        assert_eq!(workspace.undo().expect(what), what);
        assert_eq!(folder.names(), names);
    }
    assert_eq!(folder.text("a.yaml"), edited);
    assert_eq!(workspace.undo().expect("the edit"), "changing a");
    assert_eq!(folder.text("a.yaml"), small("a"));
    assert_eq!(workspace.undoable(), None);
}

#[test]
fn a_change_is_not_taken_back_over_somebody_elses() {
    let folder = Folder::with(&[("a.yaml", &small("a"))]);
    let workspace = &folder.workspace;
    let version = |text: &str| vec![Edit { pointer: "/integration/version".to_owned(), value: json!(text) }];
    workspace.edit("a", &version("1")).expect("edited");
    folder.write("a.yaml", &small("a # by hand"));
    let refused = workspace.undo().expect_err("changed since");
    assert_eq!(refused.code, Code::Conflict);
    assert_eq!(folder.text("a.yaml"), small("a # by hand"));
    workspace.remove("a").expect("removed");
    folder.write("a.yaml", &small("newcomer"));
    assert_eq!(workspace.undo().expect_err("another file is there").code, Code::Conflict);
    assert_eq!(folder.text("a.yaml"), small("newcomer"));
}

const ENVIRONMENTS: &str = "# ours\nworkspace:\n  environment: local # the chosen one\n  environments:\n    local:\n      base_url: http://a\n      port: 80\n      orders: { base_url: \"http://orders\" }\n    staging:\n      base_url: https://b\n";

#[test]
fn variables_come_from_the_chosen_environment() {
    let folder = Folder::with(&[(SETTINGS_FILE, ENVIRONMENTS)]);
    let workspace = &folder.workspace;
    assert_eq!(workspace.environments(), ["local", "staging"]);
    assert_eq!(workspace.environment(), "local");
    let value = |integration: Option<&str>, name: &str| workspace.variable(integration, name);
    assert_eq!(value(None, "base_url").as_deref(), Some("http://a"));
    assert_eq!(value(Some("orders"), "base_url").as_deref(), Some("http://orders"));
    assert_eq!(value(Some("others"), "base_url").as_deref(), Some("http://a"));
    assert_eq!(value(Some("orders"), "port").as_deref(), Some("80"));
    assert_eq!(value(None, "orders"), None);
    assert_eq!(value(None, "CARGO_MANIFEST_DIR").as_deref(), Some(env!("CARGO_MANIFEST_DIR")));
    assert_eq!([value(None, ""), value(None, "a=b"), value(None, "a\0b")], [None, None, None]);

    workspace.use_environment("staging").expect("it is there");
    assert_eq!(value(None, "base_url").as_deref(), Some("https://b"));
    assert_eq!(folder.text(SETTINGS_FILE), ENVIRONMENTS);
    workspace.select_environment("staging").expect("it is there");
    assert_eq!(folder.text(SETTINGS_FILE), ENVIRONMENTS.replace("environment: local", "environment: staging"));
    assert_eq!(workspace.environment(), "staging");
    let unknown = workspace.select_environment("stagin").expect_err("there is none");
    assert_eq!((unknown.code, unknown.next.as_str()), (Code::NotFound, "Did you mean \"staging\"?"));
}

#[test]
fn a_workspace_without_environments_is_fine() {
    let folder = Folder::with(&[]);
    assert_eq!(folder.workspace.environment(), "");
    assert_eq!(folder.workspace.environments(), Vec::<String>::new());
    assert_eq!(folder.workspace.variable(None, "no_such_variable_anywhere"), None);
    assert_eq!(folder.workspace.select_environment("x").expect_err("none").code, Code::NotFound);
}

#[test]
fn mistakes_of_the_workspace_s_own_file_have_their_places() {
    for (text, expected) in [
        (
            "workspace:\n  enviroments: {}\n",
            "patchbay.yaml:2:3: Unknown field \"enviroments\": expected one of environment, environments. Did you mean \"environments\"?",
        ),
        (
            "workspace:\n  environment: lcal\n  environments: { local: {} }\n",
            "patchbay.yaml:2:16: There is no environment \"lcal\": there are local. Did you mean \"local\"?",
        ),
        (
            "workspace:\n  environments: { local: { a: [1] } }\n",
            "patchbay.yaml:2:31: \"a\" is of the wrong kind: expected a text or a number or true or false or a mapping of names to values, found a list",
        ),
        ("workspace: {\n", "patchbay.yaml:2:1: The YAML can't be read"),
    ] {
        let folder = Folder::with(&[(SETTINGS_FILE, text), ("a.yaml", &small("a"))]);
        let problems: Vec<String> = folder.workspace.problems().iter().map(ToString::to_string).collect();
        assert!(problems.len() == 1 && problems[0].starts_with(expected), "{problems:?}");
        assert_eq!(folder.names(), ["a"], "the integrations load all the same");
    }
}

#[test]
fn schemas_in_files_of_their_own_are_looked_for() {
    let text = "integration:\n  name: a\n  endpoints:\n    - path: /\n      request_schema: { $ref: \"schemas/order.json\" }\n  response_schema: { type: object, properties: { o: { $ref: \"schemas/order.json#/definitions/o\" } } }\n";
    let folder = Folder::with(&[("a.yaml", text)]);
    let mistakes = folder.mistakes("a");
    assert_eq!(mistakes.len(), 2, "{mistakes:?}");
    assert!(
        mistakes.iter().any(|mistake| mistake.starts_with("a.yaml:5:31: ") && mistake.contains("schemas/order.json")),
        "{mistakes:?}"
    );
    assert!(folder.workspace.entry("a").expect("listed").parsed.definition.is_none());
    folder.write("schemas/order.json", r#"{"type": "object", "definitions": {"o": {"type": "string"}}}"#);
    assert!(folder.workspace.reload());
    assert_eq!(folder.mistakes("a"), Vec::<String>::new());
    folder.write("schemas/order.json", "{");
    folder.workspace.reload();
    assert!(folder.mistakes("a")[0].contains("isn't JSON"), "{:?}", folder.mistakes("a"));
    for target in ["../../../../etc/hostname", "/etc/hostname", "https://example.com/x.json", "file:///etc/hostname"] {
        folder.write("b.yaml", &format!("integration:\n  name: b\n  request_schema: {{ $ref: \"{target}\" }}\n"));
        folder.workspace.reload();
        let mistakes = folder.mistakes("b");
        assert!(mistakes.len() == 1 && mistakes[0].starts_with("b.yaml:3:"), "{target}: {mistakes:?}");
    }
}

#[test]
fn init_makes_a_workspace_that_loads_and_overwrites_nothing() {
    let folder = Folder::with(&[]);
    let dir = folder.path("new/workspace");
    let example = Workspace::init(&dir).expect("made");
    let workspace = Workspace::open(&dir).expect("opens");
    assert_eq!(workspace.problems(), []);
    let entry = workspace.entry("example").expect("the example");
    assert_eq!(entry.parsed.problems, []);
    assert_eq!(example.canonicalize().ok(), workspace.dir().join(&entry.file).canonicalize().ok());
    assert_eq!(workspace.environment(), "local");
    assert!(workspace.variable(Some("example"), "base_url").is_some());
    let schema = fs::read_to_string(dir.join(".patchbay/integration.schema.json")).expect("the schema for editors");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&schema).ok(), Some(definition::json_schema()));
    assert!(entry.text.starts_with("# yaml-language-server: $schema=.patchbay/integration.schema.json\n"));
    assert_eq!(fs::read_to_string(dir.join(".patchbay/.gitignore")).ok().as_deref(), Some("*\n"));
    fs::write(&example, small("mine")).expect("written");
    Workspace::init(&dir).expect("again");
    assert_eq!(fs::read_to_string(&example).ok(), Some(small("mine")));
}

#[test]
fn one_copy_holds_a_workspace_at_a_time() {
    let folder = Folder::with(&[]);
    let hold = folder.workspace.hold().expect("nobody holds it");
    let other = Workspace::open(folder.dir.path()).expect("reading is free");
    let refused = other.hold().expect_err("it is held");
    assert_eq!(refused.code, Code::InUse);
    assert!(refused.why.contains(&std::process::id().to_string()), "{refused}");
    drop(hold);
    other.hold().expect("it is free again");
    assert!(folder.path(".patchbay/.gitignore").exists());
}

/// Waits for `told` until `holds`; a change may be told in more than one step.
fn until(told: &mpsc::Receiver<()>, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "nothing was told of the change");
        let _ = told.recv_timeout(Duration::from_secs(30));
    }
}

#[test]
fn the_watch_tells_of_changes_made_elsewhere() {
    let folder = Folder::with(&[("a.yaml", &small("a"))]);
    let (tell, told) = mpsc::channel();
    let watch = folder.workspace.watch(move || _ = tell.send(())).expect("it starts");
    folder.write("b.yaml", &small("b"));
    until(&told, || folder.names() == ["a", "b"]);
    folder.write("sub/c.yaml", &small("c"));
    until(&told, || folder.names() == ["a", "b", "c"]);
    folder.write("sub/c.yaml", &small("d"));
    until(&told, || folder.names() == ["a", "b", "d"]);
    fs::remove_file(folder.path("a.yaml")).expect("removed");
    until(&told, || folder.names() == ["b", "d"]);
    folder.write(SETTINGS_FILE, ENVIRONMENTS);
    until(&told, || folder.workspace.environments().len() == 2);
    fs::remove_dir_all(folder.path("sub")).expect("removed");
    until(&told, || folder.names() == ["b"]);
    // The document that an integration is held to is no integration, and is watched all the same.
    folder.write(
        "held.yaml",
        "integration: { name: held, base_url: 'http://127.0.0.1:9', endpoints: [{ path: / }], contract: { file: api/openapi.json } }\n",
    );
    until(&told, || folder.names() == ["b", "held"]);
    while told.try_recv().is_ok() {}
    for text in ["{}", "{ \"openapi\": \"3.1.0\" }"] {
        folder.write("api/openapi.json", text);
        told.recv_timeout(Duration::from_secs(30)).expect("a document that appears or changes is told of");
    }
    drop(watch);
    while told.try_recv().is_ok() {}
    assert!(matches!(told.try_recv(), Err(mpsc::TryRecvError::Disconnected)), "the watch ended with its handle");
}

#[test]
fn a_folder_full_of_files_loads_as_far_as_is_bounded() {
    let dir = tempfile::TempDir::new().expect("a folder");
    for i in 0..2100 {
        fs::write(dir.path().join(format!("f{i:04}.yaml")), "other: 1\n").expect("written");
    }
    fs::write(dir.path().join("a.yaml"), small("a")).expect("written");
    let workspace = Workspace::open(dir.as_ref()).expect("opens");
    assert_eq!(workspace.entries().len(), 1);
    assert_eq!(workspace.problems().iter().map(|problem| problem.code).collect::<Vec<_>>(), [Code::TooLarge]);
}

#[cfg(unix)]
#[test]
fn nothing_that_is_no_plain_file_is_read() {
    let folder = Folder::with(&[]);
    // A pipe would block whoever opens it.
    let pipe = std::ffi::CString::new(folder.path("pipe.yaml").to_string_lossy().as_bytes()).expect("no NUL in it");
    let made = std::process::Command::new("mkfifo").arg(pipe.to_string_lossy().as_ref()).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo is there");
    fs::create_dir(folder.path("folder.yaml")).expect("made");
    folder.workspace.reload();
    assert_eq!(folder.names(), ["pipe"]);
    assert!(folder.mistakes("pipe")[0].contains("not a plain file"));
}

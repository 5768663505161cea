//! The OS keychain, and ones that fail.

use super::*;

/// A keychain that can be told to fail.
#[derive(Default)]
struct Moody {
    values: Mutex<BTreeMap<String, Sensitive<String>>>,
    fails_to_read: Mutex<bool>,
    fails_to_write: Mutex<Option<String>>,
}

impl Moody {
    fn refusal() -> Problem {
        Problem::new(Code::Keychain, "The keychain is in a mood")
    }
}

impl Keychain for Moody {
    fn get(&self, name: &str) -> Result<Option<Sensitive<String>>> {
        if *self.fails_to_read.lock().unwrap() {
            Err(Self::refusal())
        } else {
            Ok(self.values.lock().unwrap().get(name).cloned())
        }
    }

    fn set(&self, name: &str, value: &Sensitive<String>) -> Result<()> {
        if self.fails_to_write.lock().unwrap().as_deref() == Some(name) {
            return Err(Self::refusal());
        }
        self.values.lock().unwrap().insert(name.to_owned(), value.clone());
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<()> {
        self.values.lock().unwrap().remove(name);
        Ok(())
    }

    fn state(&self) -> KeychainState {
        KeychainState { available: true, detail: "moody".into() }
    }
}

#[tokio::test]
async fn a_keychain_that_fails_says_so_and_leaves_nothing_half_done() {
    let moody = Arc::new(Moody::default());
    let secrets = Secrets::new(moody.clone(), |name| (name == "PATCHBAY_SECRET_SPARE").then(|| "spare value".to_owned()));
    let target = url("https://a.example/");
    let hosts = |host: &str| vec![host.to_owned()];
    let set = secrets.set("t", sensitive("one"), hosts("a.example")).await.unwrap();
    assert_eq!(set.home, SecretHome::Keychain);
    *moody.fails_to_write.lock().unwrap() = Some("t".to_owned());
    assert_eq!(secrets.set("t", sensitive("two"), hosts("evil.example")).await.unwrap_err().code, Code::Keychain);
    assert_eq!(secrets.value_for("t", &target).await.unwrap().expose(), "one");
    assert_eq!(secrets.value_for("t", &url("https://evil.example/")).await.unwrap_err().code, Code::SecretHost);
    *moody.fails_to_write.lock().unwrap() = Some(keychain::INDEX.to_owned());
    assert_eq!(secrets.set("u", sensitive("two"), hosts("a.example")).await.unwrap_err().code, Code::Keychain);
    assert!(moody.get("u").unwrap().is_none(), "no value lies there that the list doesn't name");
    *moody.fails_to_read.lock().unwrap() = true;
    assert_eq!(secrets.value_for("t", &target).await.unwrap_err().code, Code::Keychain);
    assert_eq!(secrets.value_for("spare", &target).await.unwrap().expose(), "spare value");
    assert_eq!(secrets.list(&BTreeMap::new()).await.unwrap_err().code, Code::Keychain);
    *moody.fails_to_read.lock().unwrap() = false;
    // A list that can't be read is not written over.
    moody.values.lock().unwrap().insert(keychain::INDEX.to_owned(), sensitive("[1,"));
    *moody.fails_to_write.lock().unwrap() = None;
    for problem in [
        secrets.set("v", sensitive("x"), Vec::new()).await.unwrap_err(),
        secrets.value_for("t", &target).await.unwrap_err(),
        secrets.remove("t").await.unwrap_err(),
    ] {
        assert_eq!(problem.code, Code::Keychain);
        assert!(problem.next.contains("patchbay-index"), "{problem}");
    }
    assert_eq!(moody.get(keychain::INDEX).unwrap().unwrap().expose(), "[1,");
}

#[test]
fn the_os_keychain_keeps_values_where_other_programs_find_them() {
    assert!(
        !cfg!(target_os = "linux") || std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some(),
        "there is no session bus with a keychain on it: run this through `cargo xtask test`"
    );
    let name = format!("pb-test-{}-{:x}", std::process::id(), rand::random::<u32>());
    let value = format!("välue \"{:x}\" with $odd & things", rand::random::<u64>());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let target = url("http://localhost:8080/");
    let secrets = Secrets::new(keychain::os(), |_| None);
    runtime.block_on(async {
        let state = secrets.state();
        assert!(state.available, "{state:?}");
        let set = secrets.set(&name, sensitive(&value), vec!["localhost:8080".into()]).await.unwrap();
        assert_eq!(set.home, SecretHome::Keychain);
        assert_eq!(secrets.value_for(&name, &target).await.unwrap().expose(), &value);
        let listed = secrets.list(&BTreeMap::new()).await.unwrap();
        assert!(
            listed.iter().any(|info| info.name == name && info.hosts == ["localhost:8080"] && info.home == SecretHome::Keychain)
        );
    });
    // Another program of ours, and one that is not.
    let read = |target: &str| String::from_utf8(helper(&["read", &name, target], |_| {}).stdout).unwrap();
    assert_eq!(read(target.as_str()).trim_end(), value);
    assert!(read("http://evil.example/").contains("secret-host"));
    #[cfg(target_os = "linux")]
    {
        let looked_up = Command::new("secret-tool").args(["lookup", "service", "patchbay", "username", &name]).output().unwrap();
        assert_eq!(String::from_utf8(looked_up.stdout).unwrap(), value);
        let index =
            Command::new("secret-tool").args(["lookup", "service", "patchbay-index", "username", "secrets"]).output().unwrap();
        let index: BTreeMap<String, Vec<String>> = serde_json::from_slice(&index.stdout).unwrap();
        assert_eq!(index[&name], ["localhost:8080"]);
    }
    runtime.block_on(async {
        secrets.set(&name, sensitive("another"), vec!["localhost".into()]).await.unwrap();
        assert_eq!(secrets.value_for(&name, &target).await.unwrap().expose(), "another");
        secrets.remove(&name).await.unwrap();
        assert_eq!(secrets.value_for(&name, &target).await.unwrap_err().code, Code::SecretMissing);
    });
    assert!(read(target.as_str()).contains("secret-missing"));
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_keychain_it_says_so_and_uses_memory_and_the_environment() {
    let home = tempfile::tempdir().unwrap();
    let alone = |command: &mut Command| {
        command.env_remove("DBUS_SESSION_BUS_ADDRESS").env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        command.env("XDG_RUNTIME_DIR", home.path()).env("HOME", home.path()).env("PATCHBAY_SECRET_CI", "from the environment");
    };
    let state: KeychainState = serde_json::from_slice(&helper(&["state"], alone).stdout).unwrap();
    assert!(!state.available && state.detail.contains("can't be used") && state.detail.contains("PATCHBAY_SECRET_"), "{state:?}");
    let kept = helper(&["keep", "t", "hunter2"], alone);
    let kept: SecretInfo =
        serde_json::from_slice(&kept.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&kept.stderr)));
    assert_eq!(kept.home, SecretHome::Memory);
    let read = |name: &str| String::from_utf8(helper(&["read", name, "http://localhost/"], alone).stdout).unwrap();
    assert_eq!(read("ci").trim_end(), "from the environment");
    assert!(read("t").contains("secret-missing"), "memory went with the process");
    let files: Vec<_> = std::fs::read_dir(home.path()).unwrap().collect();
    assert!(files.is_empty(), "never a file: {files:?}");
}

//! Setting, listing, finding and holding.

use super::*;

#[tokio::test]
async fn a_secret_goes_where_it_is_bound_and_nowhere_else() {
    let secrets = with_environment(&[]);
    let set =
        secrets.set("orders-token", sensitive("hunter2"), vec!["API.example.com".into(), "localhost:8080".into()]).await.unwrap();
    let expect = SecretInfo {
        name: "orders-token".into(),
        hosts: vec!["api.example.com".into(), "localhost:8080".into()],
        home: SecretHome::Memory,
        used_by: Vec::new(),
    };
    assert_eq!(set, expect);
    async fn check(secrets: &Secrets, name: &str, target: &str, expect: std::result::Result<&str, (Code, &str)>) {
        match (secrets.value_for(name, &url(target)).await, expect) {
            (Ok(value), Ok(expect)) => assert_eq!(value.expose(), expect, "{name} to {target}"),
            (Err(problem), Err((code, says))) => {
                assert_eq!(problem.code, code, "{problem}");
                assert!(problem.to_string().contains(says), "{problem} does not say `{says}`");
                assert!(!problem.to_string().contains("hunter2"));
            }
            (got, _) => panic!("{name} to {target}: {got:?} and not {expect:?}"),
        }
    }
    check(&secrets, "orders-token", "https://api.example.com/v1", Ok("hunter2")).await;
    check(&secrets, "orders-token", "http://localhost:8080/", Ok("hunter2")).await;
    check(
        &secrets,
        "orders-token",
        "http://localhost:8081/",
        Err((Code::SecretHost, "bound to api.example.com, localhost:8080")),
    )
    .await;
    check(&secrets, "orders-token", "https://evil.example/", Err((Code::SecretHost, "add evil.example to"))).await;
    check(&secrets, "orders-token", "data:text/plain,x", Err((Code::SecretHost, "without a host"))).await;
    check(&secrets, "order-token", "https://api.example.com/", Err((Code::SecretMissing, "did you mean `orders-token`?"))).await;
    check(&secrets, "order-token", "https://api.example.com/", Err((Code::SecretMissing, "PATCHBAY_SECRET_ORDER_TOKEN"))).await;
    check(&secrets, "no name", "https://api.example.com/", Err((Code::InvalidInput, "letters"))).await;
    secrets.set("lonely", sensitive("unbound"), Vec::new()).await.unwrap();
    check(&secrets, "lonely", "https://api.example.com/", Err((Code::SecretHost, "isn't bound to any host"))).await;
    // Another value, other hosts, and the value that it has with other hosts.
    secrets.set("orders-token", sensitive("hunter3"), vec!["b.example".into()]).await.unwrap();
    check(&secrets, "orders-token", "https://b.example/", Ok("hunter3")).await;
    secrets.set("orders-token", sensitive(""), vec!["c.example".into()]).await.unwrap();
    check(&secrets, "orders-token", "https://c.example/", Ok("hunter3")).await;
    check(&secrets, "orders-token", "https://b.example/", Err((Code::SecretHost, "bound to c.example"))).await;
    assert_eq!(secrets.redactor().text("hunter2 hunter3"), "‹secret:orders-token› ‹secret:orders-token›");
}

#[tokio::test]
async fn secrets_are_listed_set_and_removed() {
    let secrets =
        with_environment(&[("PATCHBAY_SECRET_FROM_CI", "abcdef"), ("PATCHBAY_SECRET_FROM_CI_HOSTS", "a.example, *.b.example")]);
    secrets.set("b", sensitive("value of b"), vec!["b.example".into()]).await.unwrap();
    secrets.set("a", sensitive("value of a"), Vec::new()).await.unwrap();
    let used = BTreeMap::from([
        ("b".to_owned(), vec!["orders".to_owned()]),
        ("from-ci".to_owned(), vec![]),
        ("none".to_owned(), vec!["x".to_owned()]),
    ]);
    let listed = secrets.list(&used).await.unwrap();
    let line = |info: &SecretInfo| (info.name.clone(), info.hosts.join(" "), info.home, info.used_by.join(" "));
    let expect = [
        ("a", "", SecretHome::Memory, ""),
        ("b", "b.example", SecretHome::Memory, "orders"),
        ("from-ci", "a.example *.b.example", SecretHome::Environment, ""),
        ("none", "", SecretHome::Missing, "x"),
    ];
    assert_eq!(
        listed.iter().map(line).collect::<Vec<_>>(),
        expect.map(|(n, h, home, u)| (n.to_owned(), h.to_owned(), home, u.to_owned()))
    );
    assert!(!format!("{listed:?}").contains("value"));
    secrets.remove("a").await.unwrap();
    assert_eq!(secrets.remove("a").await.unwrap_err().code, Code::NotFound);
    assert_eq!(secrets.list(&BTreeMap::new()).await.unwrap().len(), 1);
    async fn refused(secrets: &Secrets, name: &str, value: &str, hosts: &[&str], code: Code) {
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        assert_eq!(secrets.set(name, sensitive(value), hosts).await.unwrap_err().code, code, "{name}");
    }
    refused(&secrets, "", "x", &[], Code::InvalidInput).await;
    refused(&secrets, &"n".repeat(65), "x", &[], Code::InvalidInput).await;
    refused(&secrets, "patchbay-index/secrets", "x", &[], Code::InvalidInput).await;
    refused(&secrets, "ü", "x", &[], Code::InvalidInput).await;
    refused(&secrets, "new", "", &[], Code::InvalidInput).await;
    refused(&secrets, "new", "x", &["*.com"], Code::InvalidInput).await;
    refused(&secrets, "new", &"x".repeat(70_000), &[], Code::TooLarge).await;
    assert_eq!(secrets.list(&BTreeMap::new()).await.unwrap().len(), 1, "a refused secret leaves nothing behind");
    // What stands where a name belongs may be the value.
    let problem = secrets.set("hunter2 is it", sensitive("x"), Vec::new()).await.unwrap_err();
    assert!(!problem.to_string().contains("hunter2"), "{problem}");
}

#[tokio::test]
async fn the_environment_gives_what_the_keychain_has_not() {
    let secrets = with_environment(&[
        ("PATCHBAY_SECRET_ORDERS_TOKEN_2", "from the environment"),
        ("PATCHBAY_SECRET_BOUND", "bound value"),
        ("PATCHBAY_SECRET_BOUND_HOSTS", "api.example.com"),
        ("PATCHBAY_SECRET_EMPTY", ""),
        ("PATCHBAY_SECRET_BAD", "x"),
        ("PATCHBAY_SECRET_BAD_HOSTS", "*.com"),
    ]);
    assert_eq!(environment_name("orders-token.2"), "PATCHBAY_SECRET_ORDERS_TOKEN_2");
    let anywhere = url("https://anywhere.example/");
    assert_eq!(secrets.value_for("orders-token.2", &anywhere).await.unwrap().expose(), "from the environment");
    assert_eq!(secrets.redactor().text("from the environment"), "‹secret:orders-token.2›");
    assert_eq!(secrets.value_for("bound", &url("https://api.example.com/")).await.unwrap().expose(), "bound value");
    assert_eq!(secrets.value_for("bound", &anywhere).await.unwrap_err().code, Code::SecretHost);
    assert_eq!(secrets.value_for("empty", &anywhere).await.unwrap_err().code, Code::SecretMissing);
    assert_eq!(secrets.value_for("bad", &anywhere).await.unwrap_err().code, Code::InvalidInput);
    secrets.set("bound", sensitive("kept"), vec!["anywhere.example".into()]).await.unwrap();
    assert_eq!(secrets.value_for("bound", &anywhere).await.unwrap().expose(), "kept", "the keychain comes first");
}

#[tokio::test]
async fn a_redirect_is_followed_only_where_the_secret_is_bound() {
    let secrets = with_environment(&[("PATCHBAY_SECRET_LOOSE", "loose value")]);
    secrets.set("t", sensitive("hunter2"), vec!["a.example".into(), "*.b.example".into()]).await.unwrap();
    async fn check(secrets: &Secrets, name: &str, from: &str, to: &str, expect: bool) {
        assert_eq!(secrets.may_follow(name, &url(from), &url(to)).await, expect, "{name} from {from} to {to}");
    }
    check(&secrets, "t", "https://a.example/1", "https://a.example/2", true).await;
    check(&secrets, "t", "https://a.example/", "https://x.b.example/", true).await;
    check(&secrets, "t", "https://a.example/", "https://evil.example/", false).await;
    check(&secrets, "t", "https://a.example/", "http://a.example/", false).await;
    check(&secrets, "t", "http://a.example/", "https://a.example/", true).await;
    check(&secrets, "loose", "https://a.example/1", "https://a.example/2", true).await;
    check(&secrets, "loose", "https://a.example/", "https://a.example:8443/", false).await;
    check(&secrets, "loose", "https://a.example/", "https://b.example/", false).await;
    check(&secrets, "none", "https://a.example/", "https://b.example/", false).await;
}

#[tokio::test]
async fn a_pasted_credential_is_held_in_memory_under_a_free_name() {
    let secrets = with_environment(&[]);
    let hosts = || vec!["a.example".to_owned()];
    secrets.set("token", sensitive("kept"), hosts()).await.unwrap();
    assert_eq!(secrets.hold("token", sensitive("pasted"), hosts()).await.unwrap(), "token-2");
    assert_eq!(secrets.hold("token", sensitive("pasted"), hosts()).await.unwrap(), "token-2", "the same one again");
    assert_eq!(secrets.hold("token", sensitive("other"), hosts()).await.unwrap(), "token-3");
    assert_eq!(secrets.hold("token", sensitive("pasted"), vec!["b.example".into()]).await.unwrap(), "token-4");
    let long = "n".repeat(64);
    assert_eq!(secrets.hold(&long, sensitive("1"), hosts()).await.unwrap(), long);
    assert!(secrets.hold(&long, sensitive("2"), hosts()).await.unwrap().len() <= 64);
    assert_eq!(secrets.value_for("token-2", &url("https://a.example/")).await.unwrap().expose(), "pasted");
    assert_eq!(secrets.value_for("token-2", &url("https://b.example/")).await.unwrap_err().code, Code::SecretHost);
    assert_eq!(secrets.redactor().text("pasted"), "‹secret:token-2›");
    assert_eq!(secrets.hold("x", sensitive(""), hosts()).await.unwrap_err().code, Code::InvalidInput);
    // Kept for good: the value moves, and the hosts are the new ones.
    secrets.set("token-2", sensitive(""), vec!["c.example".into()]).await.unwrap();
    assert_eq!(secrets.value_for("token-2", &url("https://c.example/")).await.unwrap().expose(), "pasted");
    secrets.remove("token-3").await.unwrap();
    assert_eq!(secrets.value_for("token-3", &url("https://a.example/")).await.unwrap_err().code, Code::SecretMissing);
}

#[tokio::test]
async fn secrets_set_at_once_are_all_kept() {
    let secrets = with_environment(&[]);
    let setting = (0..30).map(|n| {
        let secrets = secrets.clone();
        tokio::spawn(async move { secrets.set(&format!("s{n}"), sensitive("x"), Vec::new()).await })
    });
    for set in setting.collect::<Vec<_>>() {
        set.await.unwrap().unwrap();
    }
    assert_eq!(secrets.list(&BTreeMap::new()).await.unwrap().len(), 30);
}

//! References in texts.

use super::*;

fn scope() -> Scope {
    let mut scope = Scope::new(Some("orders".to_owned()), |integration, name| match (integration, name) {
        (Some("orders"), "base_url") => Some("http://localhost:8080".to_owned()),
        (_, "token_name") => Some("${secret:t}".to_owned()),
        (_, "region") => Some("eu".to_owned()),
        _ => None,
    });
    scope.names = vec!["base_url".to_owned(), "region".to_owned()];
    scope.captured = [("order_id", "42"), ("evil", "${secret:t}"), ("echo", "hunter2")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
        .collect();
    scope
}

#[tokio::test]
async fn references_are_filled_in() {
    let secrets = with_environment(&[]);
    secrets.set("t", sensitive("hunter2"), vec!["localhost".into()]).await.unwrap();
    secrets.set("u.2", sensitive("pa$${ss}"), vec!["localhost".into()]).await.unwrap();
    secrets.set("elsewhere", sensitive("bound elsewhere"), vec!["a.example".into()]).await.unwrap();
    let check = async |text: &str, value: &str, shown: &str, named: &[&str]| {
        let filled =
            template::fill(text, &scope(), &secrets, &url("http://localhost:1/")).await.unwrap_or_else(|p| panic!("{text}: {p}"));
        assert_eq!((filled.value.expose().as_str(), filled.shown.as_str()), (value, shown), "{text}");
        assert_eq!(filled.secrets, named, "{text}");
        assert_eq!(template::secrets_in(text), named, "{text}");
        if named.is_empty() {
            assert_eq!(template::fill_plain(text, &scope()).unwrap(), value);
        } else {
            assert_eq!(template::fill_plain(text, &scope()).unwrap_err().code, Code::InvalidDefinition);
        }
    };
    check("", "", "", &[]).await;
    check("plain $ $5 $$ {x} }", "plain $ $5 $$ {x} }", "plain $ $5 $$ {x} }", &[]).await;
    check("${env:base_url}/v1/${order_id}", "http://localhost:8080/v1/42", "http://localhost:8080/v1/42", &[]).await;
    check("Bearer ${secret:t}", "Bearer hunter2", "Bearer ‹secret:t›", &["t"]).await;
    check("${secret:t}${secret:u.2}${secret:t}", "hunter2pa$${ss}hunter2", "‹secret:t›‹secret:u.2›‹secret:t›", &["t", "u.2"])
        .await;
    check("$${secret:t} $${", "${secret:t} ${", "${secret:t} ${", &[]).await;
    check("$$${order_id}", "$${order_id}", "$${order_id}", &[]).await;
    // What is filled in is not looked at again.
    check("${evil} ${env:token_name}", "${secret:t} ${secret:t}", "${secret:t} ${secret:t}", &[]).await;
    check("ü${env:region}🦀", "üeu🦀", "üeu🦀", &[]).await;
    // A secret that a service gave back is sent as it is, and not shown.
    let filled = template::fill("${secret:t} ${echo}", &scope(), &secrets, &url("http://localhost/")).await.unwrap();
    assert_eq!((filled.value.expose().as_str(), filled.shown.as_str()), ("hunter2 hunter2", "‹secret:t› ‹secret:t›"));
    let problem = template::fill("${secret:elsewhere}", &scope(), &secrets, &url("http://localhost/")).await.unwrap_err();
    assert_eq!(problem.code, Code::SecretHost);
    let problem = template::fill("${secret:nothing}", &scope(), &secrets, &url("http://localhost/")).await.unwrap_err();
    assert_eq!(problem.code, Code::SecretMissing);
}

#[test]
fn a_reference_that_cannot_be_filled_in_says_why() {
    fn check(text: &str, code: Code, says: &str) {
        let problem = template::fill_plain(text, &scope()).expect_err(text);
        assert_eq!(problem.code, code, "{text}: {problem}");
        assert!(problem.to_string().contains(says), "{text}: {problem} does not say `{says}`");
        assert_eq!(template::check(text).is_err(), code == Code::InvalidDefinition && !text.contains("${secret:t}"), "{text}");
    }
    check("${env:base_ur}", Code::VariableMissing, "did you mean ${env:base_url}?");
    check("${env:nothing_like_it}", Code::VariableMissing, "patchbay.yaml");
    check("${order_ix}", Code::VariableMissing, "did you mean ${order_id}?");
    check("${region}", Code::VariableMissing, "write ${env:region}");
    check("${secrt:t}", Code::InvalidDefinition, "did you mean ${secret:t}?");
    check("${vault:t}", Code::InvalidDefinition, "no known kind");
    check("${secret:t}", Code::InvalidDefinition, "address");
    check("${secret:}", Code::InvalidDefinition, "name of a secret");
    check("${secret:a b}", Code::InvalidDefinition, "name of a secret");
    check("${env:}", Code::InvalidDefinition, "no variable");
    check("${}", Code::InvalidDefinition, "no name");
    check("${ order_id }", Code::InvalidDefinition, "without spaces");
    check("a ${order_id", Code::InvalidDefinition, "not closed");
    check("a ${${order_id}}", Code::InvalidDefinition, "not closed");
    check(&format!("${{{}}}", "x".repeat(5000)), Code::InvalidDefinition, "not closed");
    assert_eq!(template::secrets_in("${secret:a} ${bad: x} ${secret:b} ${secret:a} ${"), ["a", "b"]);
}

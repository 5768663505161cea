//! Which hosts a secret is bound to.

use super::*;

#[test]
fn hosts_are_read_as_people_write_them() {
    fn check(text: &str, expect: std::result::Result<&str, &str>) {
        match (HostPattern::parse(text), expect) {
            (Ok(pattern), Ok(shown)) => {
                assert_eq!(pattern.to_string(), shown, "{text}");
                assert_eq!(HostPattern::parse(shown).unwrap(), pattern, "{shown} reads as itself");
            }
            (Err(problem), Err(why)) => {
                assert_eq!(problem.code, Code::InvalidInput);
                assert!(problem.why.contains(why) && !problem.next.is_empty(), "{text}: {problem} does not say `{why}`");
            }
            (got, _) => panic!("{text} became {got:?}, and not {expect:?}"),
        }
    }
    check("api.example.com", Ok("api.example.com"));
    check("  API.Example.COM. ", Ok("api.example.com"));
    check("localhost:8080", Ok("localhost:8080"));
    check("127.0.0.1:443", Ok("127.0.0.1:443"));
    check("*.example.com", Ok("*.example.com"));
    check("*.example.com:8443", Ok("*.example.com:8443"));
    check("*.internal", Ok("*.internal"));
    check("[::1]:8080", Ok("[::1]:8080"));
    check("::1", Ok("[::1]"));
    check("bücher.example", Ok("xn--bcher-kva.example"));
    check("https://api.example.com/v1?x=y", Ok("api.example.com"));
    check("http://localhost:8080", Ok("localhost:8080"));
    check("", Err("empty"));
    check("*", Err("wildcard"));
    check("*.com", Err("public ending"));
    check("*.", Err("empty"));
    check("api.*.com", Err("wildcard"));
    check("*.127.0.0.1", Err("nothing below"));
    check("api.example.com:0", Err("port"));
    check("api.example.com:70000", Err("port"));
    check("api.example.com:http", Err("port"));
    check("api.example.com/v1", Err("behind the host"));
    check("a b", Err("invalid"));
    check("[::1", Err("bracket"));
    check("file:///etc/passwd", Err("names no host"));
    // A password that was pasted along is not said back.
    let problem = HostPattern::parse("me:hunter2@exa mple.com").unwrap_err();
    assert!(!problem.to_string().contains("hunter2"), "{problem}");
    assert_eq!(hosts::parse_all(["a.example", "A.example", "b.example"]).unwrap().len(), 2);
    let many: Vec<String> = (0..51).map(|n| format!("h{n}.example")).collect();
    assert_eq!(hosts::parse_all(many.iter().map(String::as_str)).unwrap_err().code, Code::TooLarge);
}

#[test]
fn a_host_is_meant_or_it_is_not() {
    fn check(pattern: &str, target: &str, expect: bool) {
        assert_eq!(HostPattern::parse(pattern).unwrap().matches(&url(target)), expect, "{pattern} and {target}");
    }
    check("api.example.com", "https://api.example.com/v1", true);
    check("api.example.com", "https://API.example.com.:8443/", true);
    check("api.example.com", "https://example.com/", false);
    check("api.example.com", "https://api.example.com.evil.net/", false);
    check("api.example.com", "https://evil-api.example.com/", false);
    check("api.example.com", "https://evil.net/api.example.com", false);
    check("api.example.com", "https://api.example.com@evil.net/", false);
    check("api.example.com:443", "https://api.example.com/", true);
    check("api.example.com:443", "http://api.example.com/", false);
    check("api.example.com:8443", "https://api.example.com/", false);
    check("*.example.com", "https://a.example.com/", true);
    check("*.example.com", "https://a.b.example.com/", true);
    check("*.example.com", "https://example.com/", false);
    check("*.example.com", "https://evilexample.com/", false);
    check("*.example.com", "https://.example.com/", false);
    check("*.example.com:8443", "https://a.example.com/", false);
    check("localhost", "http://localhost:1234/", true);
    check("localhost", "http://127.0.0.1:1234/", false);
    check("127.0.0.1", "http://127.1/", true);
    check("[::1]:80", "http://[0:0::1]/", true);
    check("bücher.example", "https://xn--bcher-kva.example/", true);
    check("localhost", "file:///etc/passwd", false);
}

#[test]
fn plain_http_is_said_unless_it_stays_on_this_machine() {
    fn check(target: &str, expect: Option<&str>) {
        let said = hosts::exposure(&url(target));
        assert_eq!(said.is_some(), expect.is_some(), "{target}: {said:?}");
        assert!(said.unwrap_or_default().contains(expect.unwrap_or_default()));
    }
    check("http://api.example.com:8080/v1", Some("api.example.com:8080"));
    check("ws://api.example.com/", Some("plain ws"));
    check("https://api.example.com/", None);
    check("http://localhost:1/", None);
    check("http://x.localhost/", None);
    check("http://127.9.9.9/", None);
    check("http://[::1]/", None);
    check("http://192.168.0.1/", Some("192.168.0.1"));
}

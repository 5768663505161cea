//! Conditions in Gatus's grammar: what they mean, how they come out, and what is said of mistakes.

use patchbay_contracts::{
    Code,
    probe::{Body, Certificate, ProbeReport, Response, SentRequest, Waterfall},
};
use patchbay_engine::contract::conditions::parse;
use serde_json::json;

const AT: i64 = 1_750_000_000_000;
const HOUR: i64 = 3_600_000;

fn report() -> ProbeReport {
    let json = json!({
        "id": 42, "name": "john doe", "price": 1.5, "ok": true, "nothing": null, "empty": [],
        "data": [{ "id": 1, "tags": ["a", "b"] }, { "id": 2, "tags": [] }],
        "big": 9_007_199_254_740_993_i64, "when": "2025-06-15T15:00:00Z", "path": "a/b/c",
    });
    ProbeReport {
        integration: None,
        at: AT,
        request: SentRequest::default(),
        redirects: Vec::new(),
        response: Some(Response {
            status: 200,
            reason: "OK".into(),
            version: "HTTP/1.1".into(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: Body { text: Some(json.to_string()), bytes: 10, json: Some(json), ..Body::default() },
            remote: Some("127.0.0.1:8080".into()),
            certificate: Some(Certificate {
                subject: String::new(),
                issuer: String::new(),
                names: Vec::new(),
                not_before: AT,
                not_after: AT + 72 * HOUR,
                protocol: None,
                valid: true,
            }),
        }),
        timing: Waterfall { total_ms: 312.4, ..Waterfall::default() },
        problem: None,
        notes: Vec::new(),
    }
}

#[test]
fn conditions_come_out_as_gatus_has_them() {
    for (text, holds, resolved) in [
        ("[STATUS] == 200", true, "200 == 200"),
        ("[STATUS] != 200", false, "200 != 200"),
        ("[STATUS] < 300", true, "200 < 300"),
        ("[STATUS] <= 199", false, "200 <= 199"),
        ("[STATUS] >= 200", true, "200 >= 200"),
        ("[STATUS] > 200", false, "200 > 200"),
        ("[status] == any(200, 429)", true, "200 == any(200, 429)"),
        ("[STATUS] == any(201, 204)", false, "200 == any(201, 204)"),
        ("[STATUS] != any(500, 503)", true, "200 != any(500, 503)"),
        ("[RESPONSE_TIME] < 500", true, "312 < 500"),
        ("[RESPONSE_TIME] < 312", false, "312 < 312"),
        ("[RESPONSE_TIME] < 1s", true, "312 < 1s"),
        ("[RESPONSE_TIME] > 300ms", true, "312 > 300ms"),
        ("[IP] == 127.0.0.1", true, "127.0.0.1 == 127.0.0.1"),
        ("[IP] == pat(127.*)", true, "127.0.0.1 == pat(127.*)"),
        ("[CONNECTED] == true", true, "true == true"),
        ("[CERTIFICATE_EXPIRATION] > 48h", true, "72h > 48h"),
        ("[CERTIFICATE_EXPIRATION] > 4d", false, "72h > 4d"),
        ("[HEADER].Content-Type == application/json", true, "application/json == application/json"),
        ("[HEADER].X-None == a", false, "[HEADER].X-None (the header did not come) == a"),
        ("has([HEADER].content-type) == true", true, "true == true"),
        ("[BODY].id == 42", true, "42 == 42"),
        ("[BODY].id == 42.0", true, "42 == 42.0"),
        ("42 == [BODY].id", true, "42 == 42"),
        ("[BODY].price > 1.4", true, "1.5 > 1.4"),
        ("[BODY].name == john doe", true, "john doe == john doe"),
        ("[BODY].name == pat(john*)", true, "john doe == pat(john*)"),
        ("[BODY].name == pat(*d?e)", true, "john doe == pat(*d?e)"),
        ("[BODY].name == pat([a-k]ohn*)", true, "john doe == pat([a-k]ohn*)"),
        ("[BODY].name == pat([^j]*)", false, "john doe == pat([^j]*)"),
        ("[BODY].path == pat(a*c)", true, "a/b/c == pat(a*c)"),
        ("[BODY].name != pat(jane*)", true, "john doe != pat(jane*)"),
        ("[BODY].ok == true", true, "true == true"),
        ("[BODY].data[0].id == 1", true, "1 == 1"),
        ("[BODY].data[1].tags == []", true, "[] == []"),
        ("[BODY].data[9].id == 1", false, "[BODY].data[9].id (not there) == 1"),
        ("[BODY].none != 1", false, "[BODY].none (not there) != 1"),
        ("[BODY].name > 5", false, "john doe > 5"),
        ("[BODY].big == 9007199254740992", false, "9007199254740993 == 9007199254740992"),
        ("len([BODY].data) == 2", true, "2 == 2"),
        ("len([BODY].name) > 5", true, "8 > 5"),
        ("len([BODY].data[0].tags) < 2", false, "2 < 2"),
        ("has([BODY].id) == true", true, "true == true"),
        ("has([BODY].errors) == false", true, "false == false"),
        ("has([BODY].nothing) == true", false, "false == true"),
        ("[BODY].nothing == null", true, "null == null"),
        ("[BODY].data[*].id > 0", true, "[BODY].data[*].id > 0 (2 elements)"),
        ("[BODY].data[*].id > 1", false, "[0] 1 > 1"),
        ("len([BODY].data[*].tags) > 0", false, "[1] 0 > 0"),
        ("[BODY].empty[*].id == 1", false, "[BODY].empty[*].id == 1 (there are no elements)"),
        ("[BODY].data[*].tags[*] == any(a, b)", false, "[1] [BODY].data[*].tags[*] == any(a, b) (there are no elements)"),
        // 2025-06-15T15:06:40Z is the time of the report: 400 s and the exchange after the moment in the body.
        ("age([BODY].when) < 1h", true, "400312 < 1h"),
    ] {
        let result = parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}")).judge(&report());
        assert_eq!((result.holds, result.resolved.as_str()), (holds, resolved), "{text}");
        assert_eq!(result.text, text);
    }
}

#[test]
fn an_exchange_without_an_answer_meets_none() {
    let mut report = report();
    report.response = None;
    for (text, holds) in [
        ("[CONNECTED] == false", true),
        ("[CONNECTED] == true", false),
        ("[STATUS] == 200", false),
        ("[STATUS] == 0", true),
        ("[BODY].id == 42", false),
        ("[BODY].id != 42", false),
        ("has([BODY].id) == false", true),
        ("[CERTIFICATE_EXPIRATION] > 48h", false),
    ] {
        assert_eq!(parse(text).expect(text).judge(&report).holds, holds, "{text}");
    }
}

#[test]
fn a_list_at_the_top_of_the_body_has_indices() {
    let mut report = report();
    let body = &mut report.response.as_mut().expect("there is one").body;
    body.json = Some(json!([{ "id": 7 }, { "id": 8 }]));
    for (text, holds) in
        [("[BODY][0].id == 7", true), ("[BODY][1].id == 7", false), ("len([BODY]) == 2", true), ("[BODY][*].id >= 7", true)]
    {
        assert_eq!(parse(text).expect(text).judge(&report).holds, holds, "{text}");
    }
}

#[test]
fn mistakes_are_told_with_what_was_probably_meant() {
    for (text, told) in [
        ("", "it is empty"),
        ("[STATUS]", "there is no comparison"),
        ("[STATUS]==200", "Write [STATUS] == 200"),
        ("[STATUS] == ", "there is nothing on one side of =="),
        ("[STATSU] == 200", "Did you mean [STATUS]?"),
        ("[RESPONSETIME] < 500", "Did you mean [RESPONSE_TIME]?"),
        ("[HEADERS].Server == nginx", "Did you mean [HEADER]?"),
        ("STATUS == 200", "Did you mean [STATUS]?"),
        ("[HEADER] == nginx", "[HEADER].Content-Type"),
        ("lenn([BODY].a) > 1", "Did you mean len?"),
        ("len(foo) > 1", "`foo` is not a placeholder"),
        ("[BODY].a[x] == 1", "`[x]` is not an index"),
        ("[BODY].a[0 == 1", "is not closed"),
        ("[BODY]..a == 1", "a name is missing"),
        ("[STATUS].x == 1", "can't follow [STATUS]"),
        ("[STATUS] < any(1, 2)", "any(…) compares with == and != only"),
        ("pat(a) == any(b)", "one side only"),
        ("[DOMAIN_EXPIRATION] > 720h", "WHOIS"),
        ("[DNS_RCODE] == NOERROR", "DNS servers"),
        ("[CONTEXT].id == 1", "${name}"),
        ("age([STATUS]) < 1", "age(…) takes a moment"),
        ("age([BODY].a, 2006-01-02) < 1h", "layout"),
    ] {
        let problem = parse(text).err().unwrap_or_else(|| panic!("{text} was taken"));
        assert_eq!(problem.code, Code::InvalidDefinition, "{text}");
        assert!(problem.to_string().contains(told), "{text}: {problem}");
    }
}

#[test]
fn a_captured_value_is_compared_and_never_parsed() {
    let condition = parse("[BODY].name == ${who}").expect("it is one");
    let fill = |value: &'static str| move |text: &str| Ok(text.replace("${who}", value));
    assert!(condition.filled(fill("john doe")).expect("it is filled").judge(&report()).holds);
    assert!(!condition.filled(fill("[BODY].name")).expect("it is filled").judge(&report()).holds);
    assert!(!condition.filled(fill("any(john doe)")).expect("it is filled").judge(&report()).holds);
}

#[test]
fn a_hostile_pattern_takes_no_time() {
    let mut report = report();
    let text = "a".repeat(50_000);
    report.response.as_mut().expect("there is one").body.json = Some(json!({ "text": text }));
    let condition = parse("[BODY].text == pat(*a*a*a*a*a*a*a*a*a*b)").expect("it is one");
    assert!(!condition.judge(&report).holds);
}

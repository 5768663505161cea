//! Values in all the forms in which they come back.

use super::*;

#[test]
fn a_value_is_found_in_every_form() {
    fn check(value: &str, text: &str, expect: &str) {
        let redactor = knowing(&[("t", value)]);
        assert_eq!(redactor.text(text), expect, "{value:?} in {text:?}");
        assert_eq!(redactor.bytes(text.as_bytes()), expect.as_bytes());
        assert_eq!(redactor.text(expect), expect, "a second time changes nothing");
    }
    check("s3cr3t!", "nothing here", "nothing here");
    check("s3cr3t!", "", "");
    check("s3cr3t!", "s3cr3t!", "‹secret:t›");
    check("s3cr3t!", "a s3cr3t!s3cr3t! b", "a ‹secret:t›‹secret:t› b");
    check("s3cr3t!", "Bearer s3cr3t!\r\n", "Bearer ‹secret:t›\r\n");
    check("s3cr3t!", "?k=s3cr3t%21&x=%20", "?k=‹secret:t›&x=%20");
    check("s3cr3t!", "?k=%73%33%63%72%33%74%21", "?k=‹secret:t›");
    check("a/b c?d", "x=a%2Fb%20c%3Fd", "x=‹secret:t›");
    check("a/b c?d", "x=a%2fb+c%3fd&y", "x=‹secret:t›&y");
    check("a/b c?d", "x=a%252Fb%2520c%253Fd&", "x=‹secret:t›&");
    check("a/b c?d", "x=a+b, a/b+c?d", "x=a+b, ‹secret:t›");
    check("say \"hi\"\n", r#"{"a":"say \"hi\"\n"}"#, r#"{"a":"‹secret:t›"}"#);
    check("a/b<c>ü🦀", r#"a\/b\u003cc\u003E\u00fc\ud83e\udd80."#, "‹secret:t›.");
    check("a/b<c>ü🦀", "a/b&lt;c&gt;&#252;&#x1F980;.", "‹secret:t›.");
    check("say \"hi\"", r#""{\"a\":\"say \\\"hi\\\"\"}""#, r#""{\"a\":\"‹secret:t›\"}""#);
    check(" padded ", "[padded]", "[‹secret:t›]");
    check(" padded ", "[ padded ]", "[‹secret:t›]");
    check("üöä€", "= üöä€", "= ‹secret:t›");
    check("üöä€", "%C3%BC%c3%b6ä%E2%82%AC", "‹secret:t›");
    // Broken escapes beside it.
    check("s3cr3t!", "% %4 %zz \\ \\u12 &#; &#99999999; &x s3cr3t! %", "% %4 %zz \\ \\u12 &#; &#99999999; &x ‹secret:t› %");
    check("100%", "100% of it, 100%25", "‹secret:t› of it, ‹secret:t›");
}

#[test]
fn a_value_is_found_in_base64_wherever_it_begins() {
    let redactor = knowing(&[("t", "open sesame??>>")]);
    for before in 0..7 {
        for after in 0..7 {
            let whole = format!("{}open sesame??>>{}", "u".repeat(before), "p".repeat(after));
            for text in [STANDARD.encode(&whole), base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&whole)] {
                let clean = redactor.text(&format!("Basic {text}, and so on"));
                let (left, right) = clean.split_once("‹secret:t›").unwrap_or_else(|| panic!("{whole}: {clean}"));
                let left = left.strip_prefix("Basic ").unwrap();
                let right = right.strip_suffix(", and so on").unwrap();
                assert!(text.starts_with(left) && text.ends_with(right));
                // What is left of it is decided by the other bytes alone.
                let rest = (left.len(), right.trim_end_matches('=').len());
                assert_eq!(rest, encodings::untouched(before, "open sesame??>>".len(), after), "{whole}: {clean}");
            }
        }
    }
    let basic = format!("Authorization: Basic {}", STANDARD.encode("aladdin:open sesame??>>"));
    assert!(redactor.text(&basic).starts_with("Authorization: Basic YWxhZGRpbj"), "{}", redactor.text(&basic));
}

#[test]
fn nothing_that_encoders_do_by_chance_hides_a_value() {
    let seed = rand::random();
    println!("seed {seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    for round in 0..1000 {
        let value = encodings::value(&mut dice);
        let redactor = knowing(&[("t", &value)]);
        let layers = dice.random_range(1..=2);
        let written = encodings::write(&mut dice, &value, layers);
        let (before, after) = (encodings::filler(&mut dice), encodings::filler(&mut dice));
        let clean = redactor.text(&format!("{before} [{}] {after}", written.text));
        let about = || format!("seed {seed}, round {round}: {value:?} written {:?} became {clean:?}", written.text);
        let inner = clean.strip_prefix(&format!("{before} [")).and_then(|rest| rest.strip_suffix(&format!("] {after}")));
        let inner = inner.unwrap_or_else(|| panic!("{}: more is gone than the value", about()));
        match (written.beside, layers) {
            (None, _) => assert_eq!(inner, "‹secret:t›", "{}", about()),
            (Some((left, right)), 1) => {
                let (before, after) = inner.split_once("‹secret:t›").unwrap_or_else(|| panic!("{}", about()));
                let rest = (before.len(), after.trim_end_matches('=').len());
                assert_eq!(rest, encodings::untouched(left, value.len(), right), "{}", about());
            }
            // The rest of the base64 is escaped as well, and so as long as it likes.
            (Some(_), _) => assert!(inner.contains("‹secret:t›"), "{}", about()),
        }
    }
}

#[test]
fn overlapping_values_go_as_a_whole_under_the_name_of_the_longest() {
    fn check(values: &[(&str, &str)], text: &str, expect: &str) {
        assert_eq!(knowing(values).text(text), expect, "{values:?} in {text}");
        let turned: Vec<_> = values.iter().rev().copied().collect();
        assert_eq!(knowing(&turned).text(text), expect, "{turned:?} in {text}");
    }
    check(&[("a", "token"), ("b", "token-2")], "token token-2", "‹secret:a› ‹secret:b›");
    check(&[("a", "abcdef"), ("b", "defghijk")], "xabcdefghijkx", "x‹secret:b›x");
    check(&[("a", "abcdef"), ("b", "defghijk"), ("c", "ijklm")], "abcdefghijklm", "‹secret:b›");
    check(&[("a", "cdef"), ("b", "abcdefgh")], "abcdefgh cdef", "‹secret:b› ‹secret:a›");
    check(&[("a", "one!"), ("b", "two!!")], "one!two!!", "‹secret:a›‹secret:b›");
    check(&[("a", "aaaa")], "aaaaaaaaa", "‹secret:a›");
    check(&[("a", "p%61ss"), ("b", "pass")], "p%61ss", "‹secret:a›");
}

#[test]
fn a_short_value_goes_only_as_a_word_of_its_own() {
    fn check(value: &str, text: &str, expect: &str) {
        assert_eq!(knowing(&[("t", value)]).text(text), expect, "{value} in {text}");
    }
    check("ab", "ab cab abc a_ab, ab=ab. \"ab\" übab", "‹secret:t› cab abc a_ab, ‹secret:t›=‹secret:t›. \"‹secret:t›\" übab");
    check("7", "7 77 x7 -7 %37", "‹secret:t› 77 x7 -‹secret:t› ‹secret:t›");
    check("", "nothing", "nothing");
    check("  ", "a b", "a b");
}

#[test]
fn labels_stay_and_false_ones_hide_nothing() {
    let redactor = knowing(&[("token", "secret"), ("x", "token"), ("y", "hunter2")]);
    assert_eq!(redactor.text("‹secret:token› and ‹secret:x›"), "‹secret:token› and ‹secret:x›");
    assert_eq!(redactor.text("‹secret:hunter2›"), "‹‹secret:token›:‹secret:y››");
    assert_eq!(redactor.text("‹secret:token hunter2›"), "‹‹secret:token›:‹secret:x› ‹secret:y››");
    assert_eq!(redactor.text("secret token"), "‹secret:token› ‹secret:x›");
}

#[test]
fn json_is_cleaned_to_the_last_name() {
    fn check(mut value: Value, expect: Value) {
        let redactor = knowing(&[("t", "hunter2"), ("pin", "1234"), ("amount", "12.5"), ("word", "true")]);
        redactor.json(&mut value);
        assert_eq!(value.to_string(), expect.to_string());
    }
    check(
        json!({ "a": ["hunter2", 1, null], "b": { "c": "x hunter2" } }),
        json!({ "a": ["‹secret:t›", 1, null], "b": { "c": "x ‹secret:t›" } }),
    );
    check(json!({ "z": 1, "hunter2": 2, "a": 3 }), json!({ "z": 1, "‹secret:t›": 2, "a": 3 }));
    check(json!({ "hunter2": 1, "h%75nter2": 2 }), json!({ "‹secret:t›": 1, "‹secret:t› (2)": 2 }));
    check(json!([1234, 12345, 12.5, 1234.0, true]), json!(["‹secret:pin›", 12345, "‹secret:amount›", 1234.0, true]));
    check(json!("1234567"), json!("‹secret:pin›567"));
    let deep = (0..100).fold(json!("hunter2"), |inner, _| json!([{ "k": inner }]));
    let expect = (0..100).fold(json!("‹secret:t›"), |inner, _| json!([{ "k": inner }]));
    check(deep, expect);
}

#[test]
fn what_is_learnt_later_and_what_was_known_before_goes_too() {
    let redactor = Redactor::default();
    let early = redactor.clone();
    assert_eq!(early.text("first second"), "first second");
    redactor.learn("t", "first");
    redactor.learn("t", "second");
    redactor.also("t", "a-signature");
    assert_eq!(early.text("first second a-signature"), "‹secret:t› ‹secret:t› ‹secret:t›");
    assert!(!format!("{early:?}").contains("first"));
}

#[test]
fn a_large_body_with_many_secrets_is_no_trouble() {
    let mut dice = StdRng::seed_from_u64(1);
    let redactor = Redactor::default();
    for n in 0..50 {
        redactor.learn(&format!("s{n}"), &format!("{}{n}", encodings::value(&mut dice)));
    }
    redactor.learn("last", "the very last word");
    let mut body = encodings::body(&mut dice, 2 << 20);
    let plain = redactor.text(&body);
    assert_eq!(plain, body);
    body.push_str("the%20very+last%20word");
    let began = Instant::now();
    let clean = redactor.text(&body);
    println!("{} bytes: {:?}", body.len(), began.elapsed());
    assert!(clean.ends_with("{}]‹secret:last›"));
    // A body that is nothing but the secret, and one that is nothing but escapes.
    assert_eq!(redactor.text(&"the very last word".repeat(100_000)).matches("‹secret:last›").count(), 100_000);
    assert_eq!(redactor.text(&"%25".repeat(1_000_000)).len(), 3_000_000);
}

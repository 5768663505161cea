//! Changes to single places of a file: every other character stays.

use patchbay_contracts::{Code, workspace::Edit};
use patchbay_engine::definition::{edit, parse};
use patchbay_tests::definitions::{FULL, SHORT};
use serde_json::{Value, json};

fn set(text: &str, pointer: &str, value: Value) -> String {
    edit(text, &[Edit { pointer: pointer.to_owned(), value }])
        .unwrap_or_else(|problem| panic!("{pointer} in {text:?}: {problem}"))
}

/// The text before, the place, the new value (`null` takes out), the text after.
type Case = (&'static str, &'static str, &'static str, &'static str);

const SCALARS: &[Case] = &[
    ("a: 1 # one\nb: 2\n", "/a", "5", "a: 5 # one\nb: 2\n"),
    ("a: 1 # one\n", "/a", "1", "a: 1 # one\n"),
    ("a:   x   # one\n", "/a", "\"z\"", "a:   z   # one\n"),
    // The way of quoting stays, and is added where it must be.
    ("a: \"x\"\n", "/a", "\"y z\"", "a: \"y z\"\n"),
    ("a: 'x'\n", "/a", "\"it's\"", "a: 'it''s'\n"),
    ("a: x\n", "/a", "\"yes\"", "a: \"yes\"\n"),
    ("a: x\n", "/a", "\"12\"", "a: \"12\"\n"),
    ("a: x\n", "/a", "\"12:30\"", "a: \"12:30\"\n"),
    ("a: x\n", "/a", "\"\"", "a: \"\"\n"),
    ("a: x\n", "/a", "\" x\"", "a: \" x\"\n"),
    ("a: x\n", "/a", "\"x: y\"", "a: \"x: y\"\n"),
    ("a: x\n", "/a", "\"x #y\"", "a: \"x #y\"\n"),
    ("a: x\n", "/a", "\"- x\"", "a: \"- x\"\n"),
    ("a: x\n", "/a", "\"null\"", "a: \"null\"\n"),
    ("a: x\n", "/a", "\"${env:x}\"", "a: ${env:x}\n"),
    ("a: { b: x }\n", "/a/b", "\"${env:x}\"", "a: { b: \"${env:x}\" }\n"),
    ("a: { b: x }\n", "/a/b", "\"x, y\"", "a: { b: \"x, y\" }\n"),
    ("a: x\n", "/a", "\"tab\\there\"", "a: \"tab\\there\"\n"),
    ("a: x\n", "/a", "\"é ☂\"", "a: é ☂\n"),
    ("a: x\n", "/a", "\"\\u0007\"", "a: \"\\x07\"\n"),
    ("a: 1\n", "/a", "1.5", "a: 1.5\n"),
    ("a: 1\n", "/a", "true", "a: true\n"),
    // Several lines.
    ("a: plain\n  more # c\nb: 1\n", "/a", "2", "a: 2 # c\nb: 1\n"),
    ("a: |\n  one\n  two\n\n# c\nb: 1\n", "/a", "2", "a: 2\n\n# c\nb: 1\n"),
    ("a: |\n  one\n  two\nb: 1\n", "/a", "\"x\\ny\\n\"", "a: |\n  x\n  y\nb: 1\n"),
    ("a: x # c\nb: 1\n", "/a", "\"x\\ny\"", "a: |- # c\n  x\n  y\nb: 1\n"),
    ("a: \"x\"\n", "/a", "\"x\\ny\"", "a: \"x\\ny\"\n"),
    ("a: [x]\n", "/a/0", "\"x\\ny\"", "a: [\"x\\ny\"]\n"),
    ("a:\n  - x\n  - y\n", "/a/0", "\"x\\ny\"", "a:\n  - |-\n    x\n    y\n  - y\n"),
    // Nothing was there.
    ("a:\nb: 1\n", "/a", "5", "a: 5\nb: 1\n"),
    ("a: # c\nb: 1\n", "/a", "5", "a: 5 # c\nb: 1\n"),
    ("a: ~ # c\n", "/a", "5", "a: 5 # c\n"),
    ("a: {b, c: 1}\n", "/a/b", "5", "a: {b: 5, c: 1}\n"),
    ("a: {b: , c: 1}\n", "/a/b", "5", "a: {b: 5 , c: 1}\n"),
    ("a:\n  -\n  - 1\n", "/a/0", "5", "a:\n  - 5\n  - 1\n"),
    // Line ends stay those of the file.
    ("a: 1 # c\r\nb:\r\n  c: 2\r\n", "/b/d", "3", "a: 1 # c\r\nb:\r\n  c: 2\r\n  d: 3\r\n"),
    ("\u{feff}a: 1\nb: 2", "/c", "3", "\u{feff}a: 1\nb: 2\nc: 3"),
    ("\"a b\": 1\n", "/a b", "2", "\"a b\": 2\n"),
    ("a/b: 1\n", "/a~1b", "2", "a/b: 2\n"),
    ("? a\n: 1\n", "/a", "2", "? a\n: 2\n"),
];

const MAPPINGS: &[Case] = &[
    // Adding a key.
    ("a:\n  b: 1 # b\n# end\nc: 2\n", "/a/d", "3", "a:\n  b: 1 # b\n  d: 3\n# end\nc: 2\n"),
    ("a:\n    b: 1\n", "/a/d", "{\"e\": 1}", "a:\n    b: 1\n    d:\n        e: 1\n"),
    ("a:\n  b:\n    c: 1\n  # about e\n  e: 2", "/a/f", "[1, 2]", "a:\n  b:\n    c: 1\n  # about e\n  e: 2\n  f: [1, 2]"),
    ("a:\n  b: |\n    text\n\nc: 1\n", "/a/d", "2", "a:\n  b: |\n    text\n  d: 2\n\nc: 1\n"),
    ("a:\n  - x: 1\n  - y: 2\n", "/a/0/z", "3", "a:\n  - x: 1\n    z: 3\n  - y: 2\n"),
    ("a: {}\n", "/a/b", "1", "a: { b: 1 }\n"),
    ("a: { } # c\n", "/a/b", "1", "a: { b: 1 } # c\n"),
    ("a: { b: 1 } # c\n", "/a/d", "\"x\"", "a: { b: 1, d: x } # c\n"),
    ("a: {b: 1}\n", "/a/d", "{\"e\": [1, \"x\"]}", "a: {b: 1, d: { e: [1, x] }}\n"),
    ("a: { b: 1, }\n", "/a/d", "2", "a: { b: 1, d: 2 }\n"),
    ("a: {\n  b: 1, # b\n  c: 2 # c\n}\n", "/a/d", "3", "a: {\n  b: 1, # b\n  c: 2, # c\n  d: 3\n}\n"),
    ("a: {\n  b: 1, # b\n}\n", "/a/d", "3", "a: {\n  b: 1, # b\n  d: 3,\n}\n"),
    ("a:\nb: 1\n", "/a/c", "1", "a:\n  c: 1\nb: 1\n"),
    ("a: # note\nb: 1\n", "/a/c/d", "1", "a: # note\n  c:\n    d: 1\nb: 1\n"),
    ("a: ~\n", "/a/c", "1", "a:\n  c: 1\n"),
    ("a: 1\n", "/b/c/-", "\"x\"", "a: 1\nb:\n  c: [x]\n"),
    ("# only a comment", "/a/b", "1", "# only a comment\na:\n  b: 1\n"),
    // Replacing a value by one of another kind.
    ("a: 1 # c\nb: 2\n", "/a", "{\"x\": 1, \"y\": {\"z\": \"2\"}}", "a: # c\n  x: 1\n  y:\n    z: \"2\"\nb: 2\n"),
    ("a: # c\n  x: 1 # x\n  y: 2\nb: 2\n", "/a", "5", "a: 5 # c\nb: 2\n"),
    ("a:\n  x: 1\nb: 2\n", "/a", "[{\"y\": 1, \"z\": 2}]", "a:\n  - y: 1\n    z: 2\nb: 2\n"),
    ("a:\n- x\n- y\nb: 2\n", "/a", "5", "a: 5\nb: 2\n"),
    ("a: { x: 1 } # c\n", "/a", "[1]", "a: [1] # c\n"),
    ("a: bearer\n", "/a", "{\"type\": \"bearer\", \"token\": \"${secret:x}\"}", "a:\n  type: bearer\n  token: ${secret:x}\n"),
    // Changing where it differs.
    ("a:\n  x: 1 # x\n  y: 2 # y\n", "/a", "{\"y\": 3, \"x\": 1, \"z\": 4}", "a:\n  x: 1 # x\n  y: 3 # y\n  z: 4\n"),
    ("a: { x: 1, y: 2 } # c\n", "/a", "{\"y\": 2}", "a: { y: 2 } # c\n"),
    // Taking out.
    ("a: 1 # a\n# about b\nb: 2 # b\nc: 3\n", "/b", "null", "a: 1 # a\n# about b\nc: 3\n"),
    ("a: 1\nb: 2", "/b", "null", "a: 1"),
    ("a:\n  b:\n    c: 1 # c\n    d: 2\n  e: 3\n", "/a/b", "null", "a:\n  e: 3\n"),
    ("a:\n  b: 1 # b\nc: 2\n", "/a/b", "null", "a: {}\nc: 2\n"),
    ("a: {b: 1, c: 2}\n", "/a/b", "null", "a: {c: 2}\n"),
    ("a: {b: 1, c: 2}\n", "/a/c", "null", "a: {b: 1}\n"),
    ("a: { b: 1, c: 2 }\n", "/a/c", "null", "a: { b: 1 }\n"),
    ("a: { b: 1 }\n", "/a/b", "null", "a: {}\n"),
    ("a: {\n  b: 1, # b\n  c: 2 # c\n}\n", "/a/c", "null", "a: {\n  b: 1 # b\n}\n"),
    ("a: {\n  b: 1, # b\n  c: 2 # c\n}\n", "/a/b", "null", "a: {\n  c: 2 # c\n}\n"),
    ("a: |\n  x\n  y\nb: 1\n", "/a", "null", "b: 1\n"),
    ("a:\nb: 1\n", "/a", "null", "b: 1\n"),
    ("a: 1\n", "/b/c", "null", "a: 1\n"),
    ("l:\n  - a: 1 # a\n    b: 2\n", "/l/0/a", "null", "l:\n  - b: 2\n"),
    ("l:\n  - a: 1\n    # about b\n    b: 2\n", "/l/0/a", "null", "l:\n  - # about b\n    b: 2\n"),
];

const LISTS: &[Case] = &[
    ("a:\n  - x # x\n  - y # y\nb: 1\n", "/a/-", "\"z\"", "a:\n  - x # x\n  - y # y\n  - z\nb: 1\n"),
    ("a:\n- x\n- y\nb: 1\n", "/a/-", "\"z\"", "a:\n- x\n- y\n- z\nb: 1\n"),
    ("a:\n- x\n- y\nb: 1\n", "/a/2", "\"z\"", "a:\n- x\n- y\n- z\nb: 1\n"),
    (
        "a:\n  - x: 1\n    y: 2\n",
        "/a/-",
        "{\"x\": 3, \"y\": {\"z\": 4}}",
        "a:\n  - x: 1\n    y: 2\n  - x: 3\n    y:\n      z: 4\n",
    ),
    ("a: [x, y] # c\n", "/a/-", "\"z\"", "a: [x, y, z] # c\n"),
    ("a: [] # c\n", "/a/-", "\"z\"", "a: [z] # c\n"),
    ("a: [\n  x, # x\n  y # y\n]\n", "/a/-", "\"z\"", "a: [\n  x, # x\n  y, # y\n  z\n]\n"),
    ("a:\n  - x # x\n  - y # y\n", "/a/0", "null", "a:\n  - y # y\n"),
    ("a:\n  - x # x\n  # about y\n  - y # y\n", "/a/1", "null", "a:\n  - x # x\n  # about y\n"),
    ("a:\n- x\n- y\nb: 1\n", "/a/1", "null", "a:\n- x\nb: 1\n"),
    ("a:\n- x # x\nb: 1\n", "/a/0", "null", "a: []\nb: 1\n"),
    ("a: [x, y]\n", "/a/0", "null", "a: [y]\n"),
    ("a: [x, y]\n", "/a/1", "null", "a: [x]\n"),
    ("a: [x]\n", "/a/0", "null", "a: []\n"),
    ("a: [x, y, z] # c\n", "/a", "[\"x\", \"z\"]", "a: [x, z] # c\n"),
    ("a:\n  - x # x\n  - y # y\n  - z # z\n", "/a", "[\"x\", \"z\"]", "a:\n  - x # x\n  - z # z\n"),
    ("a:\n  - x # x\n  - y # y\n", "/a", "[\"x\", \"q\", \"r\"]", "a:\n  - x # x\n  - q # y\n  - r\n"),
    ("a:\n  - x: 1 # one\n  - x: 2 # two\n", "/a", "[{\"x\": 1}, {\"x\": 3}]", "a:\n  - x: 1 # one\n  - x: 3 # two\n"),
    ("a:\n  - x # c\n  - y\n", "/a/0", "{\"b\": 1, \"c\": 2}", "a:\n  - b: 1 # c\n    c: 2\n  - y\n"),
    ("a:\n  - b: 1\n    c: 2\n  - y\n", "/a/0", "\"x\"", "a:\n  - x\n  - y\n"),
    ("a:\n  - - x\n    - y\n  - - z\n", "/a/0/-", "1", "a:\n  - - x\n    - y\n    - 1\n  - - z\n"),
    ("a:\n  - - x\n    - y\n  - - z\n", "/a/0/0", "null", "a:\n  - - y\n  - - z\n"),
    ("a: &k\n- x\n", "/a/-", "1", "a: &k\n- x\n- 1\n"),
];

#[test]
fn a_change_leaves_every_other_character_alone() {
    for (before, pointer, value, after) in SCALARS.iter().chain(MAPPINGS).chain(LISTS) {
        let value: Value = serde_json::from_str(value).expect("the table holds JSON");
        assert_eq!(set(before, pointer, value), *after, "{pointer} in {before}");
    }
}

#[test]
fn changes_that_can_not_be_made_are_refused_without_harm() {
    for (text, pointer, value, code) in [
        ("a: 1\n", "a", json!(1), Code::InvalidInput),
        ("a: 1\n", "/a/b", json!(1), Code::InvalidInput),
        ("a: [1]\n", "/a/5", json!(1), Code::InvalidInput),
        ("a: [1]\n", "/a/b", json!(1), Code::InvalidInput),
        ("a: &x { b: 1 }\nc: *x\n", "/c/b", json!(2), Code::InvalidInput),
        ("a: &x 1\nc: *x\n", "/a", json!(2), Code::InvalidInput),
        ("a: &x { b: 1 }\nc: *x\n", "/a/b", json!(2), Code::InvalidInput),
        ("a: [\n", "/a", json!(1), Code::InvalidDefinition),
        ("a: 1\na: 2\n", "/a", json!(1), Code::InvalidDefinition),
    ] {
        let refused = edit(text, &[Edit { pointer: pointer.to_owned(), value }]).expect_err(text);
        assert_eq!(refused.code, code, "{pointer} in {text}: {refused}");
    }
    assert_eq!(set("a: &x { b: 1 }\nc: *x\n", "/c", json!(2)), "a: &x { b: 1 }\nc: 2\n");
}

#[test]
fn changes_are_made_in_their_order() {
    let edits = [
        Edit { pointer: "/integration/health/interval".to_owned(), value: json!("10s") },
        Edit { pointer: "/integration/health/enabled".to_owned(), value: json!(false) },
        Edit { pointer: "/integration/endpoints/0/name".to_owned(), value: json!("make order") },
        Edit { pointer: "/integration/health/endpoint".to_owned(), value: json!("make order") },
        Edit { pointer: "/integration/slo".to_owned(), value: Value::Null },
        Edit { pointer: "/integration/endpoints/-".to_owned(), value: json!({"path": "/", "expect": {"status": [200, "3xx"]}}) },
    ];
    let after = edit(FULL, &edits).expect("each can be made");
    assert!(after.contains("health:  { interval: 10s, endpoint: make order, conditions: [\"[STATUS] == 200\", \"[RESPONSE_TIME] < 500\"], enabled: false }\n"), "{after}");
    assert!(
        after.contains(
            "      rate_limit: 100/min\n    - path: /\n      expect:\n        status: [200, \"3xx\"]\n  error_handling:"
        ),
        "{after}"
    );
    assert!(
        after.contains("# rest, graphql, grpc") && after.contains("# feeds later endpoints") && !after.contains("slo:"),
        "{after}"
    );
    assert_eq!(parse("orders.yaml", after.as_bytes()).problems, []);
}

/// Numbers from a seed, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % bound
    }

    fn value(&mut self, depth: usize) -> Value {
        const TEXTS: [&str; 14] = [
            "x",
            "two words",
            "no",
            "1",
            "",
            "a: b",
            "#c",
            "${env:a}",
            "- x",
            "line\nline\n",
            "é",
            "{",
            "it's \"quoted\"",
            " lead",
        ];
        match self.below(if depth == 0 { 4 } else { 6 }) {
            0 => json!(self.below(1000)),
            1 => json!(self.below(2) == 0),
            2 | 3 => json!(TEXTS[self.below(TEXTS.len())]),
            4 => (0..self.below(3)).map(|_| self.value(depth - 1)).collect(),
            _ => Value::Object((0..self.below(3)).map(|i| (["a", "b c", "yes"][i].to_owned(), self.value(depth - 1))).collect()),
        }
    }

    fn pointer(&mut self, value: &Value) -> String {
        match value {
            Value::Object(fields) if self.below(4) > 0 => {
                let keys: Vec<&String> = fields.keys().collect();
                match self.below(keys.len() + 1) {
                    i if i < keys.len() => format!("/{}{}", keys[i], self.pointer(&fields[keys[i]])),
                    _ => "/new".to_owned(),
                }
            }
            Value::Array(items) if self.below(4) > 0 => match self.below(items.len() + 1) {
                i if i < items.len() => format!("/{i}{}", self.pointer(&items[i])),
                _ => "/-".to_owned(),
            },
            _ => String::new(),
        }
    }
}

#[test]
fn any_change_is_made_exactly_and_keeps_the_comments_of_all_else() {
    const STYLES: [&str; 4] = [
        "# top\na: 1 # a\nb:\n  c: x # c\n  # about d\n  d:\n    - 1 # one\n    - e: 2 # e\n      f: [1, 2] # f\n    - - n\n      - m\n\ng: { h: i, j: [k] } # g\nlast: |\n  text\n  more\n",
        "a:\n- 1\n- b: 2\n  c:\n  - 3\n  # in between\n  - 4\nd:\ne: {\n  f: 1, # f\n  g: 2 # g\n}\nh: \"q\" # q\n",
        "{\"a\": 1, \"b\": {\"c\": [1, 2, {\"d\": null}]}}\n",
        "a:\r\n    b: 'x' # b\r\n    c: >\r\n        folded\r\n        text\r\n\r\n    d: ~\r\ne: []\r\nf: {}\r\n",
    ];
    let mut dice = Dice(20_260_101);
    for round in 0..2000 {
        let text = STYLES[round % STYLES.len()];
        let before: Value = read(text);
        let pointer = dice.pointer(&before);
        if pointer.is_empty() {
            continue;
        }
        let value = if dice.below(4) == 0 { Value::Null } else { dice.value(2) };
        let after = edit(text, &[Edit { pointer: pointer.clone(), value: value.clone() }])
            .unwrap_or_else(|problem| panic!("round {round}: {pointer} = {value} in {text}: {problem}"));
        assert!(
            !after.lines().any(|line| line.ends_with(' ') && !text.contains(line)),
            "round {round}: {pointer} = {value}\n{after}"
        );
        assert_eq!(after.contains("\r\n"), text.contains("\r\n"), "round {round}");
        if text.starts_with("# top") {
            assert!(after.starts_with("# top\n"), "round {round}: {pointer} = {value}\n{after}");
        }
    }
}

/// The plain value of a YAML text, by way of a place where any value may stand.
fn read(text: &str) -> Value {
    let lines: String = text.trim_start_matches('\u{feff}').lines().map(|line| format!("          {line}\n")).collect();
    let file = format!("integration:\n  name: a\n  endpoints:\n    - path: /\n      request:\n        body:\n{lines}");
    let parsed = parse("a.yaml", file.as_bytes());
    assert_eq!(parsed.problems, [], "{file}");
    parsed.definition.and_then(|mut integration| integration.endpoints.remove(0).request?.body).expect("a body")
}

#[test]
fn the_reader_s_own_forms_survive_a_round_of_changes() {
    for text in [SHORT, FULL] {
        let there = set(text, "/integration/description", json!("What it is"));
        assert_ne!(there, text);
        assert_eq!(set(&there, "/integration/description", Value::Null), text);
    }
}

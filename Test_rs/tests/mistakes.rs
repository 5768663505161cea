//! Mistakes in integration files: each is told with its place, what was expected and the nearest known word, and none
//! of them repeats a credential.

use patchbay_tests::definitions::{mistakes, read, with};

/// One mistake: the place and the words that a person reads.
fn check(text: &str, expected: &str) {
    assert_eq!(mistakes(text), [expected], "{text}");
}

#[test]
fn a_mistake_has_its_place_and_the_nearest_word() {
    let fields = "expected one of name, method, path, params, query, headers, auth, request, expect, request_schema, response_schema, capture, rate_limit";
    check(
        &with("  endpoints:\n    - metod: GET\n      path: /"),
        &format!("orders.yaml:4:7: Unknown field \"metod\": {fields}. Did you mean \"method\"?"),
    );
    check(
        &with("  interval: 30s"),
        "orders.yaml:3:3: Unknown field \"interval\": expected one of name, version, description, system, base_url, auth, tls, headers, \
         endpoints, request_schema, response_schema, error_handling, health, metrics, slo, load, load_limits, contract. \"interval\" is a field of `health`: move it there",
    );
    check(
        "integration:\n  version: \"1\"\n",
        "orders.yaml:2:3: The field \"name\" is missing: its name, unique in the workspace. Add \"name\" to \"integration\"",
    );
    check(
        "integrtion:\n  name: a\n",
        "orders.yaml:1:1: Unknown field \"integrtion\": expected \"integration\". Did you mean \"integration\"?",
    );
    check(
        "a: 1\nb: 2\nintegration: { name: x }\n".trim_start_matches("a: 1\n"),
        "orders.yaml:1:1: Unknown field \"b\": expected \"integration\". Take it away, or put it where it belongs",
    );
}

/// Texts under `integration` and what is said of them, without the file's name.
const MISTAKES: &[(&str, &[&str])] = &[
    // Wrong kinds.
    (
        "  version: 1.2",
        &["3:12: \"version\" is of the wrong kind: expected a text, found the number 1.2. Put it in quotes: \"1.2\""],
    ),
    ("  headers: [a]", &["3:12: \"headers\" is of the wrong kind: expected a mapping of names to values, found a list"]),
    ("  endpoints: { a: b }", &["3:14: \"endpoints\" is of the wrong kind: expected a list, found a mapping"]),
    ("  endpoints:", &["3:3: \"endpoints\" is of the wrong kind: expected a list, found nothing"]),
    (
        "  error_handling: { retries: many }",
        &["3:30: \"retries\" is of the wrong kind: expected a whole number, found the text \"many\""],
    ),
    (
        "  error_handling: { retries: 1.5 }",
        &["3:30: \"retries\" is of the wrong kind: expected a whole number, found the number 1.5"],
    ),
    ("  error_handling: { retries: 99 }", &["3:30: \"retries\" can't be 99: expected a number from 0 to 20"]),
    ("  error_handling: { retries: -1 }", &["3:30: \"retries\" can't be -1: expected a number from 0 to 20"]),
    // YAML 1.2: `no` is a text.
    (
        "  endpoints: [{ path: / }]\n  health: { enabled: no }",
        &["4:22: \"enabled\" is of the wrong kind: expected true or false, found the text \"no\""],
    ),
    // Units.
    (
        "  error_handling: { timeout: 30 }",
        &["3:30: \"timeout\" has no unit: expected a duration with its unit, found 30. Write 30s or 30ms"],
    ),
    (
        "  error_handling: { timeout: \"30\" }",
        &["3:30: \"timeout\" has no unit: expected a duration with its unit, found 30. Write 30s or 30ms"],
    ),
    (
        "  error_handling: { timeout: 30 parsecs }",
        &[
            "3:30: \"timeout\" can't be read: expected a duration with its unit, found the text \"30 parsecs\". Write it like 500ms, 30s, 5m or 2h",
        ],
    ),
    (
        "  slo: { availability: 99.9 }",
        &["3:24: \"availability\" has no unit: expected a share in per cent, found 99.9. Write 99.9%"],
    ),
    (
        "  slo: { availability: 101% }",
        &[
            "3:24: \"availability\" can't be read: expected a share in per cent, found the text \"101%\". Write it like 99.9% or 0.1%",
        ],
    ),
    (
        "  endpoints: [{ path: /, rate_limit: 100 }]",
        &["3:38: \"rate_limit\" has no unit: expected a count over a time, found 100. Write 100/s or 100/min"],
    ),
    (
        "  endpoints: [{ path: /, rate_limit: [] }]",
        &["3:38: \"rate_limit\" is of the wrong kind: expected a count over a time, such as 200/s or 100/min, found a list"],
    ),
    // Words.
    (
        "  error_handling: { backoff: exponental }",
        &[
            "3:30: Unknown value \"exponental\" for \"backoff\": expected one of none, constant, linear, exponential. Did you mean \"exponential\"?",
        ],
    ),
    (
        "  endpoints: [{ method: post, path: / }]",
        &[
            "3:25: Unknown value \"post\" for \"method\": expected one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE, CONNECT, QUERY. Did you mean \"POST\"?",
        ],
    ),
    (
        "  system: grpc",
        &[
            "3:11: The system \"grpc\" is not supported by this version of Patchbay: expected \"rest\". Leave the file as it is until a version supports it, or describe the HTTP side of it as `rest`",
        ],
    ),
    ("  system: rset", &["3:11: Unknown value \"rset\" for \"system\": expected \"rest\". Did you mean \"rest\"?"]),
    // Fields that must be there.
    (
        "  endpoints:\n    - name: a\n    - path: /",
        &[
            "4:7: The field \"path\" is missing: the path under `base_url`, with `{parameters}`, or a whole URL. Add \"path\" to \"endpoints\"",
        ],
    ),
    (
        "  error_handling: { circuit_breaker: { failures: 0 } }",
        &[
            "3:38: The field \"cool_down\" is missing: for so long. Add \"cool_down\" to \"circuit_breaker\"",
            "3:50: \"failures\" can't be 0: expected a number from 1 to 4294967295",
        ],
    ),
    // Alternatives.
    (
        "  auth: { token: \"${secret:x}\" }",
        &["3:9: The field \"type\" is missing: expected one of none, bearer, basic, api_key. Add \"type\" to \"auth\""],
    ),
    (
        "  auth: { type: bearr, token: \"${secret:x}\" }",
        &["3:17: Unknown value for \"type\": expected one of none, bearer, basic, api_key. Did you mean \"bearer\"?"],
    ),
    (
        "  auth: { type: basic, username: me, pasword: \"${secret:x}\" }",
        &["3:38: Unknown field \"pasword\": expected one of type, username, password. Did you mean \"password\"?"],
    ),
    (
        "  auth: beaerer",
        &["3:9: Unknown value for \"auth\": expected one of none, bearer, basic, api_key. Did you mean \"bearer\"?"],
    ),
    (
        "  endpoints: [{ path: /, expect: { status: 999 } }]",
        &["3:44: \"status\" can't be 999: expected a number from 100 to 599"],
    ),
    (
        "  endpoints: [{ path: /, expect: { status: fine } }]",
        &["3:44: \"status\" can't be \"fine\": expected a status such as 201, a class such as 2xx, or a list of them"],
    ),
    (
        "  endpoints: [{ path: /, expect: { status: [200, true] } }]",
        &["3:50: \"status\" is of the wrong kind: expected a whole number or a text or a list, found true"],
    ),
    // What stands twice.
    (
        "  version: \"1\"\n  version: \"2\"",
        &[
            "4:3: The field \"version\" stands here twice: line 3 has it already, and only one can count. Take one of the two away",
        ],
    ),
    (
        "  endpoints:\n    - { name: a, path: / }\n    - { name: a, path: /b }",
        &["5:15: Two endpoints are called \"a\": the other one begins on line 4. Give one of them another name"],
    ),
    (
        "  endpoints:\n    - { path: / }\n    - { path: / }",
        &[
            "5:7: Two endpoints are called \"GET /\": the other one begins on line 4. Give both a `name`, so that they can be told apart",
        ],
    ),
    // Names of endpoints.
    (
        "  endpoints: [{ name: alive, path: / }]\n  health: { endpoint: alice }",
        &["4:23: No endpoint is called \"alice\": expected one of alive. Did you mean \"alive\"?"],
    ),
    (
        "  endpoints: [{ name: alive, path: / }]\n  load: { endpoint: GET /a }",
        &["4:21: No endpoint is called \"GET /a\": expected one of alive"],
    ),
    (
        "  endpoints: [{ name: alive, path: / }]\n  load: { chain: [alive, alice], mix: [{ endpoint: a }], setup: [b] }",
        &[
            "4:26: No endpoint is called \"alice\": expected one of alive. Did you mean \"alive\"?",
            "4:52: No endpoint is called \"a\": expected one of alive",
            "4:66: No endpoint is called \"b\": expected one of alive",
        ],
    ),
    (
        "  health: { interval: 10s }",
        &["3:3: \"health\" has no endpoint to call: the file defines none. Add one under \"endpoints\""],
    ),
    // Parameters of the path.
    (
        "  endpoints:\n    - path: /a/{id}",
        &["4:13: The path's parameter `{id}` has no value: \"params\" does not name it. Add params: { id: … }"],
    ),
    (
        "  endpoints:\n    - path: /a/{order}\n      params: { oder: 1 }",
        &[
            "4:13: The path's parameter `{order}` has no value: \"params\" does not name it. \"params\" has \"oder\": give both the same name",
        ],
    ),
    (
        "  endpoints:\n    - path: /a\n      params: { id: 1 }",
        &["5:21: The path has no parameter `{id}`: it is /a. Take the value away, or put the parameter into the path"],
    ),
    (
        "  endpoints:\n    - path: a",
        &["4:13: The path does not begin with `/`: expected a path under `base_url`, or a whole address. Write /a"],
    ),
    // Captured values.
    (
        "  endpoints:\n    - path: /a/${id}\n    - path: /b\n      capture: { id: \"$.id\" }",
        &[
            "4:13: `${id}` is used before it is captured: an endpoint further down captures it, and endpoints are called in the order of the file. Move the endpoint that captures it up",
        ],
    ),
    (
        "  endpoints:\n    - path: /a\n      request: { body: { a: [\"x ${id}\"] } }\n      capture: { id: \"$.id\" }",
        &[
            "5:30: `${id}` is used before it is captured: the endpoint itself captures it, from the answer, and endpoints are called in the order of the file. Move the endpoint that captures it up",
        ],
    ),
    (
        "  endpoints:\n    - path: /a\n      capture: { order_id: \"$.id\" }\n    - path: /b/${oder_id}",
        &["6:13: `${oder_id}` is captured nowhere. Did you mean `${order_id}`?"],
    ),
    (
        "  endpoints:\n    - path: /a\n      capture: { id: id }",
        &["5:22: \"id\" does not say where the value is: expected a path into the body such as `$.id`, or `header:Location`"],
    ),
    (
        "  base_url: http://${evn:host}/",
        &[
            "3:13: Unknown reference `${evn:…}`: expected ${env:NAME}, ${secret:NAME}, or ${NAME} for a captured value. Did you mean \"env\"?",
        ],
    ),
    (
        "  base_url: http://${env:host/",
        &["3:13: A reference is not closed: `${` has no `}`. Close it, or write `$${` for the characters themselves"],
    ),
    // Addresses.
    (
        "  base_url: localhost:80",
        &[
            "3:13: \"base_url\" is not an address that can be called: \"base_url\" begins with `localhost:`, and http and https are known. Begin it with http:// or https://",
        ],
    ),
    (
        "  base_url: api.example.com",
        &["3:13: \"base_url\" is not an address: relative URL without a base. Write it whole, such as https://api.example.com"],
    ),
    // Amounts that can't be meant.
    (
        "  metrics: { url: /metrics, interval: 10ms }",
        &["3:39: An interval of 10ms is too short: at least 1s is allowed, so that a check can't flood the service"],
    ),
    (
        "  endpoints: [{ path: / }]\n  load: { executor: constant-arrival-rate }",
        &["4:21: An arrival rate is asked for and none is given: \"rate\" is missing. Add rate: 100/s, say"],
    ),
    (
        "  endpoints: [{ path: / }]\n  load: { thresholds: [\"p95 < 500ms\", \"eror < 1%\"] }",
        &[
            "4:39: `eror < 1%` is not a threshold: there is no metric `eror`; did you mean `errors`?. Write METRIC OP VALUE, such as p95 < 500ms, errors < 0.1% or rate > 100/s",
        ],
    ),
    // What other parts of the engine read.
    (
        "  endpoints: [{ path: /, expect: { conditions: [\"[STATUS] == 200\", \"[STAUS] == 200\"] } }]",
        &["3:68: `[STAUS] == 200` is not a condition: [STAUS] is unknown. Did you mean [STATUS]?"],
    ),
    (
        "  request_schema: { amount: nmber }",
        &["3:3: The schema can't be read at /amount: `nmber` is not a type. Did you mean `number`?"],
    ),
    (
        "  response_schema: { type: objct, required: [a] }",
        &["3:3: The schema can't be read at /type: `objct` is not a type. Did you mean `object`?"],
    ),
    // Names.
    (
        "  description: >\n    a\n  headers: { \"a b\": c }",
        &["5:21: \"a b\" can't be the name of a header: letters, digits and `-` are allowed"],
    ),
];

#[test]
fn every_kind_of_mistake_is_told() {
    for (lines, expected) in MISTAKES {
        let expected: Vec<String> = expected.iter().map(|mistake| format!("orders.yaml:{mistake}")).collect();
        assert_eq!(mistakes(&with(lines)), expected, "{lines}");
        assert!(read(with(lines).as_bytes()).definition.is_none(), "half a definition of {lines}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_and_in_the_order_of_the_file() {
    let text = "integration:\n  name: or/ders\n  versoin: \"1\"\n  endpoints:\n    - path: /{id}\n      metod: GET\n    - path: 5\n  health: { interval: 30, endpoint: nobody }\n  slo: { availability: high }\n";
    let lines: Vec<u32> =
        read(text.as_bytes()).problems.iter().filter_map(|problem| Some(problem.place.as_ref()?.line)).collect();
    assert_eq!(lines, [2, 3, 5, 6, 7, 8, 8, 9]);
}

#[test]
fn a_credential_in_plain_is_refused_and_never_repeated() {
    let plain = "hunter2-hunter2-hunter2-hunter2";
    for lines in [
        "  auth: { type: bearer, token: PLAIN }",
        "  auth: { type: bearer, token: { of: PLAIN } }",
        "  auth: { type: bearer, tokn: PLAIN }",
        "  auth: { type: basic, username: me, password: PLAIN }",
        "  auth: { type: api_key, value: PLAIN }",
        "  auth: { type: api_key, value: [PLAIN] }",
        "  auth: { type: PLAIN }",
        "  auth: { PLAIN: bearer }",
        "  auth: PLAIN",
        "  auth: [PLAIN]",
        "  headers: { Authorization: PLAIN }",
        "  headers: { X-Api-Key: PLAIN }",
        "  base_url: https://me:PLAIN@example.com",
        "  tls: { certificate: client.pem, key: PLAIN }",
        "  tls: { certificate: client.pem, key: \"PLAIN ${secret:x}\" }",
        "  tls: { certificate: client.pem, key: [PLAIN] }",
        "  tls: { certificate: client.pem, key: 4711hunter2 }",
        "  tls: { certificate: \"-----BEGIN PRIVATE KEY----- PLAIN\", key: \"${secret:x}\" }",
        "  metrics: { url: /metrics, auth: { type: bearer, token: PLAIN } }",
        "  endpoints: [{ path: /, auth: { type: bearer, token: PLAIN } }]",
        "  endpoints: [{ path: /, query: { api_key: PLAIN } }]",
        "  endpoints: [{ path: \"https://me:PLAIN@example.com/\" }]",
        "  auth: { type: bearer, token: \"PLAIN }",
        "  auth: { type: bearer, token: PLAIN: x }",
        "  auth: { type: bearer, token: @PLAIN }",
    ] {
        let text = with(&lines.replace("PLAIN", plain));
        let parsed = read(text.as_bytes());
        assert!(parsed.definition.is_none(), "{lines}");
        assert!(!parsed.problems.is_empty(), "{lines}");
        let said = format!("{:?} {:?}", parsed.problems, parsed);
        assert!(!said.contains("hunter2"), "{lines}: {said}");
    }
    check(
        &with("  auth: { type: bearer, token: abc }"),
        "orders.yaml:3:32: A credential must not stand in the file: found a credential in plain; files are shared, and credentials lie in the keychain. \
         Run `patchbay secret set orders-token` and write \"${secret:orders-token}\" here",
    );
    for sound in [
        "  auth: { type: bearer, token: \"${secret:x}\" }",
        "  auth: { type: basic, username: \"${secret:x}\", password: \"\" }",
        "  auth: api_key",
        "  headers: { Authorization: \"Token ${secret:x}\" }",
        "  tls: { ca: certs/ca.pem, certificate: client.pem, key: \"${secret:x}\" }",
        "  tls: { ca: ca.pem }",
        "  tls: {}",
        "  endpoints:\n    - { path: /login, capture: { t: $.token } }\n    - { path: /me, auth: { type: bearer, token: \"${t}\" } }",
    ] {
        assert_eq!(mistakes(&with(sound)), Vec::<String>::new(), "{sound}");
    }
}

#[test]
fn what_secures_connections_is_held_to_its_rules() {
    let refused = "A private key must not stand in the file, nor in one beside it: found WHAT; files are shared, and credentials lie \
                   in the keychain. Run `patchbay secret set orders-client-key --host HOST < client.key` and write \
                   \"${secret:orders-client-key}\" here";
    for (key, what) in [
        ("client.key", "a path, or a key in plain"),
        ("${env:KEY}", "a variable of the environment, which lies in a file"),
        ("${key}", "a value that a service gave"),
        ("${secret:a}${secret:b}", "more than one reference to a secret"),
        ("-----BEGIN PRIVATE KEY-----", "the key itself"),
        ("", "a path, or a key in plain"),
    ] {
        let text = with(&format!("  tls:\n    certificate: client.pem\n    key: \"{key}\""));
        check(&text, &format!("orders.yaml:5:10: {}", refused.replace("WHAT", what)));
    }
    for (lines, said) in [
        (
            "  tls: { certificate: client.pem }",
            "3:23: A client certificate has no key: \"key\" is missing, and without it nobody can show that the certificate is \
             theirs. Run `patchbay secret set orders-client-key < client.key` and add key: \"${secret:orders-client-key}\"",
        ),
        (
            "  tls: { key: \"${secret:x}\" }",
            "3:15: A key has no certificate: \"certificate\" is missing, and a service is shown the certificate, never the key. Add \
             certificate: client.pem, the file with the certificate that belongs to the key",
        ),
        (
            "  tls: { certificate: a.pem, key: \"${secret:a b}\" }",
            "3:35: That is not the name of a secret. Use 1 to 64 letters, digits, dots, hyphens and underscores, such as orders-token",
        ),
        ("  tls: { ca: \"\" }", "3:14: \"ca\" names no file: expected the path of a file in PEM"),
        (
            "  tls: { ca: \"certs/${env:stage}.pem\" }",
            "3:14: \"ca\" can't hold a reference: it is the path of a file, as it stands. Write the path out, relative to this file",
        ),
        (
            "  tls: { ca: \"-----BEGIN CERTIFICATE-----\" }",
            "3:14: \"ca\" names no file: found what stands in one; expected its path, relative to this file. Write it into a file of \
             its own, and its path here: ca: certs/ca.pem",
        ),
        (
            "  tls: { certficate: client.pem, key: \"${secret:x}\" }",
            "3:10: Unknown field \"certficate\": expected one of ca, certificate, key. Did you mean \"certificate\"?",
        ),
        ("  tls: { ca: [a.pem] }", "3:14: \"ca\" is of the wrong kind: expected a text, found a list"),
        (
            "  tls: ca.pem",
            "3:8: \"tls\" is of the wrong kind: expected a mapping with ca, certificate, key, found the text \"ca.pem\"",
        ),
        (
            "  ca: ca.pem",
            "3:3: Unknown field \"ca\": expected one of name, version, description, system, base_url, auth, tls, headers, endpoints, \
             request_schema, response_schema, error_handling, health, metrics, slo, load, load_limits, contract. \"ca\" is a field of \
             `tls`: move it there",
        ),
    ] {
        let said = format!("orders.yaml:{said}");
        assert_eq!(mistakes(&with(lines)), [said], "{lines}");
    }
    let key = mistakes(&with("  tls: { certificate: client.pem, key: 12345678 }"));
    assert!(key.len() == 1 && !key[0].contains("12345678"), "{key:?}");
}

/// Texts that are no sound YAML, and what is said first.
const SYNTAX: &[(&str, &str)] = &[
    ("", "1:1: The file is empty: expected a mapping with \"integration\". `patchbay init` writes an example to begin with"),
    (
        "# nothing\n# at all\n",
        "1:1: The file is empty: expected a mapping with \"integration\". `patchbay init` writes an example to begin with",
    ),
    (
        "integration:\n\tname: a\n",
        "2:2: The YAML can't be read: the line is indented with a tab, and YAML allows only spaces. Replace the tab by spaces",
    ),
    ("integration:\n  name: @a\n", "2:9: The YAML can't be read: a text can't begin with `@`. Put the text in quotes"),
    (
        "integration:\n  name: a\n  headers: { A: ${env:a} }\n",
        "3:18: The YAML can't be read: a reference such as `${env:…}` inside of `{ }` or `[ ]` ends them too early. Put the reference in quotes: \"${env:…}\"",
    ),
    (
        "integration: { name: a }\n---\nintegration: { name: b }\n",
        "2:1: The file holds more than one document: `---` begins another one. Give each integration a file of its own",
    ),
    (
        "integration: &a { name: a, headers: *a }\n",
        "1:37: An alias stands inside of what it stands for: the value would never end. Write the value out",
    ),
    (
        "integration: { name: a, headers: !!binary x }\n",
        "1:34: A tag does not fit here: only !!str, !!int, !!float, !!bool and !!null are known, in front of a value of that kind. Take the tag away",
    ),
    (
        "integration:\n  name: a\n  version: .inf\n",
        "3:12: `.inf` has no counterpart in JSON: it is a number that JSON can't write. Put it in quotes if it is a text",
    ),
    (
        "integration:\n  name: a\n  <<: { version: \"1\" }\n",
        "3:3: Merge keys (`<<`) are not part of YAML 1.2. Write the fields out, or let an alias stand for a whole value",
    ),
    (
        "integration:\n  ? [a]\n  : b\n",
        "2:5: A key must be a text: a mapping or a list stands in its place. If the value holds `{` or `[`, put it in quotes",
    ),
    ("just a text\n", "1:1: \"file\" is of the wrong kind: expected a mapping with integration, found the text \"just a text\""),
];

#[test]
fn mistakes_of_syntax_are_explained() {
    for (text, expected) in SYNTAX {
        assert_eq!(mistakes(text).first(), Some(&format!("orders.yaml:{expected}")), "{text}");
    }
}

#[test]
fn mistakes_before_a_mistake_of_syntax_are_told_as_well() {
    let found = mistakes("integration:\n  nme: a\n  headers: {\n  version: [\n");
    assert!(found[0].starts_with("orders.yaml:2:3: Unknown field \"nme\""), "{found:?}");
    assert!(found.last().is_some_and(|last| last.contains("The YAML can't be read")), "{found:?}");
}

//! Mocks of documents with what is rare: they pass the verification of their documents, whatever the seed.

use patchbay_contracts::{
    contract::{ContractOptions, ContractReport},
    integration::Auth,
    run::Verdict,
};
use patchbay_engine::contract::{
    Document,
    mock::{Mock, MockOptions},
    openapi::verify,
};
use patchbay_tests::{contract::misses, http::context};
use tokio_util::sync::CancellationToken;

const SECRET: &str = "mock-credential";

async fn held(text: &str, auth: &str, seed: u64, made: Option<u64>) -> ContractReport {
    let document = Document::read("contract.yaml", text.as_bytes()).unwrap_or_else(|problem| panic!("{problem}"));
    let own = Auth::from_flag(&format!("bearer:{SECRET}")).expect("it is one");
    let options = MockOptions { seed: made, auth: Some(own), ..MockOptions::default() };
    let mock = Mock::start(&context(), &document, options).await.unwrap_or_else(|problem| panic!("{problem}"));
    let auth = Some(Auth::from_flag(auth).expect("it is one"));
    let options = ContractOptions { url: Some(mock.url()), auth, seed: Some(seed), ..ContractOptions::default() };
    verify(&context(), &document, &options, &CancellationToken::new(), |_| ()).await.unwrap_or_else(|problem| panic!("{problem}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn mocks_of_documents_with_what_is_rare_pass_them() {
    for (name, text) in [
        ("schemas", include_str!("../fixtures/mock/hard/schemas.yaml")),
        ("schemas31", include_str!("../fixtures/mock/hard/schemas31.yaml")),
        ("draft7", include_str!("../fixtures/mock/hard/draft7.yaml")),
        ("parameters", include_str!("../fixtures/mock/hard/parameters.yaml")),
        ("resources", include_str!("../fixtures/mock/hard/resources.yaml")),
    ] {
        for (seed, made) in [(1, None), (20_260_131, Some(7))] {
            let report = held(text, &format!("bearer:{SECRET}"), seed, made).await;
            assert_eq!((misses(&report), report.verdict), (Vec::new(), Verdict::Pass), "{name} {seed}: {:?}", report.problems);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_cant_be_made_are_told_and_fail_nothing() {
    let text = include_str!("../fixtures/mock/hard/bodies.yaml");
    let report = held(text, &format!("bearer:{SECRET}"), 1, None).await;
    let misses = misses(&report);
    assert_eq!(misses.len(), 1, "{misses:#?}");
    assert!(misses[0].starts_with("POST /xml reachable inconclusive"), "{misses:#?}");
    assert!(misses[0].contains("a body of application/xml is made from an example only"), "{misses:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_authenticate_is_taken_by_a_mock() {
    for text in [include_str!("../fixtures/mock/hard/security.yaml"), include_str!("../fixtures/mock/hard/swagger2.yaml")] {
        for auth in ["bearer", "api_key:X-Key=", "basic:joe"] {
            let auth = if auth.ends_with('=') { format!("{auth}{SECRET}") } else { format!("{auth}:{SECRET}") };
            let report = held(text, &auth, 1, None).await;
            // What asks for a credential of another kind is left open.
            let failed: Vec<String> = misses(&report).into_iter().filter(|miss| !miss.contains(" inconclusive ")).collect();
            assert_eq!(failed, Vec::<String>::new(), "{auth}");
            assert!(report.endpoints.iter().any(|endpoint| endpoint.verdict == Verdict::Pass), "{auth}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_judged_in_a_schema_is_told() {
    for (dialect, told) in [
        ("jsonSchemaDialect: https://example.com/our/own", "the dialect https://example.com/our/own"),
        ("jsonSchemaDialect: https://json-schema.org/draft/2020-12/schema", ""),
        ("x-a: 1", ""),
    ] {
        let text = format!(
            "openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\n{dialect}\npaths:\n  /a: {{ get: {{ responses: {{ '200': {{ \
             description: ok, content: {{ application/json: {{ schema: {{ type: object }} }} }} }} }} }} }}\n"
        );
        let report = held(&text, "bearer:x", 1, None).await;
        assert_eq!(misses(&report), Vec::<String>::new());
        let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems.is_empty(), told.is_empty(), "{problems:?}");
        assert!(told.is_empty() || problems[0].contains(told), "{problems:?}");
        assert_eq!(report.verdict == Verdict::Pass, told.is_empty());
    }
    let tree = "openapi: 3.1.0\ninfo: { title: T, version: '1' }\npaths:\n  /a: { get: { responses: { '200': { description: ok, \
                content: { application/json: { schema: { $ref: '#/components/schemas/Node' } } } } } } }\ncomponents:\n  schemas:\n    \
                Node: { $dynamicAnchor: node, type: object, properties: { next: { $dynamicRef: '#node' } } }\n";
    let report = held(tree, "bearer:x", 1, None).await;
    assert_eq!((misses(&report), report.problems.len()), (Vec::new(), 1), "{:?}", report.problems);
}

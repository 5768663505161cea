//! CloudEvents by the cases of its specification, and AsyncAPI documents.

use patchbay_contracts::{
    contract::{Check, ContractKind},
    run::Verdict,
};
use patchbay_engine::contract::messages::MessageOptions;
use patchbay_tests::messages::{fault, faults, held, judged, lines, not_passed, with};
use serde_json::{Value, json};

const EVENTS: &str = r"messages:
  envelope: cloudevents
  types:
    - type: com.example.order.created
      schema: { order_id: string }
";

fn event() -> Value {
    json!({
        "specversion": "1.0", "id": "A234-1234-1234", "source": "/shop/orders", "type": "com.example.order.created",
        "time": "2018-04-05T17:31:00Z", "datacontenttype": "application/json", "data": { "order_id": "o1" },
    })
}

#[tokio::test]
async fn cloudevents_are_judged_by_their_specification() {
    let envelope = |pointer: &str| Some(format!("com.example.order.created envelope {pointer} fail"));
    for (pointer, value, expected) in [
        // Valid, by sections 3.1 and "Type System" of the specification and by the JSON format.
        ("/subject", Some(json!("mynewfile.jpg")), None),
        ("/source", Some(json!("https://github.com/cloudevents")), None),
        ("/source", Some(json!("mailto:cncf-wg-serverless@lists.cncf.io")), None),
        ("/source", Some(json!("urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66")), None),
        ("/source", Some(json!("1-555-123-4567")), None),
        ("/dataschema", Some(json!("https://example.com/schemas/order")), None),
        ("/time", None, None),
        ("/time", Some(json!("2018-04-05T17:31:00.123456789+02:00")), None),
        ("/time", Some(json!(null)), None),
        ("/datacontenttype", Some(json!("application/json; charset=utf-8")), None),
        ("/datacontenttype", None, None),
        ("/comexampleextension1", Some(json!("value")), None),
        ("/comexampleothervalue", Some(json!(5)), None),
        ("/flag", Some(json!(true)), None),
        ("/unset", Some(json!(null)), None),
        ("/traceparent", Some(json!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")), None),
        // Invalid.
        ("/id", None, envelope("/id")),
        ("/id", Some(json!("")), envelope("/id")),
        ("/id", Some(json!(null)), envelope("/id")),
        ("/id", Some(json!(5)), envelope("/id")),
        ("/id", Some(json!("a\u{7}b")), envelope("/id")),
        ("/source", None, envelope("/source")),
        ("/source", Some(json!("")), envelope("/source")),
        ("/source", Some(json!("http://exa mple.com/%%")), envelope("/source")),
        ("/specversion", None, envelope("/specversion")),
        ("/specversion", Some(json!("1.0.2")), envelope("/specversion")),
        ("/specversion", Some(json!("0.3")), envelope("/specversion")),
        ("/specversion", Some(json!(1.0)), envelope("/specversion")),
        ("/subject", Some(json!("")), envelope("/subject")),
        ("/subject", Some(json!({})), envelope("/subject")),
        ("/time", Some(json!("2018-04-05")), envelope("/time")),
        ("/time", Some(json!("2018-04-05T17:31:00")), envelope("/time")),
        ("/time", Some(json!("yesterday")), envelope("/time")),
        ("/dataschema", Some(json!("schemas/order")), envelope("/dataschema")),
        ("/dataschema", Some(json!("")), envelope("/dataschema")),
        ("/datacontenttype", Some(json!("json")), envelope("/datacontenttype")),
        ("/MyExtension", Some(json!("x")), envelope("/MyExtension")),
        ("/my_extension", Some(json!("x")), envelope("/my_extension")),
        ("/my-extension", Some(json!("x")), envelope("/my-extension")),
        ("/ext", Some(json!({ "a": 1 })), envelope("/ext")),
        ("/ext", Some(json!([1])), envelope("/ext")),
        ("/ext", Some(json!(1.5)), envelope("/ext")),
        ("/ext", Some(json!(2_147_483_648_i64)), envelope("/ext")),
        ("/data_base64", Some(json!("eyJvcmRlcl9pZCI6Im8xIn0=")), envelope("/data_base64")),
        ("/data/order_id", Some(json!(5)), Some("com.example.order.created payload /data/order_id fail".to_owned())),
        ("/type", Some(json!("com.example.order.creatd")), Some("com.example.order.creatd payload /type fail".to_owned())),
    ] {
        let report = judged(EVENTS, lines(&[with(event(), pointer, value.clone())])).await;
        assert_eq!(faults(&report), expected.into_iter().collect::<Vec<_>>(), "{pointer} {value:?}");
    }
}

#[tokio::test]
async fn long_names_of_extensions_only_warn() {
    let report = judged(EVENTS, lines(&[with(event(), "/averyveryverylongname1", Some(json!("x")))])).await;
    assert_eq!((report.verdict, faults(&report).len()), (Verdict::Pass, 1));
}

#[tokio::test]
async fn data_in_base64_is_judged_as_the_json_that_it_is() {
    let base64 = |text: &str| with(with(event(), "/data", None), "/data_base64", Some(json!(text)));
    // {"order_id":"o1"} and {"order_id":5}
    for (text, expected) in [
        ("eyJvcmRlcl9pZCI6Im8xIn0=", vec![]),
        ("eyJvcmRlcl9pZCI6NX0=", vec!["com.example.order.created payload /data_base64/order_id fail"]),
        (
            "not base64!",
            vec!["com.example.order.created envelope /data_base64 fail", "com.example.order.created payload /data fail"],
        ),
    ] {
        assert_eq!(faults(&judged(EVENTS, lines(&[base64(text)])).await), expected, "{text}");
    }
}

#[tokio::test]
async fn a_batch_is_its_events_and_ids_are_unique_within_a_source() {
    let elsewhere = with(event(), "/source", Some(json!("/shop/returns")));
    let batch = |all: &[Value]| Value::from(all.to_vec()).to_string();
    let report = judged(EVENTS, batch(&[event(), elsewhere.clone()])).await;
    assert_eq!((faults(&report), report.endpoints[0].cases), (Vec::new(), 2));
    let report = judged(EVENTS, format!("{}\n{}\n", batch(&[event(), elsewhere]), batch(&[event()]))).await;
    assert_eq!(faults(&report), ["the stream duplicate /id fail"]);
    // An empty batch is a batch.
    assert_eq!(judged(EVENTS, "[]").await.verdict, Verdict::Inconclusive);
}

#[tokio::test]
async fn the_correlation_extension_makes_chains() {
    let effect = with(with(event(), "/id", Some(json!("2"))), "/causationid", Some(json!("A234-1234-1234")));
    assert_eq!(faults(&judged(EVENTS, lines(&[event(), effect.clone()])).await), Vec::<String>::new());
    let report = judged(EVENTS, lines(&[effect, event()])).await;
    assert_eq!(faults(&report), ["the stream causation /causationid fail"]);
    assert!(fault(&report, Check::Causation).message.contains("it comes later"));
}

/// AsyncAPI 2.6 with a trait, a correlation id, references and a schema in OpenAPI's dialect.
const TWO: &str = r##"asyncapi: 2.6.0
info: { title: streetlights, version: 1.0.0 }
channels:
  lights/measured:
    publish:
      message:
        oneOf:
          - $ref: "#/components/messages/LightMeasured"
          - $ref: "#/components/messages/LightFailed"
  lights/dimmed:
    subscribe:
      message:
        name: dimLight
        schemaFormat: application/vnd.oai.openapi;version=3.0.0
        payload:
          type: object
          required: [percentage, reason]
          properties:
            percentage: { type: integer, minimum: 0, maximum: 100 }
            reason: { type: string, nullable: true }
components:
  messages:
    LightMeasured:
      messageId: lightMeasured
      traits: [{ $ref: "#/components/messageTraits/commonHeaders" }]
      correlationId: { location: "$message.header#/correlationId" }
      payload: { $ref: "#/components/schemas/measured" }
      examples: [{ payload: { id: 1, lumens: 5 } }]
    LightFailed:
      payload: { type: object, required: [failure], properties: { failure: { type: string } } }
  messageTraits:
    commonHeaders:
      headers: { type: object, required: [my-app-header], properties: { my-app-header: { type: integer, maximum: 100 } } }
  schemas:
    measured:
      type: object
      required: [id]
      properties: { id: { type: integer }, lumens: { $ref: "#/components/schemas/lumens" } }
    lumens: { type: integer, minimum: 0, exclusiveMinimum: 0 }
"##;

#[tokio::test]
async fn asyncapi_2_is_read_with_its_traits_and_references() {
    let measured = |headers: Value, payload: Value| json!({ "name": "lightMeasured", "headers": headers, "payload": payload });
    let good = measured(json!({ "my-app-header": 1, "correlationId": "c" }), json!({ "id": 1, "lumens": 5 }));
    let dim = json!({ "name": "dimLight", "payload": { "percentage": 5, "reason": null } });
    // A bare payload is of the message that it fits.
    let failed = json!({ "failure": "bulb" });
    let report = judged(TWO, lines(&[good.clone(), dim.clone(), failed])).await;
    assert_eq!((faults(&report), report.kind, report.verdict), (Vec::new(), ContractKind::Asyncapi, Verdict::Pass));
    let names: Vec<&str> = report.endpoints.iter().map(|result| result.endpoint.as_str()).collect();
    assert_eq!(names, ["lightMeasured", "LightFailed", "dimLight"]);
    for (message, expected) in [
        (with(good.clone(), "/headers/my-app-header", Some(json!(101))), "lightMeasured metadata /headers/my-app-header fail"),
        (with(good.clone(), "/headers/my-app-header", None), "lightMeasured metadata /headers/my-app-header fail"),
        (with(good.clone(), "/payload/lumens", Some(json!(0))), "lightMeasured payload /payload/lumens fail"),
        (with(good.clone(), "/payload/id", None), "lightMeasured payload /payload/id fail"),
        (with(good.clone(), "/headers/correlationId", None), "lightMeasured metadata /headers/correlationId fail"),
        (with(good.clone(), "/name", Some(json!("lightMesured"))), "lightMesured payload /name fail"),
        (with(dim.clone(), "/payload/percentage", Some(json!(101))), "dimLight payload /payload/percentage fail"),
        (with(dim.clone(), "/payload/percentage", Some(json!(null))), "dimLight payload /payload/percentage fail"),
        (json!({ "failure": 5 }), "LightFailed payload /failure fail"),
    ] {
        assert_eq!(faults(&judged(TWO, lines(&[message])).await), [expected]);
    }
    let report = judged(TWO, lines(&[with(good, "/payload/lumens", Some(json!(0)))])).await;
    let place = fault(&report, Check::Payload).place.clone().expect("the schema is in the file");
    assert_eq!((place.line, place.column), (39, 60), "{place}");
}

const THREE: &str = r##"asyncapi: 3.0.0
info: { title: accounts, version: "2" }
channels:
  signedUp:
    address: user/signedup
    messages:
      UserSignedUp: { $ref: "#/components/messages/UserSignedUp" }
operations:
  send: { action: send, channel: { $ref: "#/channels/signedUp" }, messages: [{ $ref: "#/channels/signedUp/messages/UserSignedUp" }] }
components:
  messages:
    UserSignedUp:
      headers: { type: object, required: [tenant] }
      payload:
        schemaFormat: application/schema+json;version=draft-07
        schema: { type: object, required: [email], properties: { email: { type: string, format: email } } }
    UserLeft:
      contentType: application/cloudevents+json
      payload:
        type: object
        required: [specversion, id, type, source, data]
        properties: { specversion: { const: "1.0" }, type: { const: UserLeft }, data: { type: object, required: [why] } }
    UserMoved:
      payload:
        schemaFormat: application/vnd.apache.avro+json;version=1.9.0
        schema: { type: record, name: UserMoved, fields: [] }
"##;

#[tokio::test]
async fn asyncapi_3_is_read_with_formats_of_schemas() {
    let signed = json!({ "name": "UserSignedUp", "headers": { "tenant": "t" }, "payload": { "email": "a@example.com" } });
    let left = json!({ "specversion": "1.0", "id": "1", "source": "/a", "type": "UserLeft", "data": { "why": "bored" } });
    let report = judged(THREE, lines(&[signed.clone(), left.clone()])).await;
    assert_eq!(faults(&report), Vec::<String>::new());
    // One of its schemas is in a format that can't be judged by, and so nothing is vouched for as a whole.
    assert_eq!((report.verdict, report.problems.len()), (Verdict::Inconclusive, 1));
    assert!(report.problems[0].to_string().contains("avro"), "{:?}", report.problems);
    for (message, expected) in [
        (with(signed.clone(), "/payload/email", Some(json!("nobody"))), vec!["UserSignedUp payload /payload/email fail"]),
        (with(signed.clone(), "/headers/tenant", None), vec!["UserSignedUp metadata /headers/tenant fail"]),
        (with(left.clone(), "/data/why", None), vec!["UserLeft payload /data/why fail"]),
        (with(left, "/id", None), vec!["UserLeft envelope /id fail", "UserLeft payload /id fail"]),
        (json!({ "name": "UserMoved", "payload": {} }), vec!["UserMoved payload  inconclusive"]),
    ] {
        assert_eq!(faults(&judged(THREE, lines(&[message])).await), expected);
    }
}

#[tokio::test]
async fn an_envelope_can_be_chosen_over_that_of_the_contract() {
    let options = MessageOptions { envelope: Some("none".to_owned()), ..MessageOptions::default() };
    let contract = "messages:\n  types: [{ type: a, schema: { n: integer } }]\n";
    let report = held(contract, "{\"n\": 1}\n", &options).await.expect("it is read");
    assert_eq!((faults(&report), report.verdict), (Vec::new(), Verdict::Pass));
    let report = held(contract, "{\"n\": \"1\"}\n", &options).await.expect("it is read");
    assert_eq!(not_passed(&report).len(), 1);
    let wrong = MessageOptions { envelope: Some("cloudevent".to_owned()), ..MessageOptions::default() };
    let problem = held(contract, "{}", &wrong).await.expect_err("there is no such envelope");
    assert!(problem.to_string().contains("Did you mean `cloudevents`?"), "{problem}");
}

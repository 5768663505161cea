//! `schema`.

use patchbay_contracts::run::Verdict;
use patchbay_engine::{
    Engine,
    contract::{
        document::Document,
        files,
        json_schema::{JsonSchema, Options, Violation},
    },
    definition,
};
use serde_json::json;

use crate::{
    Outcome,
    arguments::SchemaCommand,
    output::{Out, table::Table, words},
};

pub(super) async fn run(out: &Out, command: Option<SchemaCommand>) -> Outcome {
    match command {
        None | Some(SchemaCommand::Integration) => {
            let schema = definition::json_schema();
            out.result(&schema, || serde_json::to_string_pretty(&schema).unwrap_or_default());
            Ok(Verdict::Pass)
        }
        Some(SchemaCommand::Validate { draft, fetch, format_assertion, schema, instances }) => {
            let options = Options { draft: draft.as_deref().map(str::parse).transpose()?, format_assertion };
            validate(out, options, fetch, &schema, &instances).await
        }
    }
}

async fn validate(out: &Out, options: Options, fetch: bool, schema: &str, instances: &[String]) -> Outcome {
    // No workspace is needed, and nothing is stored.
    let engine =
        Engine::open(patchbay_engine::engine::Config { database: Some(":memory:".to_owned()), ..Default::default() }).await?;
    let context = engine.context(None);
    let document = Document::open_any(&context, schema, fetch).await?;
    let ready = JsonSchema::new(&context, &document, options).await?;
    let mut judged: Vec<(String, Vec<Violation>)> = Vec::new();
    for named in instances {
        for source in files::documents(named)? {
            let instance = Document::open_any(&context, &source, false).await?;
            for problem in &instance.problems {
                out.say(&crate::output::describe(problem));
            }
            let violations = ready.violations(&instance);
            judged.push((source, violations));
        }
    }
    engine.close().await;
    let valid = judged.iter().all(|(_, violations)| violations.is_empty());
    let all: Vec<_> = judged
        .iter()
        .map(|(file, violations)| json!({ "file": file, "valid": violations.is_empty(), "violations": violations }))
        .collect();
    out.result(&json!({ "schema": schema, "valid": valid, "instances": all }), || text(out, &judged));
    Ok(if valid { Verdict::Pass } else { Verdict::Fail })
}

fn text(out: &Out, judged: &[(String, Vec<Violation>)]) -> String {
    let mut text = String::new();
    for (file, violations) in judged {
        let verdict = if violations.is_empty() { Verdict::Pass } else { Verdict::Fail };
        text.push_str(&format!("{}  {file}\n", words::verdict(out, verdict)));
        if violations.is_empty() {
            continue;
        }
        let mut table = Table::new(&["where", "what", "asked at"]);
        for violation in violations {
            let line = violation.instance_place.as_ref().map(|place| format!("{}:{}", place.line, place.column));
            let asked = violation.schema_place.as_ref().map(ToString::to_string).unwrap_or_default();
            table.row([line.unwrap_or_default(), violation.message.clone(), format!("{asked} {}", violation.schema)]);
        }
        text.push_str(&table.text());
    }
    text
}

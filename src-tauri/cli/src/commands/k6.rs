//! `load --export` and `load --from-k6`.

use std::path::{Path, PathBuf};

use patchbay_contracts::{
    Code, Problem,
    integration::LoadSpec,
    run::{Report, Verdict},
};
use patchbay_engine::{
    Engine,
    engine::{Subject, write_exported},
    k6::Format,
    report,
};
use serde_json::json;

use super::{load, write_reports};
use crate::{Outcome, arguments::LoadArguments, output::Out};

pub(super) async fn export(engine: &Engine, out: &Out, subject: Subject, spec: &LoadSpec, arguments: &LoadArguments) -> Outcome {
    let wanted = arguments.exports.iter().map(|text| kind_and_file(text)).collect::<Result<Vec<_>, _>>()?;
    let mut written = Vec::new();
    for (format, file) in wanted {
        // The number of pods is about the manifest, and may stand beside a script of the same plan.
        let pods = arguments.parallelism.filter(|_| format == Format::Operator || arguments.exports.len() == 1);
        let exported = engine.export_load_of(subject.clone(), spec, format, pods).await?;
        write_exported(&file, &exported.text)?;
        written.push((file, exported));
    }
    let shown: Vec<_> = written
        .iter()
        .map(|(file, exported)| {
            json!({ "file": file.display().to_string(), "notes": exported.notes, "variables": exported.variables })
        })
        .collect();
    out.result(&shown, || {
        let mut text = String::new();
        for (file, exported) in &written {
            text.push_str(&format!("Wrote {}\n", file.display()));
            for variable in &exported.variables {
                text.push_str(&format!("needs: {variable}\n"));
            }
            for note in &exported.notes {
                text.push_str(&format!("note: {note}\n"));
            }
        }
        text
    });
    Ok(Verdict::Pass)
}

pub(super) async fn import(
    engine: &Engine,
    out: &Out,
    subject: Subject,
    spec: &LoadSpec,
    summary: &Path,
    wanted: &[(report::Format, PathBuf)],
) -> Outcome {
    let stored = engine.import_load_of(subject, spec, summary).await?;
    let run = engine.store().run(stored.id).await?;
    write_reports(out, &run, wanted)?;
    let Report::Load(report) = &run.report else { return Err(Problem::internal("a load run gave another kind of report")) };
    out.result(&run, || load::text(out, report, run.summary.id));
    Ok(report.verdict)
}

fn kind_and_file(text: &str) -> Result<(Format, PathBuf), Problem> {
    let (kind, file) = text.split_once('=').filter(|(_, file)| !file.is_empty()).ok_or_else(|| {
        Problem::new(Code::InvalidInput, format!("--export {text} names no file"))
            .next("Write --export KIND=FILE, such as --export k6=orders.js")
    })?;
    Ok((Format::named(kind)?, file.into()))
}

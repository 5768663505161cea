//! Builds `dist/`, the page that the window shows: the compiled module, the script that loads it, and the static files.

use crate::failure::{About, Failure, Outcome};
use crate::paths::{files_under, fingerprint, root, target, write_if_changed};
use crate::process::{find, say, timed};
use crate::wasm;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use wasm_bindgen_cli_support::Bindgen;

/// The name that the page's files have in `dist/`: `patchbay.js` and `patchbay_bg.wasm`.
const NAME: &str = "patchbay";

/// What of the files in `frontend/` itself goes into the page as it is, along with all of `frontend/assets/`.
const STATIC: [&str; 3] = ["html", "js", "css"];

/// The look of charts, which exported reports have too and which therefore does not lie in `frontend/`.
const CHART_STYLE: &str = "contracts/src/chart/chart.css";

/// Brings `dist/` up to date. Does nothing when nothing that goes into it has changed.
pub fn build() -> Outcome {
    let dist = root().join("dist");
    let stamp = target().join("wasm").join("dist.stamp");
    let inputs = fingerprint(&inputs()?)?;
    let complete = dist.join(format!("{NAME}_bg.wasm")).is_file() && dist.join("index.html").is_file();
    if complete && fs::read_to_string(&stamp).is_ok_and(|built_from| built_from == inputs) {
        return Ok(());
    }
    timed("building the page", || {
        let module = wasm::compile()?;
        let staging = target().join("wasm").join("page");
        let _ = fs::remove_dir_all(&staging);
        bind(&module, &staging)?;
        shrink(&staging.join(format!("{NAME}_bg.wasm")))?;
        collect_static(&staging)?;
        publish(&staging, &dist)?;
        write_if_changed(&stamp, inputs.as_bytes()).map(|_| ())
    })
}

/// All that the page is made from, and what makes it.
fn inputs() -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in ["frontend", "contracts", "xtask"] {
        files.extend(files_under(&root().join(folder))?);
    }
    files.extend(["Cargo.toml", "Cargo.lock"].map(|name| root().join(name)));
    Ok(files)
}

/// Writes the script through which the browser and the module call each other.
fn bind(module: &Path, folder: &Path) -> Outcome {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name(NAME).typescript(false);
    bindgen.remove_name_section(true).remove_producers_section(true);
    let generated = bindgen.web(true).and_then(|bindgen| bindgen.generate(folder));
    generated.map_err(|error| {
        Failure::cannot(format!(
            "wasm-bindgen could not process the page: {error:#}. Its version in xtask/Cargo.toml and the one of \
             `wasm-bindgen` in Cargo.lock have to be the same."
        ))
    })
}

/// Runs wasm-opt over the module where there is one that understands it. The page works without, so nothing fails here.
fn shrink(module: &Path) -> Outcome {
    let Some(program) = find("wasm-opt") else { return Ok(()) };
    let smaller = module.with_extension("opt");
    let features = ["--enable-bulk-memory", "--enable-reference-types", "--enable-sign-ext", "--enable-mutable-globals"];
    let mut command = Command::new(program);
    command.arg("-Oz").args(features).arg("--enable-nontrapping-float-to-int");
    command.arg(module).arg("-o").arg(&smaller).stdout(Stdio::null()).stderr(Stdio::null());
    let size = |path: &Path| fs::metadata(path).map(|file| file.len() / 1024).unwrap_or(0);
    if command.status().is_ok_and(|status| status.success()) && size(&smaller) > 0 {
        say(&format!("wasm-opt: {} KiB became {} KiB", size(module), size(&smaller)));
        return fs::rename(&smaller, module).about(|| format!("rename {}", smaller.display()));
    }
    say("this machine's wasm-opt can't read the module, so the page stays as the compiler made it");
    let _ = fs::remove_file(&smaller);
    Ok(())
}

fn collect_static(staging: &Path) -> Outcome {
    let frontend = root().join("frontend");
    let is_static = |file: &PathBuf| {
        let ending = file.extension().and_then(|ending| ending.to_str());
        file.starts_with(frontend.join("assets"))
            || file.parent() == Some(&frontend) && ending.is_some_and(|ending| STATIC.contains(&ending))
    };
    for file in files_under(&frontend)?.iter().filter(|file| is_static(file)) {
        let place = staging.join(file.strip_prefix(&frontend).unwrap_or(file));
        let content = fs::read(file).about(|| format!("read {}", file.display()))?;
        write_if_changed(&place, &content)?;
    }
    let content = fs::read(root().join(CHART_STYLE)).about(|| format!("read {CHART_STYLE}"))?;
    write_if_changed(&staging.join("chart.css"), &content).map(|_| ())
}

/// Moves over what differs and takes away what is no longer made, so that only a changed page is embedded anew.
fn publish(staging: &Path, dist: &Path) -> Outcome {
    let mut kept = HashSet::new();
    for file in files_under(staging)? {
        let place = dist.join(file.strip_prefix(staging).unwrap_or(&file));
        let content = fs::read(&file).about(|| format!("read {}", file.display()))?;
        write_if_changed(&place, &content)?;
        kept.insert(place);
    }
    for old in files_under(dist)?.into_iter().filter(|file| !kept.contains(file)) {
        fs::remove_file(&old).about(|| format!("remove {}", old.display()))?;
    }
    Ok(())
}

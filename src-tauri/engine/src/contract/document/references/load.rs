//! Other documents, read where that is allowed.

use std::{
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use patchbay_contracts::{Code, Problem};
use percent_encoding::percent_decode_str;
use url::Url;

use super::{Bundling, MAX_DOCUMENTS, MAX_TOTAL};
use crate::{
    Result,
    contract::document::{Base, Document, open},
    http::Context,
};

/// What tells a document from others.
pub(super) fn key_of(base: &Base) -> Option<String> {
    match base {
        Base::File { file, .. } => Some(file.to_string_lossy().into_owned()),
        Base::Address(url) => Some(without_fragment(url.clone()).to_string()),
        Base::Nowhere => None,
    }
}

fn without_fragment(mut url: Url) -> Url {
    url.set_fragment(None);
    url
}

impl Bundling {
    /// The number of the document that a reference without its fragment leads to; it is read if it wasn't yet.
    pub(super) async fn document(&mut self, context: &Context, from: &Document, target: &str, shown: &str) -> Result<usize> {
        let base = base_of(from, target, shown)?;
        let Some(key) = key_of(&base) else { return Err(Problem::internal("a document that comes from nowhere")) };
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let read = self.read(context, from, base, shown).await;
        self.known.insert(key, read.clone());
        read
    }

    async fn read(&mut self, context: &Context, from: &Document, base: Base, shown: &str) -> Result<usize> {
        let number = self.documents.len();
        if number > MAX_DOCUMENTS {
            return Err(Problem::new(Code::TooLarge, "The contract refers to more documents than are read")
                .why(format!("at most {MAX_DOCUMENTS} are"))
                .next("Refer to fewer files"));
        }
        let (file, bytes) = match &base {
            Base::File { file, within } => {
                let file_shown = shown_as(from, file, within);
                let (bytes, _) = open::read_file(file, &file_shown).map_err(|problem| leads_nowhere(shown, &problem))?;
                (file_shown, bytes)
            }
            Base::Address(url) => {
                let text = open::fetch_text(context, url).await.map_err(|problem| Problem {
                    what: format!("The reference `{shown}` leads nowhere"),
                    why: problem.to_string(),
                    ..problem
                })?;
                (context.secrets.redactor().text(url.as_str()), text.into_bytes())
            }
            Base::Nowhere => return Err(Problem::internal("a document that comes from nowhere")),
        };
        self.bytes += bytes.len();
        if self.bytes > MAX_TOTAL {
            return Err(Problem::new(Code::TooLarge, "The documents that the contract refers to are too large")
                .why(format!("at most {} MiB are read", MAX_TOTAL >> 20))
                .next("Refer to fewer or smaller files"));
        }
        let document = Document::parse(&file, &bytes).map_err(|problem| Problem {
            what: format!("The reference `{shown}` leads to what can't be read"),
            why: problem.to_string(),
            next: String::new(),
            ..problem
        })?;
        self.documents.push(Arc::new(Document { base, fetch: from.fetch, ..document }));
        Ok(number)
    }
}

/// Where a document stands that a reference without its fragment leads to, if it may be read.
fn base_of(from: &Document, target: &str, shown: &str) -> Result<Base> {
    let whole = Url::parse(target).ok().filter(|url| url.scheme().len() > 1);
    let address = match (&from.base, whole) {
        (_, Some(url)) => Some(url),
        (Base::Address(base), None) => {
            Some(base.join(target).map_err(|error| refused(shown, &error.to_string()).next("Correct the reference"))?)
        }
        _ => None,
    };
    if let Some(url) = address {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refused(shown, "only files and addresses with http and https can be read")
                .next("Save it as a file beside the contract"));
        }
        if !from.fetch {
            return Err(refused(shown, "it leads to another address, and none is fetched unless that is asked for")
                .next("Allow it with --fetch, or save it as a file beside the contract"));
        }
        return Ok(Base::Address(without_fragment(url)));
    }
    let Base::File { file, within } = &from.base else {
        return Err(refused(shown, "the contract lies in no folder, so that no file can be found")
            .next("Save the contract as a file, or write out what it refers to"));
    };
    let path = percent_decode_str(target).decode_utf8_lossy().into_owned();
    let path = file.parent().unwrap_or(within).join(path.split('?').next().unwrap_or_default());
    Ok(Base::File { file: allowed(&path, within, shown)?, within: within.clone() })
}

/// A file that a reference leads to, links resolved, if it lies in the folder.
pub(in crate::contract) fn allowed(path: &Path, within: &Path, shown: &str) -> Result<PathBuf> {
    let outside =
        || refused(shown, "it leads to a file outside of the folder").next("Put the file below the folder of the contract");
    // What lies outside is refused before anybody can learn whether it is there.
    if !plainly(path).starts_with(within) {
        return Err(outside());
    }
    let found = path.canonicalize().map_err(|error| {
        Problem::new(Code::InvalidDefinition, format!("The reference `{shown}` leads nowhere"))
            .why(format!("the file can't be read: {error}"))
            .next("The path is relative to the file that holds the reference")
    })?;
    if found.starts_with(within) { Ok(found) } else { Err(outside()) }
}

/// A path without `.` and `..`, links not followed.
fn plainly(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// A file as it is shown: beside the document that refers to it.
pub(in crate::contract) fn shown_as(from: &Document, file: &Path, within: &Path) -> String {
    let relative = |path: &Path| path.strip_prefix(within).unwrap_or(path).to_string_lossy().replace('\\', "/");
    let Base::File { file: own, .. } = &from.base else { return relative(file) };
    // What stands before the folder in the document's own name stands there in the other one's.
    match from.file.strip_suffix(&relative(own)) {
        Some(before) => format!("{before}{}", relative(file)),
        None => relative(file),
    }
}

pub(in crate::contract) fn refused(shown: &str, why: &str) -> Problem {
    Problem::new(Code::InvalidDefinition, format!("The reference `{shown}` is refused")).why(why)
}

fn leads_nowhere(shown: &str, problem: &Problem) -> Problem {
    Problem::new(problem.code, format!("The reference `{shown}` leads nowhere"))
        .why(if problem.why.is_empty() { problem.what.clone() } else { problem.why.clone() })
        .next("The path is relative to the file that holds the reference")
}

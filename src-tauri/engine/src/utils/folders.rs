//! The files of a folder.

use std::path::{Path, PathBuf};

use patchbay_contracts::{Code, Problem};

use crate::Result;

/// How deep folders are looked through.
const DEEPEST: usize = 16;

/// Which files of a folder are meant.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// The endings of their names, in lower case and without the dot.
    pub endings: &'static [&'static str],
    /// What they are, as in "has no files with messages".
    pub what: &'static str,
    /// The most of them.
    pub most: usize,
}

/// The files of a path: itself, or all that are wanted in a folder and the folders below it, by name. Files whose names
/// begin with a dot, and links, are left out of folders.
///
/// # Errors
/// [`Code::NotFound`] or [`Code::InvalidInput`] where there is nothing, and [`Code::TooLarge`] beyond the most.
pub fn files(path: &Path, wanted: Wanted) -> Result<Vec<PathBuf>> {
    let Wanted { endings, what, most } = wanted;
    let cannot = |path: &Path, error: std::io::Error| {
        let code = if error.kind() == std::io::ErrorKind::NotFound { Code::NotFound } else { Code::InvalidInput };
        Problem::new(code, format!("`{}` can't be read", path.display())).why(error.to_string())
    };
    if !path.metadata().map_err(|error| cannot(path, error))?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let meant = |path: &Path| {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        ending.is_some_and(|ending| endings.contains(&ending.as_str()))
    };
    let mut found = Vec::new();
    let mut folders = vec![(path.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| cannot(&folder, error))? {
            let entry = entry.map_err(|error| cannot(&folder, error))?;
            let kind = entry.file_type().map_err(|error| cannot(&folder, error))?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if kind.is_dir() && depth < DEEPEST {
                folders.push((entry.path(), depth + 1));
            } else if kind.is_file() && meant(&entry.path()) {
                found.push(entry.path());
            }
            if found.len() > most {
                return Err(Problem::new(Code::TooLarge, format!("`{}` has more than {most} files", path.display()))
                    .next("Name folders below it, one after the other"));
            }
        }
    }
    if found.is_empty() {
        return Err(Problem::new(Code::InvalidInput, format!("`{}` has no files with {what}", path.display()))
            .why(format!("looked for names that end in .{}", endings.join(", ."))));
    }
    found.sort();
    Ok(found)
}

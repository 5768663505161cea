//! What secures connections: files are named by their paths, and the key is a secret.

use patchbay_contracts::integration::secret_of;
use serde_json::Value;

use super::Rules;
use crate::{
    definition::references::{Reference, references},
    secrets::valid_name,
};

impl Rules<'_> {
    pub(super) fn tls(&mut self) {
        let Some(tls) = self.value.pointer("/integration/tls").and_then(Value::as_object) else { return };
        for field in ["ca", "certificate"] {
            if let Some(Value::String(path)) = tls.get(field) {
                self.pem_file(field, path);
            }
        }
        if let Some(Value::String(text)) = tls.get("key") {
            self.key(text);
        }
        // Where a word is unknown, it may be the one that would seem to be missing.
        if tls.keys().any(|field| !matches!(field.as_str(), "ca" | "certificate" | "key")) {
            return;
        }
        let written = |field: &str| tls.get(field).is_some_and(|value| !value.is_null());
        match (written("certificate"), written("key")) {
            (true, false) => self.report(
                "/integration/tls/certificate",
                "A client certificate has no key",
                "\"key\" is missing, and without it nobody can show that the certificate is theirs",
                format!(
                    "Run `patchbay secret set {name} < client.key` and add key: \"${{secret:{name}}}\"",
                    name = self.key_name()
                ),
            ),
            (false, true) => self.report(
                "/integration/tls/key",
                "A key has no certificate",
                "\"certificate\" is missing, and a service is shown the certificate, never the key",
                "Add certificate: client.pem, the file with the certificate that belongs to the key",
            ),
            _ => {}
        }
    }

    fn pem_file(&mut self, field: &str, path: &str) {
        let pointer = format!("/integration/tls/{field}");
        let path = path.trim();
        if path.is_empty() {
            self.report(&pointer, format!("\"{field}\" names no file"), "expected the path of a file in PEM", "");
        } else if path.contains("-----BEGIN") {
            self.report(
                &pointer,
                format!("\"{field}\" names no file"),
                "found what stands in one; expected its path, relative to this file",
                format!("Write it into a file of its own, and its path here: {field}: certs/{field}.pem"),
            );
        } else if !references(path).found.is_empty() {
            self.report(
                &pointer,
                format!("\"{field}\" can't hold a reference"),
                "it is the path of a file, as it stands",
                "Write the path out, relative to this file",
            );
        }
    }

    /// The key is one reference to a secret; whatever else stands there is not repeated.
    fn key(&mut self, text: &str) {
        if let Some(name) = secret_of(text) {
            if let Err(problem) = valid_name(name) {
                self.adopt("/integration/tls/key", problem);
            }
            return;
        }
        let found = references(text).found;
        let what = if text.contains("-----BEGIN") {
            "the key itself"
        } else if found.iter().any(|one| matches!(one, Reference::Environment(_))) {
            "a variable of the environment, which lies in a file"
        } else if found.iter().any(|one| matches!(one, Reference::Secret(_))) {
            "more than one reference to a secret"
        } else if found.iter().any(|one| matches!(one, Reference::Captured(_))) {
            "a value that a service gave"
        } else {
            "a path, or a key in plain"
        };
        let name = self.key_name();
        self.report(
            "/integration/tls/key",
            "A private key must not stand in the file, nor in one beside it",
            format!("found {what}; files are shared, and credentials lie in the keychain"),
            format!("Run `patchbay secret set {name} --host HOST < client.key` and write \"${{secret:{name}}}\" here"),
        );
    }

    /// What the key's secret would be called.
    fn key_name(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
        let stem: String = self.name.chars().map(plain).take(50).collect();
        if stem.is_empty() { "client-key".to_owned() } else { format!("{stem}-client-key") }
    }
}

//! Credentials must not stand in a file, wherever one can be written.

use serde_json::Value;

use super::{Rules, Seen, escape};
use crate::definition::{
    check::holds_secret,
    references::{Reference, references},
    syntax::short,
};

impl<'a> Rules<'a> {
    pub(super) fn credentials(&mut self, endpoints: &[Seen<'a>]) {
        self.auth("/integration/auth");
        self.auth("/integration/metrics/auth");
        self.headers("/integration/headers");
        for endpoint in endpoints {
            self.auth(&format!("{}/auth", endpoint.pointer));
            self.headers(&format!("{}/headers", endpoint.pointer));
            self.headers(&format!("{}/query", endpoint.pointer));
        }
    }

    fn auth(&mut self, pointer: &str) {
        for (field, secret) in [("token", "token"), ("password", "password"), ("value", "api-key")] {
            let place = format!("{pointer}/{field}");
            match self.value.pointer(&place) {
                // Some services take the key as the user and no password at all.
                Some(Value::String(text)) if text.is_empty() && field == "password" => {}
                Some(Value::String(text)) if !names_secret(text) => {
                    let what = if references(text).found.iter().any(|found| matches!(found, Reference::Environment(_))) {
                        "a variable of the environment, which lies in a file"
                    } else {
                        "a credential in plain"
                    };
                    self.plain_credential(&place, what, secret);
                }
                Some(Value::Number(_)) => self.plain_credential(&place, "a credential in plain", secret),
                _ => {}
            }
        }
    }

    fn headers(&mut self, pointer: &str) {
        let fields = self.value.pointer(pointer).and_then(Value::as_object);
        for (name, value) in fields.into_iter().flatten() {
            let place = format!("{pointer}/{}", escape(name));
            let credential = holds_secret(name) && !name.eq_ignore_ascii_case("cookie");
            match value {
                Value::String(text) if credential && !text.is_empty() && !names_secret(text) => {
                    let secret = if name.to_ascii_lowercase().contains("key") { "api-key" } else { "token" };
                    self.plain_credential(&place, "a credential in plain", secret);
                }
                _ => {}
            }
            let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
            if pointer.ends_with("/headers") && (name.is_empty() || !name.chars().all(token)) {
                let what = format!("\"{}\" can't be the name of a header", short(name));
                self.report(&place, what, "letters, digits and `-` are allowed", "");
            }
        }
    }

    pub(super) fn plain_credential(&mut self, pointer: &str, found: &str, secret: &str) {
        let base: String =
            self.name.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }).collect();
        let name = if base.is_empty() { secret.to_owned() } else { format!("{base}-{secret}") };
        self.report(
            pointer,
            "A credential must not stand in the file",
            format!("found {found}; files are shared, and credentials lie in the keychain"),
            format!("Run `patchbay secret set {name}` and write \"${{secret:{name}}}\" here"),
        );
    }
}

/// Whether a text takes its credential from the keychain, or from the answer of an earlier endpoint.
fn names_secret(text: &str) -> bool {
    references(text).found.iter().any(|found| matches!(found, Reference::Secret(_) | Reference::Captured(_)))
}

//! The `${…}` of a text, for checking; they are filled in where a request is sent.

/// What a `${…}` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `${env:NAME}`
    Environment(String),
    /// `${secret:NAME}`
    Secret(String),
    /// `${NAME}`
    Captured(String),
    /// `${kind:…}` of no known kind.
    Unknown(String),
    /// `${` without its end.
    Unclosed,
}

/// All references of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct References {
    /// In their order.
    pub found: Vec<Reference>,
    /// The text around them: one more than there are references.
    between: Vec<String>,
}

impl References {
    /// The text with `value` in the place of each reference.
    pub fn filled(&self, value: &str) -> String {
        self.between.join(value)
    }
}

/// The references of a text; `$${` stands for the characters `${` themselves.
pub fn references(text: &str) -> References {
    let mut all = References { found: Vec::new(), between: vec![String::new()] };
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let literal = rest[..at].ends_with('$');
        let last = all.between.len() - 1;
        if literal {
            all.between[last].push_str(&rest[..at - 1]);
            all.between[last].push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        all.between[last].push_str(&rest[..at]);
        let inner = &rest[at + 2..];
        let Some(close) = inner.find('}') else {
            all.found.push(Reference::Unclosed);
            all.between.push(String::new());
            return all;
        };
        let asked = &inner[..close];
        all.found.push(match asked.split_once(':') {
            Some(("env", name)) => Reference::Environment(name.trim().to_owned()),
            Some(("secret", name)) => Reference::Secret(name.trim().to_owned()),
            Some((kind, _)) => Reference::Unknown(kind.to_owned()),
            None => Reference::Captured(asked.trim().to_owned()),
        });
        all.between.push(String::new());
        rest = &inner[close + 1..];
    }
    let last = all.between.len() - 1;
    all.between[last].push_str(rest);
    all
}

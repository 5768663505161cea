//! Which interactions and which checks a person asked for.

use patchbay_contracts::{
    contract::{Check, CheckResult, ContractOptions, Severity},
    run::Verdict,
};

/// What `--only`, `--skip` and `--warn` come to.
pub(super) struct Selection<'a> {
    options: &'a ContractOptions,
}

impl<'a> Selection<'a> {
    pub(super) const fn of(options: &'a ContractOptions) -> Self {
        Self { options }
    }

    /// Whether anything is left out.
    pub(super) fn narrows(&self) -> bool {
        !self.options.only.is_empty() || !self.options.skip.is_empty() || !self.options.pact.consumers.is_empty()
    }

    /// Whether an interaction is judged.
    pub(super) fn takes(&self, label: &str) -> bool {
        let named = |names: &[String]| names.iter().filter(|name| Check::named(name).is_none()).cloned().collect::<Vec<_>>();
        let (only, skip) = (named(&self.options.only), named(&self.options.skip));
        let wanted = only.is_empty() || only.iter().any(|pattern| matches(pattern, label));
        wanted && !skip.iter().any(|pattern| matches(pattern, label))
    }

    /// Leaves the checks that are judged, with the weight that they have. An interaction of which nothing is left is one
    /// that nobody asked about, so what could not be judged at all always stays.
    pub(super) fn apply(&self, checks: &mut Vec<CheckResult>) {
        let named = |names: &[String]| names.iter().filter_map(|name| Check::named(name)).collect::<Vec<_>>();
        let (only, skip, warn) = (named(&self.options.only), named(&self.options.skip), named(&self.options.warn));
        checks.retain(|check| {
            let wanted = only.is_empty() || only.contains(&check.check);
            check.verdict == Verdict::Inconclusive || wanted && !skip.contains(&check.check)
        });
        for check in checks.iter_mut().filter(|check| warn.contains(&check.check)) {
            check.severity = Severity::Warning;
        }
    }
}

/// Whether a text is as a pattern says, with `*` for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

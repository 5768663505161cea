//! The known word that a mistyped one was most likely meant to be.

/// The candidate that is nearest to `word`, where one is near enough to be worth suggesting.
///
/// Nearness is the Damerau-Levenshtein distance (a swap of neighbours counts once) without regard to case. One edit in
/// three characters is allowed, and one always; among equals the first candidate wins.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A distance costs the product of both lengths; nobody mistypes a word of this size.
    const LONGEST: usize = 200;
    let wanted = word.to_lowercase();
    if wanted.is_empty() || wanted.len() > LONGEST {
        return None;
    }
    let allowed = (wanted.chars().count() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates.into_iter().filter(|candidate| candidate.len() <= LONGEST) {
        let distance = strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase());
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

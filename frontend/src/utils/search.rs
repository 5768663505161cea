//! Finding an entry of the palette by a few of its letters.

/// What a letter is worth that follows the one before without a gap: more than the start of a word, so that the name
/// itself goes before names that only begin with its letters.
const RUN: i32 = 8;

/// How well `query` names `text`: its letters in order, more for those at the start of a word and for runs of them.
/// `None` where a letter is missing. Case and spaces of the query don't count.
pub fn score(query: &str, text: &str) -> Option<i32> {
    let wanted: Vec<char> = query.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    if wanted.is_empty() {
        return Some(0);
    }
    let letters: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let starts_word = |at: usize| at == 0 || !letters[at - 1].is_alphanumeric();
    // best[j]: the best score of the letters so far with the last of them standing at j.
    let mut best: Vec<Option<i32>> = vec![None; letters.len()];
    for (nth, letter) in wanted.iter().enumerate() {
        let mut next = vec![None; letters.len()];
        let mut before: Option<i32> = None;
        for at in 0..letters.len() {
            if letters[at] == *letter {
                let own = if starts_word(at) { 8 } else { 1 };
                let adjacent = at.checked_sub(1).and_then(|previous| best[previous]).map(|sum| sum + own + RUN);
                let apart = if nth == 0 { Some(own) } else { before.map(|sum| sum + own) };
                next[at] = adjacent.max(apart);
            }
            before = before.max(best[at]);
        }
        best = next;
    }
    // Among equals the shorter text is meant.
    best.into_iter().flatten().max().map(|sum| sum * 100 - i32::try_from(letters.len()).unwrap_or(99).min(99))
}

/// The positions in `texts` of those that `query` names, best first; all of them in their order without a query.
pub fn filter<'a>(query: &str, texts: impl IntoIterator<Item = &'a str>) -> Vec<usize> {
    let mut found: Vec<(i32, usize)> =
        texts.into_iter().enumerate().filter_map(|(at, text)| score(query, text).map(|score| (score, at))).collect();
    if !query.trim().is_empty() {
        found.sort_by_key(|(score, at)| (-score, *at));
    }
    found.into_iter().map(|(_, at)| at).collect()
}

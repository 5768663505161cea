//! What a key means in the whole window. Fields and lists have keys of their own besides.

use crate::route::Route;

/// The sections in the order of the sidebar, each with its letter behind `g`; Alt and a digit count them.
pub static SECTIONS: [(Route, char); 9] = [
    (Route::Overview, 'o'),
    (Route::Integrations, 'i'),
    (Route::Probe, 'p'),
    (Route::Contracts, 'c'),
    (Route::Load, 'l'),
    (Route::Metrics, 'm'),
    (Route::Incidents, 'n'),
    (Route::History, 'h'),
    (Route::Settings, 's'),
];

/// A key that was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stroke<'a> {
    /// Its name, as `KeyboardEvent.key` has it.
    pub key: &'a str,
    /// Whether Control, or Command on a Mac, was held.
    pub ctrl: bool,
    /// Whether Alt was held.
    pub alt: bool,
    /// Whether the focus is on something that takes letters.
    pub typing: bool,
    /// Whether `g` was pressed just before.
    pub after_g: bool,
}

/// What a key means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// Open the palette.
    Palette,
    /// Show the keys.
    Keys,
    /// Go to a place.
    Go(Route),
    /// Where one was before.
    Back,
    /// Close what is open; else leave the field; else one level up.
    Escape,
    /// The next letter names a section.
    Prefix,
    /// Put the cursor into the page's filter.
    Filter,
    /// Nothing here.
    Nothing,
}

/// What a key means.
pub fn meaning(stroke: Stroke<'_>) -> Meaning {
    let Stroke { key, ctrl, alt, typing, after_g } = stroke;
    match key {
        "k" | "K" if ctrl && !alt => return Meaning::Palette,
        "Escape" => return Meaning::Escape,
        "ArrowLeft" if alt && !ctrl => return Meaning::Back,
        _ => {}
    }
    let mut letters = key.chars();
    let (Some(letter), None, false) = (letters.next(), letters.next(), ctrl) else { return Meaning::Nothing };
    if alt {
        let nth = letter.to_digit(10).and_then(|digit| digit.checked_sub(1));
        let section = nth.and_then(|nth| SECTIONS.get(nth as usize));
        return section.map_or(Meaning::Nothing, |(route, _)| Meaning::Go(route.clone()));
    }
    if typing {
        return Meaning::Nothing;
    }
    if after_g {
        let section = SECTIONS.iter().find(|(_, own)| own.eq_ignore_ascii_case(&letter));
        return section.map_or(Meaning::Nothing, |(route, _)| Meaning::Go(route.clone()));
    }
    match letter {
        'g' => Meaning::Prefix,
        '?' => Meaning::Keys,
        'a' => Meaning::Go(Route::Add),
        '/' => Meaning::Filter,
        _ => Meaning::Nothing,
    }
}

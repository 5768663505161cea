//! Rules that the page's sources must keep: the names for tests, the policy against inline styles and markup, contrast.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use regex::Regex;

fn frontend() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../frontend")
}

/// The sources below a folder with an ending, each with its path.
fn sources(folder: &Path, ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is part of the repository").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path, ending));
        } else if path.extension().is_some_and(|own| own == ending) {
            let text = std::fs::read_to_string(&path).expect("sources are text");
            found.push((path, text));
        }
    }
    found
}

#[test]
fn every_name_for_tests_is_listed() {
    let app = std::fs::read_to_string(frontend().join("src/app.rs")).expect("the application is there");
    let listed: Vec<&str> = app.lines().take_while(|line| line.starts_with("//!")).collect();
    let list = listed.join("\n");
    let name =
        Regex::new(r#"\b(?:data-)?test="([a-z0-9-]+)"|"([a-z0-9-]+)"\.into\(\)\)\]\s*\n\s*pub test:"#).expect("it is a pattern");
    let mut missing = Vec::new();
    let mut seen = 0;
    for (path, text) in sources(&frontend().join("src"), "rs") {
        for found in name.captures_iter(&text).filter_map(|captures| captures.get(1).or(captures.get(2))) {
            seen += 1;
            // A control with several values has a name for each, such as `range-1h`, and is listed by one of them.
            if !list.contains(&format!("`{}`", found.as_str())) && !list.contains(&format!("`{}-", found.as_str())) {
                missing.push(format!("{} in {}", found.as_str(), path.display()));
            }
        }
    }
    assert!(seen > 100, "the pattern finds the names; it found {seen}");
    assert!(missing.is_empty(), "names that the top of frontend/src/app.rs does not list:\n{}", missing.join("\n"));
}

#[test]
fn nothing_becomes_markup_or_an_inline_style() {
    let bad =
        Regex::new(r#"\bstyle=|from_html_unchecked|set_inner_html|set_outer_html|insert_adjacent_html|document\.write|\beval\("#);
    let bad = bad.expect("it is a pattern");
    for (path, text) in sources(&frontend().join("src"), "rs") {
        if let Some(found) = bad.find(&text) {
            panic!(
                "{} has `{}`, which the content security policy or the rule about untrusted text forbids",
                path.display(),
                found.as_str()
            );
        }
    }
    let page = std::fs::read_to_string(frontend().join("index.html")).expect("the page is there");
    assert!(!page.contains("style=") && !page.contains("<style") && !page.contains("//cdn"), "the page itself is plain");
}

#[test]
fn styles_come_from_the_program_alone() {
    for (path, text) in sources(&frontend(), "css") {
        for foreign in ["http:", "https:", "url(//"] {
            assert!(!text.contains(foreign), "{} names {foreign}", path.display());
        }
    }
}

/// The light and the dark value of each token that is a colour.
fn tokens() -> BTreeMap<String, [u32; 2]> {
    let style = std::fs::read_to_string(frontend().join("style.css")).expect("the tokens are there");
    let token = Regex::new(r"--([a-z0-9-]+): light-dark\(#([0-9a-f]{6}), #([0-9a-f]{6})\)").expect("it is a pattern");
    let colour = |text: &str| u32::from_str_radix(text, 16).expect("six hexadecimal digits");
    token.captures_iter(&style).map(|c| (c[1].to_owned(), [colour(&c[2]), colour(&c[3])])).collect()
}

/// Contrast of two colours, by WCAG 2.2.
fn contrast(a: u32, b: u32) -> f64 {
    let luminance = |colour: u32| {
        let linear = |shift: u32| {
            let value = f64::from(colour >> shift & 0xff) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(16) + 0.7152 * linear(8) + 0.0722 * linear(0)
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn text_and_controls_stand_out_in_both_themes() {
    assert!(
        (contrast(0xffffff, 0x000000) - 21.0).abs() < 1e-9 && (contrast(0x777777, 0xffffff) - 4.478).abs() < 1e-3,
        "the formula"
    );
    let tokens = tokens();
    let colour = |name: &str, theme: usize| tokens.get(name).unwrap_or_else(|| panic!("there is no token --{name}"))[theme];
    let mut weak = Vec::new();
    let mut check = |front: &str, back: &str, least: f64| {
        for (theme, word) in ["light", "dark"].into_iter().enumerate() {
            let ratio = contrast(colour(front, theme), colour(back, theme));
            if ratio < least {
                weak.push(format!("--{front} on --{back}, {word}: {ratio:.2} of {least}"));
            }
        }
    };
    for back in ["surface", "ground"] {
        for front in ["text", "text-muted", "accent", "good", "warn", "bad"] {
            check(front, back, 4.5);
        }
        check("border-strong", back, 3.0);
    }
    for front in ["text", "text-muted", "accent"] {
        check(front, "accent-soft", 4.5);
    }
    for (front, back) in
        [("good", "good-soft"), ("warn", "warn-soft"), ("bad", "bad-soft"), ("text", "bad-soft"), ("text", "warn-soft")]
    {
        check(front, back, 4.5);
    }
    check("on-accent", "accent", 4.5);
    for line in ["chart-p50", "chart-p99", "chart-1", "chart-2", "chart-3", "chart-4", "chart-5"] {
        check(line, "surface", 2.5);
    }
    assert!(weak.is_empty(), "{}", weak.join("\n"));
}

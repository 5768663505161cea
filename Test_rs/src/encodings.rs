//! The ways in which a service may write a value that it was sent.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rand::{Rng, RngExt, rngs::StdRng};

/// A value as it was written.
pub struct Written {
    /// The whole.
    pub text: String,
    /// How many bytes of something else stand before and after the value within the same base64; none for other ways.
    pub beside: Option<(usize, usize)>,
}

/// How many characters of base64 before and after a value hold no bit of it.
pub fn untouched(before: usize, value: usize, after: usize) -> (usize, usize) {
    (before * 8 / 6, ((before + value + after) * 8).div_ceil(6) - ((before + value) * 8).div_ceil(6))
}

/// Writes a value in one of the ways, by chance, and that in another one for every layer but the first.
pub fn write(dice: &mut StdRng, value: &str, layers: usize) -> Written {
    let mut written = match dice.random_range(0..3) {
        0 => {
            let (before, after) = (filler(dice), filler(dice));
            let whole = format!("{before}{value}{after}");
            let text = if dice.random_bool(0.5) { STANDARD.encode(whole) } else { URL_SAFE_NO_PAD.encode(whole) };
            Written { text, beside: Some((before.len(), after.len())) }
        }
        _ => Written { text: escape(dice, value), beside: None },
    };
    for _ in 1..layers {
        written.text = escape(dice, &written.text);
    }
    written
}

fn escape(dice: &mut StdRng, value: &str) -> String {
    match dice.random_range(0..5) {
        0 => percent(dice, value),
        1 => form(dice, value),
        2 => json(dice, value),
        3 => html(dice, value),
        _ => value.to_owned(),
    }
}

/// Harmless text of some length.
pub fn filler(dice: &mut StdRng) -> String {
    (0..dice.random_range(0..12)).map(|_| char::from(dice.random_range(b'a'..=b'z'))).collect()
}

/// A value such as a person or a generator makes up, with all that needs an escape somewhere.
pub fn value(dice: &mut StdRng) -> String {
    const ODD: [char; 26] = [
        ' ', '+', '/', '=', '%', '&', '<', '>', '"', '\'', '\\', '\n', '\t', '$', '{', '}', '#', '?', ':', '@', ';', '~', 'ü',
        '€', '🦀', '\u{1}',
    ];
    let length = dice.random_range(5..40);
    let mut value: String = (0..length)
        .map(|_| match dice.random_range(0..3) {
            0 => ODD[dice.random_range(0..ODD.len())],
            _ => char::from(dice.random_range(b'0'..=b'z')),
        })
        .collect();
    // A value of nothing but white space would be found everywhere.
    value.push_str("Kq7");
    value
}

fn percent(dice: &mut StdRng, value: &str) -> String {
    let all = dice.random_bool(0.3);
    let some = dice.random_range(0..3) == 0;
    let mut out = String::new();
    for byte in value.bytes() {
        let safe = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if safe && !all && !(some && dice.random_bool(0.5)) {
            out.push(char::from(byte));
        } else if dice.random_bool(0.5) {
            out.push_str(&format!("%{byte:02X}"));
        } else {
            out.push_str(&format!("%{byte:02x}"));
        }
    }
    out
}

fn form(dice: &mut StdRng, value: &str) -> String {
    value.split(' ').map(|part| percent(dice, part)).collect::<Vec<_>>().join("+")
}

fn json(dice: &mut StdRng, value: &str) -> String {
    let ascii = dice.random_bool(0.5);
    let mut out = String::new();
    for c in value.chars() {
        let needs = c.is_control() || matches!(c, '"' | '\\');
        let may = matches!(c, '/' | '<' | '>' | '&') && dice.random_bool(0.5) || dice.random_bool(0.05);
        if c == '\n' && dice.random_bool(0.5) {
            out.push_str("\\n");
        } else if c == '/' && dice.random_bool(0.5) {
            out.push_str("\\/");
        } else if (c == '"' || c == '\\') && dice.random_bool(0.7) {
            out.push('\\');
            out.push(c);
        } else if needs || may || ascii && !c.is_ascii() {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&if dice.random_bool(0.5) { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") });
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn html(dice: &mut StdRng, value: &str) -> String {
    let mut out = String::new();
    for c in value.chars() {
        match c {
            '&' => out.push_str(["&amp;", "&#38;", "&#x26;"][dice.random_range(0..3)]),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str(["&quot;", "&#34;"][dice.random_range(0..2)]),
            '\'' => out.push_str(["&#39;", "&apos;", "&#x27;"][dice.random_range(0..3)]),
            c if dice.random_bool(0.05) || !c.is_ascii() && dice.random_bool(0.5) => {
                out.push_str(&format!("&#{};", u32::from(c)))
            }
            c => out.push(c),
        }
    }
    out
}

/// Text of so many bytes that looks like a large answer of a service, escapes included.
pub fn body(dice: &mut StdRng, bytes: usize) -> String {
    let mut out = String::from("[");
    while out.len() < bytes {
        let id = dice.next_u64();
        out.push_str(&format!(
            r#"{{"id":"{id:x}","next":"https:\/\/example.com\/orders?after=a%20b%2F{id}&size=1","note":"a \"quoted\" line\n","html":"&lt;b&gt;"}},"#
        ));
    }
    out.push_str("{}]");
    out
}

//! A drawing as the text of an SVG image.

use std::fmt::Write;

use super::{Drawing, Rect, path::number};

/// The look of a chart, in classes and variables with a value for where a page sets none; light and dark.
pub const STYLE: &str = include_str!("chart.css");

/// How a drawing is written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SvgOptions {
    /// Whether [`STYLE`] stands in the image. A page with several charts has it once for all instead.
    pub style: bool,
    /// Whether the names of the series stand below the plot.
    pub legend: bool,
}

impl Default for SvgOptions {
    fn default() -> Self {
        Self { style: true, legend: true }
    }
}

/// The height of one row of the legend.
const ROW: f64 = 20.0;

/// The drawing as one `<svg>` element that needs nothing else: no script, no reference to another file, and no `id`
/// that could meet another one on its page. All texts are escaped.
pub fn svg(drawing: &Drawing, options: SvgOptions) -> String {
    let rows = if options.legend { legend_rows(drawing) } else { Vec::new() };
    let height = drawing.height + rows.len() as f64 * ROW;
    let mut text = String::with_capacity(4096);
    // Writing to a text can't fail.
    let _ = write!(
        text,
        r#"<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" viewBox="0 0 {w} {height}" width="{w}" height="{height}"><title>{}</title><desc>{}</desc>"#,
        escape(&drawing.title),
        escape(&drawing.description),
        w = drawing.width,
    );
    if options.style {
        let _ = write!(text, "<style>{STYLE}</style>");
    }
    axes(&mut text, drawing);
    marks(&mut text, drawing);
    for rule in &drawing.rules {
        let (x1, y1, x2, y2) = rule.line;
        let d = coordinates(&[x1, y1, x2, y2]);
        let at = coordinates(&[rule.text.0, rule.text.1]);
        let _ = write!(
            text,
            r#"<line class="chart-rule" x1="{}" y1="{}" x2="{}" y2="{}"/><text class="chart-label" x="{}" y="{}" text-anchor="{}">{}</text>"#,
            d[0],
            d[1],
            d[2],
            d[3],
            at[0],
            at[1],
            rule.anchor.as_str(),
            escape(&rule.label)
        );
    }
    if drawing.empty {
        let Rect { x, y, width, height } = drawing.plot;
        let at = coordinates(&[x + width / 2.0, y + height / 2.0]);
        let _ = write!(text, r#"<text class="chart-empty" x="{}" y="{}" text-anchor="middle">No values</text>"#, at[0], at[1]);
    }
    legend(&mut text, drawing, &rows);
    text.push_str("</svg>");
    text
}

fn axes(text: &mut String, drawing: &Drawing) {
    let Rect { x, y, width, height } = drawing.plot;
    let (right, bottom) = (x + width, y + height);
    for stretch in &drawing.stretches {
        let at = coordinates(&[stretch.rect.x, stretch.rect.y, stretch.rect.width, stretch.rect.height]);
        let kind = stretch.kind.as_str();
        let _ = write!(
            text,
            r#"<rect class="chart-stretch is-{kind}" x="{}" y="{}" width="{}" height="{}"><title>{kind}</title></rect>"#,
            at[0], at[1], at[2], at[3]
        );
        if !stretch.hatching.is_empty() {
            let _ = write!(text, r#"<path class="chart-hatching" d="{}"/>"#, stretch.hatching);
        }
    }
    for tick in &drawing.y_ticks {
        let at = coordinates(&[x, tick.at, right, x - 8.0, tick.at + 4.0]);
        let class = if tick.major { "chart-axis" } else { "chart-grid" };
        let _ = write!(
            text,
            r#"<line class="{class}" x1="{}" y1="{}" x2="{}" y2="{}"/><text class="chart-tick" x="{}" y="{}" text-anchor="{}">{}</text>"#,
            at[0],
            at[1],
            at[2],
            at[1],
            at[3],
            at[4],
            tick.anchor.as_str(),
            escape(&tick.label)
        );
    }
    for tick in &drawing.x_ticks {
        let at = coordinates(&[tick.at, bottom, bottom + 4.0, bottom + 17.0]);
        let class = if tick.major { "chart-tick is-major" } else { "chart-tick" };
        let _ = write!(
            text,
            r#"<line class="chart-axis" x1="{}" y1="{}" x2="{}" y2="{}"/><text class="{class}" x="{}" y="{}" text-anchor="{}">{}</text>"#,
            at[0],
            at[1],
            at[0],
            at[2],
            at[0],
            at[3],
            tick.anchor.as_str(),
            escape(&tick.label)
        );
    }
}

fn marks(text: &mut String, drawing: &Drawing) {
    for mark in &drawing.marks {
        if !mark.fill.is_empty() {
            let _ = write!(text, r#"<path class="chart-fill {}" d="{}"/>"#, mark.class, mark.fill);
        }
        if !mark.line.is_empty() {
            let _ = write!(text, r#"<path class="chart-line {}" d="{}"/>"#, mark.class, mark.line);
        }
        for (x, y) in &mark.dots {
            let at = coordinates(&[*x, *y]);
            let _ = write!(text, r#"<circle class="chart-dot {}" cx="{}" cy="{}" r="2"/>"#, mark.class, at[0], at[1]);
        }
    }
}

/// The shown entries of the legend, in rows that fit the width: a position and an index each.
fn legend_rows(drawing: &Drawing) -> Vec<Vec<(f64, usize)>> {
    let mut rows: Vec<Vec<(f64, usize)>> = Vec::new();
    let mut x = f64::INFINITY;
    for (i, entry) in drawing.legend.iter().enumerate().filter(|(_, entry)| !entry.hidden) {
        let long = entry.label.chars().count() as f64 * 6.8 + 40.0;
        if x + long > drawing.width {
            rows.push(Vec::new());
            x = drawing.plot.x;
        }
        if let Some(row) = rows.last_mut() {
            row.push((x, i));
        }
        x += long;
    }
    rows
}

fn legend(text: &mut String, drawing: &Drawing, rows: &[Vec<(f64, usize)>]) {
    for (row, entries) in rows.iter().enumerate() {
        let y = drawing.height + row as f64 * ROW + ROW / 2.0;
        for (x, index) in entries {
            let entry = &drawing.legend[*index];
            let at = coordinates(&[*x, y, x + 16.0, x + 22.0, y + 4.0]);
            let _ = write!(
                text,
                r#"<line class="chart-line {}" x1="{}" y1="{}" x2="{}" y2="{}"/><text class="chart-tick" x="{}" y="{}">{}</text>"#,
                entry.class,
                at[0],
                at[1],
                at[2],
                at[1],
                at[3],
                at[4],
                escape(&entry.label)
            );
        }
    }
}

fn coordinates(values: &[f64]) -> Vec<String> {
    let one = |value: &f64| {
        let mut text = String::new();
        number(&mut text, *value);
        text
    };
    values.iter().map(one).collect()
}

/// A text for the inside of an element or of an attribute. Characters that XML can't hold, even escaped, become U+FFFD.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(c),
            c if (c as u32) < 0x20 || matches!(c, '\u{FFFE}' | '\u{FFFF}') => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

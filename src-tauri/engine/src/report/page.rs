//! The frame of an HTML report: one file, no script, nothing fetched, light and dark.

use patchbay_contracts::{
    Timestamp,
    chart::{Chart, STYLE, SvgOptions, escape, svg},
    run::Verdict,
};

/// The size of a plot, in CSS pixels.
pub(super) const PLOT: (f64, f64) = (860.0, 240.0);

const LOOK: &str = include_str!("page.css");

/// A page that grows.
pub(super) struct Page {
    title: String,
    body: String,
}

impl Page {
    pub(super) fn new(title: &str, verdict: Verdict, partial: bool) -> Self {
        let partial = if partial { " <span class=\"partial\">partial: cancelled half-way</span>" } else { "" };
        let body = format!("<h1>{} {}{partial}</h1>\n", escape(title), badge(verdict));
        Self { title: title.to_owned(), body }
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.body.push_str(&format!("<h2>{}</h2>\n", escape(text)));
    }

    pub(super) fn line(&mut self, text: &str) {
        self.body.push_str(&format!("<p>{}</p>\n", escape(text)));
    }

    /// Names and values.
    pub(super) fn facts(&mut self, facts: &[(&str, String)]) {
        self.body.push_str("<dl>");
        for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
            self.body.push_str(&format!("<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value)));
        }
        self.body.push_str("</dl>\n");
    }

    /// A table of texts; columns from `figures` on hold figures.
    pub(super) fn table(&mut self, head: &[&str], rows: &[Vec<String>], figures: usize) {
        let class = |column: usize| if column >= figures { " class=\"figure\"" } else { "" };
        self.body.push_str("<table><thead><tr>");
        for (column, cell) in head.iter().enumerate() {
            self.body.push_str(&format!("<th{}>{}</th>", class(column), escape(cell)));
        }
        self.body.push_str("</tr></thead><tbody>");
        for row in rows {
            self.body.push_str("<tr>");
            for (column, cell) in row.iter().enumerate() {
                self.body.push_str(&format!("<td{}>{}</td>", class(column), escape(cell)));
            }
            self.body.push_str("</tr>");
        }
        self.body.push_str("</tbody></table>\n");
    }

    /// A plot.
    pub(super) fn chart(&mut self, chart: &Chart) {
        let drawing = chart.draw(PLOT.0, PLOT.1);
        let image = svg(&drawing, SvgOptions { style: false, legend: true });
        self.body.push_str(&format!("<figure><figcaption>{}</figcaption>{image}</figure>\n", escape(&chart.title)));
        for note in &drawing.notes {
            self.line(note);
        }
    }

    /// Text as it is.
    pub(super) fn code(&mut self, text: &str) {
        self.body.push_str(&format!("<pre>{}</pre>\n", escape(text)));
    }

    /// Two texts beside each other.
    pub(super) fn beside(&mut self, left: (&str, &str), right: (&str, &str)) {
        let side = |(name, text): (&str, &str)| format!("<div><h4>{}</h4><pre>{}</pre></div>", escape(name), escape(text));
        self.body.push_str(&format!("<div class=\"beside\">{}{}</div>\n", side(left), side(right)));
    }

    /// A part with its own verdict; one that failed is open.
    pub(super) fn part(&mut self, title: &str, verdict: Verdict, fill: impl FnOnce(&mut Self)) {
        let open = if verdict == Verdict::Pass { "" } else { " open" };
        self.body.push_str(&format!("<details{open}><summary>{} {}</summary>\n", badge(verdict), escape(title)));
        fill(self);
        self.body.push_str("</details>\n");
    }

    pub(super) fn finish(self) -> String {
        // The policy keeps the page inert even where a browser would find something to run in it.
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>{}</title>\n<style>{LOOK}{STYLE}</style>\n</head>\n<body>\n<main>\n{}<footer>Made by Patchbay {}</footer>\n</main>\n</body>\n</html>\n",
            escape(&self.title),
            self.body,
            env!("CARGO_PKG_VERSION")
        )
    }
}

fn badge(verdict: Verdict) -> String {
    let sign = match verdict {
        Verdict::Pass => "✓",
        Verdict::Fail => "✕",
        Verdict::Inconclusive => "?",
    };
    let word = verdict.as_str();
    format!("<span class=\"badge {word}\">{sign} {word}</span>")
}

/// A time as RFC 3339 in UTC.
pub(super) fn when(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at)
        .map_or_else(|_| at.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// Milliseconds with their unit.
pub(super) fn ms(value: f64) -> String {
    if value >= 1000.0 {
        format!("{:.2} s", value / 1000.0)
    } else if value >= 1.0 {
        format!("{value:.1} ms")
    } else {
        format!("{:.0} µs", value * 1000.0)
    }
}

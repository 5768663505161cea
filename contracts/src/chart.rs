//! The geometry of charts, for the window and for exported reports.
//!
//! A [`Chart`] says what there is to show; [`Chart::draw`] turns it into a [`Drawing`], plain data with every line as
//! the text of an SVG path, and [`svg`] writes a drawing out. The window draws the same data with its own elements.
//! Nothing here knows the page, the clock or the file system.
//!
//! What can't be drawn is said and not invented: a gap breaks its line, time that nobody observed is hatched, and
//! values that are not finite are counted in [`Drawing::notes`].

mod draw;
mod histogram;
mod load;
mod path;
mod read;
mod spark;
mod svg;
mod ticks;
mod time;
mod unit;

pub use histogram::histogram;
pub use load::{load_charts, load_plan};
pub use read::{Hover, HoverValue, SeriesSummary};
pub use spark::{Spark, sparkline};
pub use svg::{STYLE, SvgOptions, escape, svg};
pub use time::{Zone, elapsed, exact};
pub use unit::{Scaled, Unit};

/// What there is to show.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chart {
    /// What it shows, in a few words.
    pub title: String,
    /// The unit of all its values: one chart has one axis of values.
    pub unit: Unit,
    /// What the horizontal axis counts.
    pub x: XAxis,
    /// From where to where, in the units of `x`.
    pub range: (f64, f64),
    /// The series, the first one at the back.
    pub series: Vec<Series>,
    /// Stretches of the horizontal axis that mean something.
    pub stretches: Vec<Stretch>,
    /// Values worth a line across.
    pub rules: Vec<Rule>,
    /// Positions worth a line from top to bottom.
    pub marks: Vec<Rule>,
    /// Whether the axis of values starts at zero even where its unit would not ask for it. Rates, times, sizes, areas
    /// and bars always do.
    pub from_zero: bool,
}

/// What a horizontal axis counts.
#[derive(Debug, Clone, PartialEq)]
pub enum XAxis {
    /// Unix milliseconds, shown in this zone.
    Time(Zone),
    /// Seconds since a start.
    Elapsed,
    /// A quantity above zero, each power of ten as wide as the next.
    Logarithmic(Unit),
}

impl Default for XAxis {
    fn default() -> Self {
        Self::Time(Zone::utc())
    }
}

/// One series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// What the legend calls it.
    pub label: String,
    /// How it is drawn.
    pub style: Style,
    /// Its colour.
    pub tone: Tone,
    /// Positions, ascending, and values; `None` is a gap. Values that are not finite are gaps too, and counted.
    pub points: Vec<(f64, Option<f64>)>,
    /// Left out of the drawing, and still in the legend.
    pub hidden: bool,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Style {
    /// A line of one of three weights.
    Line(Weight),
    /// A line with the room down to zero filled.
    Area,
    /// Bars from zero; a position is a bar's left edge. The number is a bar's width in the units of the axis, and on a
    /// logarithmic axis the ratio of its right edge to its left.
    Bars(f64),
    /// Single dots.
    Points,
    /// A line without a second reading: a target, a past run.
    Dashed,
}

/// The weight of a line: quantiles of one thing are one hue in three weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weight {
    /// Thin: the median.
    P50,
    /// The usual one.
    #[default]
    P95,
    /// Heavy: the tail.
    P99,
}

/// The colour of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// The accent.
    #[default]
    Accent,
    /// Failures.
    Bad,
    /// What is there for comparison.
    Quiet,
    /// One of many series side by side; colours repeat after [`TONES`].
    Nth(u8),
}

/// How many colours [`Tone::Nth`] has.
pub const TONES: u8 = 6;

/// A stretch of the horizontal axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// From, in the units of the axis.
    pub from: f64,
    /// Until.
    pub to: f64,
    /// What it means.
    pub kind: StretchKind,
}

/// What a stretch of the horizontal axis means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StretchKind {
    /// Nobody looked: hatched, and no line crosses it.
    Unobserved,
    /// Measured and left out of the figures.
    WarmUp,
    /// Something was wrong.
    Incident,
}

impl StretchKind {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unobserved => "unobserved",
            Self::WarmUp => "warm-up",
            Self::Incident => "incident",
        }
    }
}

/// A value or a position worth a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Where.
    pub at: f64,
    /// What it is.
    pub label: String,
}

/// A rectangle in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rect {
    /// Its left edge.
    pub x: f64,
    /// Its upper edge.
    pub y: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

/// From values to pixels and back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// The values at both ends.
    pub values: (f64, f64),
    /// The pixels at both ends.
    pub pixels: (f64, f64),
    /// Whether equal ratios, and not equal differences, are equally wide.
    pub logarithmic: bool,
}

impl Scale {
    /// The pixel of a value.
    pub fn pixel(&self, value: f64) -> f64 {
        let (low, high, value) = self.plain(value);
        self.pixels.0 + (value - low) / (high - low) * (self.pixels.1 - self.pixels.0)
    }

    /// The value at a pixel, within the ends of the scale.
    pub fn value(&self, pixel: f64) -> f64 {
        let share = ((pixel - self.pixels.0) / (self.pixels.1 - self.pixels.0)).clamp(0.0, 1.0);
        let (low, high, _) = self.plain(self.values.0);
        let value = low + share * (high - low);
        if self.logarithmic { 10f64.powf(value) } else { value }
    }

    fn plain(&self, value: f64) -> (f64, f64, f64) {
        if self.logarithmic {
            (self.values.0.log10(), self.values.1.log10(), value.max(f64::MIN_POSITIVE).log10())
        } else {
            (self.values.0, self.values.1, value)
        }
    }
}

/// A tick of an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Its pixel along the axis.
    pub at: f64,
    /// Its label, unit included.
    pub label: String,
    /// Which point of the label stands at the pixel.
    pub anchor: Anchor,
    /// Whether something larger begins there, such as a day.
    pub major: bool,
}

/// Which point of a text stands at its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names are SVG's own")]
pub enum Anchor {
    Start,
    #[default]
    Middle,
    End,
}

impl Anchor {
    /// The value of SVG's `text-anchor`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// A series as lines and surfaces.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Which series of the chart.
    pub series: usize,
    /// Its classes: tone, weight and style.
    pub class: String,
    /// The path of its line; empty without one.
    pub line: String,
    /// The path of its surface; empty without one.
    pub fill: String,
    /// Its dots: all its points, or those that stand alone between two gaps.
    pub dots: Vec<(f64, f64)>,
}

/// A stretch as a rectangle.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnStretch {
    /// What it means.
    pub kind: StretchKind,
    /// Where it is.
    pub rect: Rect,
    /// The path of its hatching; empty without one.
    pub hatching: String,
}

/// A rule as a line.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnRule {
    /// Both ends.
    pub line: (f64, f64, f64, f64),
    /// Where its label stands.
    pub text: (f64, f64),
    /// Which point of the label stands there.
    pub anchor: Anchor,
    /// What it is.
    pub label: String,
}

/// An entry of the legend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegendEntry {
    /// Which series of the chart.
    pub series: usize,
    /// Its name.
    pub label: String,
    /// The classes of its mark.
    pub class: String,
    /// Its last value within the range, with its unit; empty without any, and for bars, of which no one is the newest.
    pub last: String,
    /// Whether it is left out of the drawing.
    pub hidden: bool,
}

/// A chart as plain data. All positions are pixels from the upper left corner.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// The whole width.
    pub width: f64,
    /// The whole height.
    pub height: f64,
    /// Where the values are.
    pub plot: Rect,
    /// From the units of the horizontal axis to pixels.
    pub x: Scale,
    /// From values to pixels.
    pub y: Scale,
    /// Ticks along the bottom.
    pub x_ticks: Vec<Tick>,
    /// Ticks up the left side.
    pub y_ticks: Vec<Tick>,
    /// The series that are shown.
    pub marks: Vec<Mark>,
    /// The stretches within the range.
    pub stretches: Vec<DrawnStretch>,
    /// Rules that the axes reach.
    pub rules: Vec<DrawnRule>,
    /// All series.
    pub legend: Vec<LegendEntry>,
    /// What it shows.
    pub title: String,
    /// What can be seen, in a sentence or two, for those who can't see it.
    pub description: String,
    /// What is not drawn, and why.
    pub notes: Vec<String>,
    /// Whether there is no value to draw.
    pub empty: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self::Line(Weight::default())
    }
}

impl Style {
    const fn starts_at_zero(self) -> bool {
        matches!(self, Self::Area | Self::Bars(_))
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Line(Weight::P50) => "weight-p50",
            Self::Line(Weight::P95) => "weight-p95",
            Self::Line(Weight::P99) => "weight-p99",
            Self::Area => "weight-p95 is-area",
            Self::Bars(_) => "is-bars",
            Self::Points => "is-points",
            Self::Dashed => "weight-p50 is-dashed",
        }
    }
}

impl Tone {
    const fn class(self) -> &'static str {
        match self {
            Self::Accent => "tone-accent",
            Self::Bad => "tone-bad",
            Self::Quiet => "tone-quiet",
            Self::Nth(n) => match n % TONES {
                0 => "tone-0",
                1 => "tone-1",
                2 => "tone-2",
                3 => "tone-3",
                4 => "tone-4",
                _ => "tone-5",
            },
        }
    }
}

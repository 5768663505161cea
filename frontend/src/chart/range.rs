//! The range of time that pages show.

use std::cell::Cell;

use patchbay_contracts::{Timestamp, chart::Zone};
use yew::prelude::*;

use crate::{components::Segments, hooks::use_now, utils::clock};

/// A range of time that ends now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names say how long")]
pub enum Span {
    QuarterHour,
    #[default]
    Hour,
    SixHours,
    Day,
    Week,
}

impl Span {
    const ALL: [(Self, &'static str, i64); 5] = [
        (Self::QuarterHour, "15m", 900_000),
        (Self::Hour, "1h", 3_600_000),
        (Self::SixHours, "6h", 21_600_000),
        (Self::Day, "24h", 86_400_000),
        (Self::Week, "7d", 604_800_000),
    ];

    fn entry(self) -> (Self, &'static str, i64) {
        Self::ALL.into_iter().find(|(span, ..)| *span == self).unwrap_or(Self::ALL[1])
    }

    /// How it is written: `15m`.
    pub fn word(self) -> &'static str {
        self.entry().1
    }

    /// Its length in milliseconds.
    pub fn millis(self) -> i64 {
        self.entry().2
    }
}

thread_local! {
    /// The range that was chosen last, so that the next page shows the same.
    static CHOSEN: Cell<Span> = const { Cell::new(Span::Hour) };
}

/// How often a range that ends now moves on, in milliseconds.
const STRIDE: i64 = 15_000;

/// The chosen range: which one, from when to when, and how to choose another. All pages share the choice.
#[hook]
pub fn use_span() -> (Span, (Timestamp, Timestamp), Callback<Span>) {
    let span = use_state_eq(|| CHOSEN.get());
    let now = use_now();
    let to = now.div_euclid(STRIDE) * STRIDE + STRIDE;
    let choose = {
        let setter = span.setter();
        Callback::from(move |chosen| {
            CHOSEN.set(chosen);
            setter.set(chosen);
        })
    };
    (*span, (to - span.millis(), to), choose)
}

/// The zone of this machine for a range of time.
pub fn zone(from: Timestamp, to: Timestamp) -> Zone {
    Zone::observed(from, to, clock::offset_minutes)
}

/// The properties of [`RangePicker`].
#[derive(Properties, PartialEq)]
pub struct RangePickerProps {
    /// The chosen range.
    pub span: Span,
    /// Told of a choice.
    pub on_change: Callback<Span>,
}

/// Chooses the range of time that the page shows.
#[component]
pub fn RangePicker(props: &RangePickerProps) -> Html {
    let options: Vec<(AttrValue, AttrValue)> = Span::ALL.into_iter().map(|(_, word, _)| (word.into(), word.into())).collect();
    let on_change = props.on_change.reform(|word: AttrValue| {
        Span::ALL.into_iter().find(|(_, known, _)| *known == word.as_str()).map_or(Span::default(), |(span, ..)| span)
    });
    html! { <Segments label="Range of time" {options} value={props.span.word()} {on_change} test="range" /> }
}

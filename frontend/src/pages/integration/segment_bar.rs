//! One bar over a range of time: healthy, down, and hatched where nobody looked.

use std::rc::Rc;

use patchbay_contracts::health::{HealthHistory, Segment, Status};
use yew::prelude::*;

use crate::{
    hooks::use_now,
    utils::{clock, text},
};

/// The width of the drawing, which the page stretches.
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 18.0;

/// The properties of [`SegmentBar`].
#[derive(Properties, PartialEq)]
pub struct SegmentBarProps {
    /// What it shows.
    pub history: Rc<HealthHistory>,
}

/// The bar, with what each stretch was on hover and in words for a screen reader.
#[component]
pub fn SegmentBar(props: &SegmentBarProps) -> Html {
    let now = use_now();
    let history = &props.history;
    let length = (history.to - history.from).max(1) as f64;
    let x = |at: i64| ((at - history.from) as f64 / length).clamp(0.0, 1.0) * WIDTH;
    let share = |status: Status| {
        let time = history.segments.iter().filter(|segment| segment.status == status).map(|s| s.to - s.from).sum::<i64>();
        format!("{} {}", status.as_str(), text::share(time as f64 / length))
    };
    let label = format!("{}, {}, {}", share(Status::Healthy), share(Status::Down), share(Status::Unobserved));
    html! {
        <div class="segment-bar">
            <svg viewBox={format!("0 0 {WIDTH} {HEIGHT}")} preserveAspectRatio="none" role="img" aria-label={label} data-test="segments">
                <defs>
                    // The bar is stretched, so the hatching is upright: slanted lines would bend with the window's width.
                    <pattern id="unobserved" width="6" height="6" patternUnits="userSpaceOnUse"><path class="hatch" d="M1.5 0v6" /></pattern>
                </defs>
                { for history.segments.iter().map(|segment| {
                    let (from, to) = (x(segment.from), x(segment.to));
                    let status = segment.status.as_str();
                    html! {
                        <g class={classes!("segment", status)} data-status={status}>
                            <title>{ words(segment) }</title>
                            <rect x={format!("{from:.2}")} y="0" width={format!("{:.2}", (to - from).max(1.5))} height={HEIGHT.to_string()} />
                            if segment.status == Status::Unobserved {
                                <rect class="hatched" x={format!("{from:.2}")} y="0" width={format!("{:.2}", (to - from).max(1.5))}
                                    height={HEIGHT.to_string()} />
                            }
                        </g>
                    }
                }) }
            </svg>
            <div class="segment-ends muted small">
                <span>{ text::ago(history.from, now) }</span>
                <span class="segment-legend">
                    { for [Status::Healthy, Status::Down, Status::Unobserved].into_iter().map(|status| html! {
                        <span><i class={classes!("swatch", status.as_str())} />{ status.as_str() }</span>
                    }) }
                </span>
                <span>{ "now" }</span>
            </div>
        </div>
    }
}

fn words(segment: &Segment) -> String {
    let time = |at| text::exact(at, clock::offset_minutes(at));
    let lasted = text::duration((segment.to - segment.from) as f64);
    format!("{} for {lasted}, from {} to {}", segment.status.as_str(), time(segment.from), time(segment.to))
}

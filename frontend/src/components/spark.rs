//! Latency at a glance.

use patchbay_contracts::{Timestamp, chart::sparkline};
use yew::prelude::*;

use crate::utils::text;

/// The size in pixels, as the stylesheet has it.
const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 24.0;

/// The properties of [`Sparkline`].
#[derive(Properties, PartialEq)]
pub struct SparklineProps {
    /// Times, and milliseconds where there was an answer; oldest first.
    pub points: Vec<(Timestamp, Option<f64>)>,
}

/// The latency of the last checks. A check without an answer is a gap with a mark under it.
#[component]
pub fn Sparkline(props: &SparklineProps) -> Html {
    if props.points.is_empty() {
        return html! { <span class="muted">{ "–" }</span> };
    }
    let points: Vec<(f64, Option<f64>)> = props.points.iter().map(|(at, value)| (*at as f64, *value)).collect();
    let spark = sparkline(&points, WIDTH, HEIGHT);
    let misses = points.iter().filter(|(_, value)| value.is_none()).count();
    let slowest = points.iter().filter_map(|(_, value)| *value).fold(0.0_f64, f64::max);
    let label = format!(
        "Latency of the last {}: up to {}{}",
        text::counted(points.len() as u64, "check"),
        text::duration(slowest),
        if misses > 0 { format!(", {misses} without an answer") } else { String::new() }
    );
    html! {
        <svg class="spark" viewBox={format!("0 0 {} {}", spark.width, spark.height)} role="img" aria-label={label.clone()}>
            <title>{ label }</title>
            <path d={spark.line} />
            { for spark.dots.iter().map(|(x, y)| html! { <path d={format!("M{x:.1} {y:.1}h0.01")} /> }) }
            <path class="missed" d={spark.missing} />
            if let Some((x, y)) = spark.last { <circle cx={format!("{x:.1}")} cy={format!("{y:.1}")} r="1.75" /> }
        </svg>
    }
}

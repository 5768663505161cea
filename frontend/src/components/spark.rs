//! Latency at a glance.

use patchbay_contracts::Timestamp;
use yew::prelude::*;

use crate::utils::text;

const WIDTH: f64 = 116.0;
const HEIGHT: f64 = 20.0;

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
    let values: Vec<Option<f64>> = props.points.iter().map(|(_, value)| *value).collect();
    let step = WIDTH / (values.len().max(2) - 1) as f64;
    let missed = values.iter().enumerate().filter(|(_, value)| value.is_none());
    let misses = missed.clone().count();
    let slowest = values.iter().flatten().copied().fold(0.0_f64, f64::max);
    let label = format!(
        "Latency of the last {}: up to {}{}",
        text::counted(values.len() as u64, "check"),
        text::duration(slowest),
        if misses > 0 { format!(", {misses} without an answer") } else { String::new() }
    );
    html! {
        <svg class="spark" viewBox={format!("-2 -2 {} {}", WIDTH + 4.0, HEIGHT + 4.0)} role="img" aria-label={label.clone()}>
            <title>{ label }</title>
            { for text::spark_paths(&values, WIDTH, HEIGHT).into_iter().map(|d| html! { <path {d} /> }) }
            { for missed.map(|(at, _)| html! {
                <path class="missed" d={format!("M{:.1} {HEIGHT}v-4", at as f64 * step)} />
            }) }
        </svg>
    }
}

//! Where the time of an exchange went.

use patchbay_contracts::probe::Waterfall;
use yew::prelude::*;

use crate::utils::text;

/// The properties of [`WaterfallView`].
#[derive(Properties, PartialEq)]
pub struct WaterfallViewProps {
    /// The phases.
    pub timing: Waterfall,
}

/// A part of the whole that is smaller than this, in milliseconds and as a share, is rounding and no phase.
const ROUNDING: (f64, f64) = (0.05, 0.005);

/// The phases in order as one bar, and each with its figure under it.
#[component]
pub fn WaterfallView(props: &WaterfallViewProps) -> Html {
    let phases = phases(&props.timing);
    let total = phases.iter().map(|(_, _, ms)| ms).sum::<f64>().max(props.timing.total_ms).max(f64::MIN_POSITIVE);
    let mut from = 0.0;
    let bars: Vec<(f64, f64, &str)> = phases
        .iter()
        .map(|(_, class, ms)| {
            let bar = (from / total * 100.0, ms / total * 100.0, *class);
            from += ms;
            bar
        })
        .collect();
    let spoken = phases.iter().map(|(name, _, ms)| format!("{name} {}", text::duration(*ms))).collect::<Vec<_>>().join(", ");
    html! {
        <div class="waterfall" data-test="waterfall">
            <svg class="waterfall-bar" width="100%" height="10" role="img" aria-label={spoken}>
                { for bars.into_iter().map(|(x, width, class)| html! {
                    <rect class={class} x={format!("{x:.2}%")} y="0" width={format!("{:.2}%", width.max(0.3))} height="10" />
                }) }
            </svg>
            <dl class="waterfall-figures">
                { for phases.iter().map(|(name, class, ms)| html! {
                    <div>
                        <dt><span class={classes!("waterfall-key", *class)} />{ *name }</dt>
                        <dd>{ text::duration(*ms) }</dd>
                    </div>
                }) }
                <div class="waterfall-total"><dt>{ "Total" }</dt><dd data-test="total-time">{ text::duration(props.timing.total_ms) }</dd></div>
            </dl>
        </div>
    }
}

/// The phases that took place: a name, a class and milliseconds. What of the total no phase accounts for is one too.
fn phases(timing: &Waterfall) -> Vec<(&'static str, &'static str, f64)> {
    let known = [
        ("DNS", "phase-dns", timing.dns_ms),
        ("Connect", "phase-connect", timing.connect_ms),
        ("TLS", "phase-tls", timing.tls_ms),
        ("First byte", "phase-first-byte", timing.first_byte_ms),
        ("Download", "phase-download", timing.download_ms),
    ];
    let mut phases: Vec<_> = known
        .into_iter()
        .filter_map(|(name, class, ms)| Some((name, class, ms.filter(|ms| ms.is_finite() && *ms >= 0.0)?)))
        .collect();
    let rest = timing.total_ms - phases.iter().map(|(_, _, ms)| ms).sum::<f64>();
    if rest > ROUNDING.0 && rest > timing.total_ms * ROUNDING.1 {
        phases.push(("Other", "phase-other", rest));
    }
    phases
}

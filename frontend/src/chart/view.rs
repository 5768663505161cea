//! One chart.

use std::{collections::BTreeSet, rc::Rc};

use js_sys::Array;
use patchbay_contracts::chart::{Chart, Drawing, Hover, LegendEntry, XAxis};
use wasm_bindgen::{JsCast, closure::Closure};
use yew::prelude::*;

use super::group::{Group, use_group, use_margin};
use crate::components::{Button, Kind, MiddleCut};

/// How many series the legend shows before the others are asked for.
const LEGEND: usize = 8;

/// The properties of [`ChartView`].
#[derive(Properties, PartialEq)]
pub struct ChartViewProps {
    /// What there is to show.
    pub chart: Rc<Chart>,
    /// The height in pixels.
    #[prop_or(180.0)]
    pub height: f64,
    /// The name by which tests find it.
    #[prop_or("chart".into())]
    pub test: AttrValue,
    /// What stands at the end of the title's line.
    #[prop_or_default]
    pub aside: Html,
}

/// A chart with its title, its legend, and a summary for those who can't see it. The pointer or the arrow keys move the
/// crosshair, whose values stand in the legend; dragging, or `+`, zooms in, and a double click, `0` or Escape shows all.
#[component]
pub fn ChartView(props: &ChartViewProps) -> Html {
    let group = use_group();
    let hidden = use_state_eq(BTreeSet::<String>::new);
    let canvas = use_node_ref();
    let width = use_width(&canvas);
    let drag = use_state_eq(|| None::<(f64, f64)>);
    let chart = use_memo((props.chart.clone(), *group.zoom, (*hidden).clone()), |(chart, zoom, hidden)| {
        let mut shown = Chart::clone(chart);
        shown.range = zoom.unwrap_or(chart.range);
        for series in &mut shown.series {
            series.hidden |= hidden.contains(&series.label);
        }
        shown
    });
    let own = use_memo((chart.clone(), width, props.height), |(chart, width, height)| chart.margin(*width, *height));
    let margin = use_margin(&group, *own);
    let deps = (chart.clone(), width, props.height, margin);
    let drawing = use_memo(deps, |(chart, width, height, margin)| chart.draw_beside(*width, *height, *margin));
    let hover = (*group.cross)
        .filter(|x| !drawing.empty && *x >= drawing.x.values.0 && *x <= drawing.x.values.1)
        .map(|x| chart.hover_at(&drawing, x));
    let hands = Hands { chart: chart.clone(), drawing: drawing.clone(), group: group.clone(), drag, canvas: canvas.clone() };
    let instant = hover.as_ref().map(|hover| match hover.stretch {
        Some(stretch) => format!("{} · {}", hover.label, stretch.as_str()),
        None => hover.label.clone(),
    });
    let reset = {
        let zoom = group.zoom.clone();
        Callback::from(move |_: MouseEvent| zoom.set(None))
    };
    html! {
        <figure class="plot" data-test={props.test.clone()}>
            <figcaption class="plot-head">
                <h3 class="plot-title"><MiddleCut text={chart.title.clone()} limit=72 /></h3>
                <span class="plot-instant" data-test="chart-instant">{ instant.clone() }</span>
                if group.zoom.is_some() {
                    <Button kind={Kind::Quiet} test="chart-reset" onclick={reset}>{ "Show all" }</Button>
                }
                { props.aside.clone() }
            </figcaption>
            <Legend chart={chart.clone()} drawing={drawing.clone()} hover={hover.clone()} {hidden} />
            <div class="plot-canvas" ref={canvas} tabindex="0" role="group" aria-roledescription="chart"
                aria-label={format!("{}. Arrow keys read values, plus zooms in, zero shows all.", chart.title)}
                data-test={format!("{}-canvas", props.test)}
                onpointerdown={hands.press()} onpointermove={hands.hover()} onpointerup={hands.release()}
                onpointerleave={hands.leave()} ondblclick={hands.show_all()} onkeydown={hands.keys()}>
                if width > 0.0 { { picture(&drawing, hover.as_ref(), *hands.drag) } }
            </div>
            <p class="for-reader" aria-live="polite">
                { hover.as_ref().map(|hover| spoken(&chart, hover)) }
            </p>
            <Summary {chart} description={drawing.description.clone()} />
            { for drawing.notes.iter().map(|note| html! { <p class="plot-note" data-test="chart-note">{ note }</p> }) }
        </figure>
    }
}

/// What the pointer and the keys do.
struct Hands {
    chart: Rc<Chart>,
    drawing: Rc<Drawing>,
    group: Group,
    drag: UseStateHandle<Option<(f64, f64)>>,
    canvas: NodeRef,
}

impl Hands {
    fn press(&self) -> Callback<PointerEvent> {
        let (drag, canvas) = (self.drag.setter(), self.canvas.clone());
        Callback::from(move |event: PointerEvent| {
            if event.button() == 0
                && let Some(x) = position(&canvas, &event)
            {
                if let Some(element) = canvas.cast::<web_sys::Element>() {
                    // Without the capture a drag ends at the edge, which is all that is lost.
                    let _ = element.set_pointer_capture(event.pointer_id());
                }
                drag.set(Some((x, x)));
            }
        })
    }

    fn hover(&self) -> Callback<PointerEvent> {
        let (chart, drawing, cross) = (self.chart.clone(), self.drawing.clone(), self.group.cross.setter());
        let (drag, dragged, canvas) = (self.drag.setter(), *self.drag, self.canvas.clone());
        Callback::from(move |event: PointerEvent| {
            let Some(x) = position(&canvas, &event) else { return };
            cross.set(chart.hover(&drawing, x).map(|hover| hover.x));
            if let Some((from, _)) = dragged {
                drag.set(Some((from, x)));
            }
        })
    }

    fn release(&self) -> Callback<PointerEvent> {
        let (chart, drawing, zoom) = (self.chart.clone(), self.drawing.clone(), self.group.zoom.setter());
        let (drag, dragged) = (self.drag.setter(), *self.drag);
        Callback::from(move |_: PointerEvent| {
            if let Some(range) = dragged.and_then(|(from, to)| chart.zoom(&drawing, from, to)) {
                zoom.set(Some(range));
            }
            drag.set(None);
        })
    }

    fn leave(&self) -> Callback<PointerEvent> {
        let (cross, dragging) = (self.group.cross.setter(), self.drag.is_some());
        Callback::from(move |_: PointerEvent| {
            if !dragging {
                cross.set(None);
            }
        })
    }

    fn show_all(&self) -> Callback<MouseEvent> {
        let zoom = self.group.zoom.setter();
        Callback::from(move |_: MouseEvent| zoom.set(None))
    }

    fn keys(&self) -> Callback<KeyboardEvent> {
        let (chart, drawing, group) = (self.chart.clone(), self.drawing.clone(), self.group.clone());
        let (drag, dragging) = (self.drag.setter(), self.drag.is_some());
        Callback::from(move |event: KeyboardEvent| {
            if event.alt_key() || event.ctrl_key() || event.meta_key() {
                return;
            }
            let step = |from: Option<f64>, by: i32| group.cross.set(chart.step(&drawing, from, by).map(|hover| hover.x));
            match event.key().as_str() {
                "ArrowRight" => step(*group.cross, 1),
                "ArrowLeft" => step(*group.cross, -1),
                "Home" => step(None, 1),
                "End" => step(None, -1),
                "+" | "=" => {
                    let middle = group.cross.map_or(drawing.plot.x + drawing.plot.width / 2.0, |x| drawing.x.pixel(x));
                    let quarter = drawing.plot.width / 4.0;
                    if let Some(range) = chart.zoom(&drawing, middle - quarter, middle + quarter) {
                        group.zoom.set(Some(range));
                    }
                }
                "0" => group.zoom.set(None),
                "Escape" if dragging => drag.set(None),
                "Escape" if group.zoom.is_some() => group.zoom.set(None),
                "Escape" if group.cross.is_some() => group.cross.set(None),
                _ => return,
            }
            event.prevent_default();
        })
    }
}

/// The horizontal position of the pointer within the chart, in pixels.
fn position(canvas: &NodeRef, event: &PointerEvent) -> Option<f64> {
    let element = canvas.cast::<web_sys::Element>()?;
    Some(f64::from(event.client_x()) - element.get_bounding_client_rect().left())
}

/// The width of an element in pixels; 0 until it is known.
#[hook]
fn use_width(node: &NodeRef) -> f64 {
    let width = use_state_eq(|| 0.0);
    {
        let (node, width) = (node.clone(), width.setter());
        use_effect_with((), move |()| {
            let measured = node.clone();
            let measure = move || {
                if let Some(element) = measured.cast::<web_sys::Element>() {
                    width.set(f64::from(element.client_width()));
                }
            };
            measure();
            let changed = Closure::<dyn FnMut(Array)>::new(move |_: Array| measure());
            let observer = web_sys::ResizeObserver::new(changed.as_ref().unchecked_ref()).ok();
            if let (Some(observer), Some(element)) = (&observer, node.cast::<web_sys::Element>()) {
                observer.observe(&element);
            }
            move || {
                if let Some(observer) = observer {
                    observer.disconnect();
                }
                drop(changed);
            }
        });
    }
    *width
}

fn px(value: f64) -> String {
    format!("{:.1}", value)
}

/// The drawing as elements, with the crosshair and what is being dragged over.
fn picture(drawing: &Drawing, hover: Option<&Hover>, drag: Option<(f64, f64)>) -> Html {
    let plot = drawing.plot;
    let (right, bottom) = (plot.x + plot.width, plot.y + plot.height);
    html! {
        <svg class="chart" viewBox={format!("0 0 {} {}", drawing.width, drawing.height)} width={px(drawing.width)}
            height={px(drawing.height)} aria-hidden="true" focusable="false">
            { for drawing.stretches.iter().map(|stretch| html! {
                <>
                    <rect class={format!("chart-stretch is-{}", stretch.kind.as_str())} x={px(stretch.rect.x)}
                        y={px(stretch.rect.y)} width={px(stretch.rect.width)} height={px(stretch.rect.height)} />
                    <path class="chart-hatching" d={stretch.hatching.clone()} />
                </>
            }) }
            { for drawing.y_ticks.iter().map(|tick| html! {
                <>
                    <line class={if tick.major { "chart-axis" } else { "chart-grid" }} x1={px(plot.x)} y1={px(tick.at)}
                        x2={px(right)} y2={px(tick.at)} />
                    <text class="chart-tick" x={px(plot.x - 8.0)} y={px(tick.at + 4.0)} text-anchor={tick.anchor.as_str()}>
                        { &tick.label }
                    </text>
                </>
            }) }
            { for drawing.x_ticks.iter().map(|tick| html! {
                <>
                    <line class="chart-axis" x1={px(tick.at)} y1={px(bottom)} x2={px(tick.at)} y2={px(bottom + 4.0)} />
                    <text class={if tick.major { "chart-tick is-major" } else { "chart-tick" }} x={px(tick.at)}
                        y={px(bottom + 17.0)} text-anchor={tick.anchor.as_str()}>{ &tick.label }</text>
                </>
            }) }
            { for drawing.marks.iter().map(|mark| html! {
                <>
                    if !mark.fill.is_empty() { <path class={format!("chart-fill {}", mark.class)} d={mark.fill.clone()} /> }
                    if !mark.line.is_empty() { <path class={format!("chart-line {}", mark.class)} d={mark.line.clone()} /> }
                    { for mark.dots.iter().map(|(x, y)| html! {
                        <circle class={format!("chart-dot {}", mark.class)} cx={px(*x)} cy={px(*y)} r="2" />
                    }) }
                </>
            }) }
            { for drawing.rules.iter().map(|rule| html! {
                <>
                    <line class="chart-rule" x1={px(rule.line.0)} y1={px(rule.line.1)} x2={px(rule.line.2)} y2={px(rule.line.3)} />
                    <text class="chart-label" x={px(rule.text.0)} y={px(rule.text.1)} text-anchor={rule.anchor.as_str()}>
                        { &rule.label }
                    </text>
                </>
            }) }
            if drawing.empty {
                <text class="chart-empty" x={px(plot.x + plot.width / 2.0)} y={px(plot.y + plot.height / 2.0)}
                    text-anchor="middle">{ "No values in this range" }</text>
            }
            if let Some(hover) = hover {
                <line class="chart-cross" x1={px(hover.pixel)} y1={px(plot.y)} x2={px(hover.pixel)} y2={px(bottom)} />
                { for hover.values.iter().filter_map(|value| {
                    let class = &drawing.legend.get(value.series)?.class;
                    let y = value.y?;
                    Some(html! { <circle class={format!("chart-dot {class}")} cx={px(hover.pixel)} cy={px(y)} r="3.5" /> })
                }) }
            }
            if let Some((from, to)) = drag.filter(|(from, to)| from != to) {
                <rect class="chart-drag" x={px(from.min(to).max(plot.x))} y={px(plot.y)} height={px(plot.height)}
                    width={px((from.max(to).min(right) - from.min(to).max(plot.x)).max(0.0))} />
            }
        </svg>
    }
}

#[derive(Properties, PartialEq)]
struct LegendProps {
    chart: Rc<Chart>,
    drawing: Rc<Drawing>,
    hover: Option<Hover>,
    hidden: UseStateHandle<BTreeSet<String>>,
}

/// The names of the series, each with its value at the crosshair or, without one, its last. A click hides a series.
#[component]
fn Legend(props: &LegendProps) -> Html {
    let all = use_state_eq(|| false);
    let entries = &props.drawing.legend;
    if entries.len() < 2 && props.hover.is_none() && matches!(props.chart.x, XAxis::Logarithmic(_)) {
        return html! { <div class="plot-legend" /> };
    }
    let shown = if *all { entries.len() } else { LEGEND };
    let more = entries.len().saturating_sub(shown);
    // A value always stands there, and always of about the same width: nothing moves when the crosshair comes.
    let value = |entry: &LegendEntry| match &props.hover {
        Some(hover) => hover.values.iter().find(|value| value.series == entry.series).map(|value| value.text.clone()),
        None => Some(entry.last.clone()),
    };
    let class = if props.hover.is_some() { "legend-value" } else { "legend-value muted" };
    html! {
        <div class="plot-legend" role="group" aria-label="Series">
            { for entries.iter().take(shown).map(|entry| {
                let (hidden, label) = (props.hidden.clone(), entry.label.clone());
                let onclick = Callback::from(move |_: MouseEvent| {
                    let mut next = (*hidden).clone();
                    if !next.remove(&label) {
                        next.insert(label.clone());
                    }
                    hidden.set(next);
                });
                html! {
                    <button type="button" class="legend" {onclick} aria-pressed={if entry.hidden { "false" } else { "true" }}
                        title={format!("{} {}", if entry.hidden { "Show" } else { "Hide" }, entry.label)} data-test="legend">
                        <svg class="chart legend-mark" viewBox="0 0 16 8" width="16" height="8" aria-hidden="true">
                            <line class={format!("chart-line {}", entry.class)} x1="1" y1="4" x2="15" y2="4" />
                        </svg>
                        <span class="legend-name">{ &entry.label }</span>
                        <span {class}>{ value(entry).unwrap_or_default() }</span>
                    </button>
                }
            }) }
            if more > 0 {
                <button type="button" class="link" onclick={Callback::from(move |_: MouseEvent| all.set(true))}>
                    { format!("{more} more") }
                </button>
            }
        </div>
    }
}

/// The crosshair in words.
fn spoken(chart: &Chart, hover: &Hover) -> String {
    let values =
        hover.values.iter().filter_map(|value| Some(format!("{} {}", chart.series.get(value.series)?.label, value.text)));
    format!("{}: {}", hover.label, values.collect::<Vec<_>>().join(", "))
}

#[derive(Properties, PartialEq)]
struct SummaryProps {
    chart: Rc<Chart>,
    description: String,
}

/// The series in figures, for screen readers.
#[component]
fn Summary(props: &SummaryProps) -> Html {
    html! {
        <div class="for-reader"><table aria-label={format!("{} in figures", props.chart.title)}>
            <caption>{ &props.description }</caption>
            <thead><tr>
                { for ["series", "values", "lowest", "mean", "highest", "last"].map(|title| html! { <th scope="col">{ title }</th> }) }
            </tr></thead>
            <tbody>
                { for props.chart.summary().into_iter().take(50).map(|row| html! {
                    <tr>
                        <th scope="row">{ row.label }</th>
                        <td>{ row.count }</td><td>{ row.lowest }</td><td>{ row.mean }</td><td>{ row.highest }</td><td>{ row.last }</td>
                    </tr>
                }) }
            </tbody>
        </table></div>
    }
}

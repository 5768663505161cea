//! What the generator of a load run says of itself, and how a run compares with one before.

use std::rc::Rc;

use patchbay_contracts::load::{Change, Comparison, LoadReport};
use yew::prelude::*;

use crate::{
    components::{Column, Glyph, Icon, Table},
    route::Route,
};

#[derive(Properties, PartialEq)]
pub struct GeneratorPanelProps {
    /// What the run found.
    pub report: Rc<LoadReport>,
}

/// Whether the figures are the service's own, and why.
#[component]
pub fn GeneratorPanel(props: &GeneratorPanelProps) -> Html {
    let told = props.report.generator_told();
    // A run of an older Patchbay says nothing of its generator.
    if props.report.generator.threads == 0 || told.is_empty() {
        return Html::default();
    }
    let generator = &props.report.generator;
    html! {
        <section class="inset" aria-label="The generator" data-test="generator">
            <p class={classes!("generator-words", generator.bottleneck.then_some("held-back"))} data-test="generator-words">
                if generator.bottleneck { <Icon glyph={Glyph::Degraded} /> }
                { props.report.generator_sentence() }
            </p>
            <dl class="told">
                { for told.into_iter().map(|told| html! {
                    <div title={told.meaning}><dt>{ told.name }</dt><dd>{ told.value }</dd><dd class="muted small">{ told.meaning }</dd></div>
                }) }
            </dl>
            if !generator.drain.is_empty() { <p class="muted small">{ &generator.drain }</p> }
            if !generator.clock.is_empty() { <p class="muted small">{ format!("Its clock is {}.", generator.clock) }</p> }
        </section>
    }
}

#[derive(Properties, PartialEq)]
pub struct ComparisonTableProps {
    /// How the run compares.
    pub comparison: Comparison,
}

/// Each figure before and now.
#[component]
pub fn ComparisonTable(props: &ComparisonTableProps) -> Html {
    let comparison = &props.comparison;
    let columns = vec![
        Column::words("Figure"),
        Column::figures("Before"),
        Column::figures("Now"),
        Column::figures("Difference"),
        Column::figures("p-value"),
        Column::words("Change"),
    ];
    html! {
        <section class="stack tight" aria-label="Comparison" data-test="comparison">
            <p class="row">
                <strong data-test="comparison-words">{ comparison.sentence() }</strong>
                <a href={Route::Run(comparison.baseline).href()}>{ format!("Run {}", comparison.baseline) }</a>
            </p>
            if !comparison.figures.is_empty() {
                <Table label="Comparison with the run before" {columns} test="comparison-figures">
                    { for comparison.figures.iter().map(|figure| html! {
                        <tr data-test="compared" data-name={figure.name.clone()}>
                            <td>{ &figure.name }</td>
                            <td class="figure">{ figure.before_told() }</td>
                            <td class="figure">{ figure.now_told() }</td>
                            <td class="figure">{ figure.difference_told() }</td>
                            <td class="figure">{ figure.p_told() }</td>
                            <td class={change_class(figure.change)}>{ figure.change.as_str() }</td>
                        </tr>
                    }) }
                </Table>
            }
            if !comparison.test.is_empty() { <p class="muted small">{ &comparison.test }</p> }
        </section>
    }
}

const fn change_class(change: Change) -> Option<&'static str> {
    match change {
        Change::Worse => Some("bad"),
        Change::Better => Some("good"),
        Change::Same | Change::Unknown => None,
    }
}

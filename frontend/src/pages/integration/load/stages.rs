//! The stages of a ramping run, and a picture of what is planned.

use std::rc::Rc;

use patchbay_contracts::chart::Chart;
use yew::prelude::*;

use super::form::{PartProps, mistake, press, set};
use crate::{
    chart::{ChartGroup, ChartView},
    components::{Button, Glyph, Input, Kind},
};

/// Where each stage leads and how long it takes.
#[component]
pub fn StagesField(props: &PartProps) -> Html {
    let (draft, mistakes) = (&props.draft, &props.mistakes);
    let (what, example) = if draft.executor.is_open() { ("Rate", "200/s") } else { ("Connections", "50") };
    html! {
        <div class="chips-field" data-test="load-stages">
            <span class="field-label" id="stages-label">{ "Stages" }</span>
            <div class="stages" role="group" aria-labelledby="stages-label">
                { for draft.stages.iter().enumerate().map(|(at, (to, over))| {
                    let number = at + 1;
                    let wrong = [format!("stage-to-{at}"), format!("stage-over-{at}")].map(|field| mistake(mistakes, &field));
                    html! {
                        <div class="stage" key={at}>
                            <span class="muted">{ "to" }</span>
                            <Input value={to.clone()} placeholder={example} label={format!("{what} that stage {number} leads to")}
                                on_input={set(draft, move |draft, text| draft.stages[at].0 = text)}
                                invalid={wrong[0].is_some()} test={format!("stage-to-{at}")} />
                            <span class="muted">{ "over" }</span>
                            <Input value={over.clone()} placeholder="30s" label={format!("How long stage {number} takes")}
                                on_input={set(draft, move |draft, text| draft.stages[at].1 = text)}
                                invalid={wrong[1].is_some()} test={format!("stage-over-{at}")} />
                            <Button kind={Kind::Quiet} glyph={Glyph::Close} label={format!("Take out stage {number}")}
                                test={format!("stage-remove-{at}")} onclick={press(draft, move |draft| { draft.stages.remove(at); })} />
                            // In an element of their own: with more or fewer children than before, the fields would be made
                            // anew, and would lose the focus while somebody types.
                            <span class="stage-errors">
                                { for wrong.into_iter().flatten().map(|wrong| html! { <span class="field-error" role="alert">{ wrong }</span> }) }
                            </span>
                        </div>
                    }
                }) }
            </div>
            <div class="row">
                <Button glyph={Glyph::Plus} test="stage-add" onclick={press(draft, |draft| draft.add_stage())}>{ "Add a stage" }</Button>
                <span class="field-hint">{ "Each leads in a straight line from where the one before ended." }</span>
            </div>
            if let Some(wrong) = mistake(mistakes, "stages") { <span class="field-error" role="alert">{ wrong }</span> }
        </div>
    }
}

/// The properties of [`PlanPicture`].
#[derive(Properties, PartialEq)]
pub struct PlanPictureProps {
    /// What is planned; none while a field can't be read.
    pub plan: Option<Rc<Chart>>,
}

/// The planned level over time.
#[component]
pub fn PlanPicture(props: &PlanPictureProps) -> Html {
    html! {
        <div class="plan-picture">
            if let Some(chart) = &props.plan {
                <ChartGroup><ChartView chart={chart.clone()} height=96.0 test="load-plan" /></ChartGroup>
            } else {
                <p class="muted">{ "What is planned is drawn here once all fields can be read." }</p>
            }
        </div>
    }
}

//! Which endpoints a run calls: one, several by weight, or several in order.

use std::rc::Rc;

use yew::prelude::*;

use super::form::{PartProps, mistake, press, set};
use crate::{
    components::{Button, Field, Glyph, Input, Kind, MiddleCut, Segments, Select},
    utils::load_draft::{Calls, Draft, Listed, Mistakes},
};

/// How many characters of an endpoint's name are shown.
const NAME: usize = 48;

/// Which endpoints are called.
#[component]
pub fn CallsField(props: &PartProps) -> Html {
    let draft = &props.draft;
    let on_calls = set(draft, |draft, word| {
        draft.calls = match word.as_str() {
            "mix" => Calls::Mix,
            "chain" => Calls::Chain,
            _ => Calls::One,
        };
    });
    let (value, hint) = match draft.calls {
        Calls::One => ("one", "Each request is of this endpoint."),
        Calls::Mix => ("mix", "Each request takes one of these, by weight; one without a weight isn't called."),
        Calls::Chain => {
            ("chain", "Each user calls these in order, with what they capture on the way. A rate is one of whole rounds.")
        }
    };
    let options: Vec<(AttrValue, AttrValue)> = [("one", "One endpoint"), ("mix", "A mix"), ("chain", "A chain")]
        .map(|(value, shown)| (value.into(), shown.into()))
        .to_vec();
    html! {
        <>
            if props.endpoints.len() > 1 {
                <div class="row">
                    <Segments label="Which endpoints are called" {options} {value} test="calls"
                        on_change={on_calls.reform(|word: AttrValue| word.to_string())} />
                    <span class="muted">{ hint }</span>
                </div>
            }
            { match draft.calls {
                Calls::One => html! { <OneField ..props.clone() /> },
                Calls::Mix => html! { <MixField ..props.clone() /> },
                Calls::Chain => html! {
                    <ListField draft={draft.clone()} mistakes={props.mistakes.clone()} endpoints={props.endpoints.clone()}
                        which={Listed::Chain} />
                },
            } }
        </>
    }
}

#[component]
fn OneField(props: &PartProps) -> Html {
    let draft = &props.draft;
    let mut options: Vec<(AttrValue, AttrValue)> = vec![("".into(), "The first endpoint".into())];
    options.extend(props.endpoints.iter().map(|label| (label.clone(), label.clone())));
    html! {
        <Field label="Endpoint">
            <Select {options} value={draft.endpoint.clone()} on_change={set(draft, |draft, text| draft.endpoint = text)} test="load-endpoint" />
        </Field>
    }
}

#[component]
fn MixField(props: &PartProps) -> Html {
    let (draft, mistakes) = (&props.draft, &props.mistakes);
    // What the file names otherwise than the list does is still a part of the mix.
    let mut names = props.endpoints.clone();
    names.extend(draft.mix.iter().map(|(name, _)| AttrValue::from(name.clone())).filter(|name| !props.endpoints.contains(name)));
    html! {
        <div class="chips-field" data-test="load-mix">
            <div class="mix">
                { for names.into_iter().enumerate().map(|(at, name)| {
                    let wrong = mistake(mistakes, &format!("mix {name}"));
                    let own = name.clone();
                    html! {
                        <div class="mix-row" key={name.to_string()}>
                            <Input value={draft.weight(&name).to_owned()} placeholder="–" label={format!("Weight of {name}")}
                                on_input={set(draft, move |draft, text| draft.weigh(&own, text))}
                                invalid={wrong.is_some()} test={format!("mix-weight-{at}")} />
                            <MiddleCut text={name} limit={NAME} />
                            if let Some(wrong) = wrong { <span class="field-error" role="alert">{ wrong }</span> }
                        </div>
                    }
                }) }
            </div>
            if let Some(wrong) = mistake(mistakes, "mix") { <span class="field-error" role="alert">{ wrong }</span> }
        </div>
    }
}

/// The properties of [`ListField`].
#[derive(Properties, Clone, PartialEq)]
pub struct ListProps {
    /// What stands in the fields.
    pub draft: UseStateHandle<Draft>,
    /// What would do in those that can't be read.
    #[prop_or_default]
    pub mistakes: Rc<Mistakes>,
    /// The endpoints to choose from.
    pub endpoints: Vec<AttrValue>,
    /// Which list.
    pub which: Listed,
}

/// Endpoints that are called in order.
#[component]
pub fn ListField(props: &ListProps) -> Html {
    let (draft, which) = (&props.draft, props.which);
    let name = match which {
        Listed::Chain => "chain",
        Listed::Setup => "setup",
        Listed::Teardown => "teardown",
    };
    let mut options: Vec<(AttrValue, AttrValue)> = vec![("".into(), "Add an endpoint…".into())];
    options.extend(props.endpoints.iter().map(|label| (label.clone(), label.clone())));
    let on_add = set(draft, move |draft, endpoint| {
        if !endpoint.is_empty() {
            draft.listed_mut(which).push(endpoint);
        }
    });
    html! {
        <div class="chips-field" data-test={format!("load-{name}")}>
            <ol class="chain">
                { for draft.listed(which).iter().enumerate().map(|(at, endpoint)| html! {
                    <li class="chip" key={at} data-test={format!("{name}-step")}>
                        <MiddleCut text={endpoint.clone()} limit={NAME} />
                        <Button kind={Kind::Quiet} glyph={Glyph::Close} label={format!("Take out {endpoint}")}
                            test={format!("{name}-remove-{at}")}
                            onclick={press(draft, move |draft| { draft.listed_mut(which).remove(at); })} />
                    </li>
                }) }
                <li><Select {options} value="" on_change={on_add} label="One more endpoint" test={format!("{name}-add")} /></li>
            </ol>
            if let Some(wrong) = mistake(&props.mistakes, name) { <span class="field-error" role="alert">{ wrong }</span> }
        </div>
    }
}

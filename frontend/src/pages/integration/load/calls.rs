//! Which endpoints a run calls: one, several by weight, or several in order.

use yew::prelude::*;

use super::form::{PartProps, mistake, press, set};
use crate::{
    components::{Button, Field, Glyph, Input, Kind, MiddleCut, Segments, Select},
    utils::load_draft::Calls,
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
                Calls::Chain => html! { <ChainField ..props.clone() /> },
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

#[component]
fn ChainField(props: &PartProps) -> Html {
    let (draft, mistakes) = (&props.draft, &props.mistakes);
    let mut options: Vec<(AttrValue, AttrValue)> = vec![("".into(), "Add an endpoint…".into())];
    options.extend(props.endpoints.iter().map(|label| (label.clone(), label.clone())));
    let on_add = set(draft, |draft, name| {
        if !name.is_empty() {
            draft.chain.push(name);
        }
    });
    html! {
        <div class="chips-field" data-test="load-chain">
            <ol class="chain">
                { for draft.chain.iter().enumerate().map(|(at, name)| html! {
                    <li class="chip" key={at} data-test="chain-step">
                        <MiddleCut text={name.clone()} limit={NAME} />
                        <Button kind={Kind::Quiet} glyph={Glyph::Close} label={format!("Take out {name}")}
                            test={format!("chain-remove-{at}")} onclick={press(draft, move |draft| { draft.chain.remove(at); })} />
                    </li>
                }) }
                <li><Select {options} value="" on_change={on_add} label="One more endpoint" test="chain-add" /></li>
            </ol>
            if let Some(wrong) = mistake(mistakes, "chain") { <span class="field-error" role="alert">{ wrong }</span> }
        </div>
    }
}

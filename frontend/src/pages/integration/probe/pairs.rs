//! Names and values under each other: headers, the query.

use yew::prelude::*;

use crate::components::{Button, Glyph, Input, Kind};

/// The properties of [`Pairs`].
#[derive(Properties, PartialEq)]
pub struct PairsProps {
    /// What they are: `Header`.
    pub noun: AttrValue,
    /// The pairs in order.
    pub pairs: Vec<(String, String)>,
    /// Told of each change.
    pub on_change: Callback<Vec<(String, String)>>,
    /// The name by which tests find the fields; they add `-name-0`, `-value-0` and so on.
    pub test: AttrValue,
}

/// An editor of pairs. There is always one empty pair at the end to type into.
#[component]
pub fn Pairs(props: &PairsProps) -> Html {
    let count = props.pairs.len() + 1;
    let edit = |at: usize, change: fn(&mut (String, String), String)| {
        let (pairs, on_change) = (props.pairs.clone(), props.on_change.clone());
        Callback::from(move |text: String| {
            let mut next = pairs.clone();
            if at == next.len() {
                next.push((String::new(), String::new()));
            }
            if let Some(pair) = next.get_mut(at) {
                change(pair, text);
            }
            next.retain(|(name, value)| !name.is_empty() || !value.is_empty());
            on_change.emit(next);
        })
    };
    html! {
        <div class="pairs" role="group" aria-label={format!("{}s", props.noun)}>
            { for (0..count).map(|at| {
                let (name, value) = props.pairs.get(at).cloned().unwrap_or_default();
                let take_out = {
                    let (pairs, on_change) = (props.pairs.clone(), props.on_change.clone());
                    Callback::from(move |_: MouseEvent| {
                        let mut next = pairs.clone();
                        next.remove(at);
                        on_change.emit(next);
                    })
                };
                html! {
                    <div class="pair" key={at}>
                        <Input value={name} on_input={edit(at, |pair, text| pair.0 = text)} code=true placeholder="name"
                            label={format!("{} {}, name", props.noun, at + 1)} test={format!("{}-name-{at}", props.test)} />
                        <Input value={value} on_input={edit(at, |pair, text| pair.1 = text)} code=true placeholder="value"
                            label={format!("{} {}, value", props.noun, at + 1)} test={format!("{}-value-{at}", props.test)} />
                        <Button kind={Kind::Quiet} glyph={Glyph::Close} disabled={at + 1 == count} onclick={take_out}
                            label={format!("Take out {} {}", props.noun.to_lowercase(), at + 1)} test={format!("{}-remove-{at}", props.test)} />
                    </div>
                }
            }) }
        </div>
    }
}

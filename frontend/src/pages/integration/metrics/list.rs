//! The list of series to choose from.

use std::{collections::BTreeSet, rc::Rc};

use patchbay_contracts::{chart::Unit, metrics::MetricKind};
use yew::prelude::*;

use crate::{
    components::{Glyph, Icon, Input, MiddleCut},
    utils::{
        families::{Choice, FamilyEntry, Item, braced},
        text,
    },
};

/// How many families, and how many series of one, are shown before the others are asked for.
const SHOWN: usize = 60;

/// The properties of [`SeriesList`].
#[derive(Properties, PartialEq)]
pub struct SeriesListProps {
    /// The families.
    pub families: Rc<Vec<FamilyEntry>>,
    /// What is drawn.
    pub chosen: Rc<Vec<Choice>>,
    /// Told of what is to be drawn, or no more.
    pub on_toggle: Callback<Choice>,
}

/// Families, each with its kind; the series of one that is unfolded, each with its last value.
#[component]
pub fn SeriesList(props: &SeriesListProps) -> Html {
    let wanted = use_state_eq(String::new);
    let opened = use_state_eq(BTreeSet::<String>::new);
    let shown = use_state_eq(|| SHOWN);
    let words: Vec<String> = wanted.split_whitespace().map(str::to_lowercase).collect();
    let fits = |text: &str| {
        let text = text.to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    // A family is shown for its own sake, or for that of a series in it, and then with that series only.
    let found: Vec<(&FamilyEntry, Vec<&Item>)> = props
        .families
        .iter()
        .filter_map(|family| {
            if fits(&format!("{} {}", family.name, family.help)) {
                return Some((family, family.items.iter().collect()));
            }
            let items: Vec<&Item> = family.items.iter().filter(|item| fits(&item.choice.title())).collect();
            (!items.is_empty()).then_some((family, items))
        })
        .collect();
    let on_input = {
        let wanted = wanted.setter();
        Callback::from(move |text| wanted.set(text))
    };
    let count: usize = props.families.iter().map(|family| family.items.len()).sum();
    let more = found.len().saturating_sub(*shown);
    let on_more = {
        let shown = shown.clone();
        Callback::from(move |_: MouseEvent| shown.set(*shown + SHOWN))
    };
    html! {
        <div class="series-list" role="group" aria-label="Series">
            <Input kind="search" value={(*wanted).clone()} {on_input} label="Filter the series" filter=true
                placeholder={format!("Filter {} series (/)", text::count(count as u64))} test="series-filter" />
            if found.is_empty() { <p class="muted" data-test="series-none">{ format!("No series contains “{}”.", *wanted) }</p> }
            <ul>
                { for found.iter().take(*shown).map(|(family, items)| html! {
                    <Family key={family.name.clone()} name={family.name.clone()} kind={family.kind} help={family.help.clone()} whole={family.whole()}
                        items={items.iter().map(|item| (*item).clone()).collect::<Vec<_>>()} chosen={props.chosen.clone()}
                        on_toggle={props.on_toggle.clone()} opened={opened.clone()} searching={!words.is_empty()} />
                }) }
            </ul>
            if more > 0 {
                <button type="button" class="link" onclick={on_more}>{ format!("{} more", text::count(more as u64)) }</button>
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct FamilyProps {
    name: String,
    kind: MetricKind,
    help: String,
    whole: Option<Choice>,
    items: Vec<Item>,
    chosen: Rc<Vec<Choice>>,
    on_toggle: Callback<Choice>,
    opened: UseStateHandle<BTreeSet<String>>,
    searching: bool,
}

/// One family.
#[component]
fn Family(props: &FamilyProps) -> Html {
    let all = use_state_eq(|| false);
    let single = props.items.len() == 1 && props.items[0].choice.labels.is_empty();
    let open =
        !single && (props.opened.contains(&props.name) || props.whole.is_none() || (props.searching && props.items.len() <= 8));
    let toggle = {
        let (opened, name) = (props.opened.clone(), props.name.clone());
        Callback::from(move |_: MouseEvent| {
            let mut next = (*opened).clone();
            if !next.remove(&name) {
                next.insert(name.clone());
            }
            opened.set(next);
        })
    };
    let kind = kind_word(props.kind);
    let shown = if *all { props.items.len() } else { SHOWN };
    let more = props.items.len().saturating_sub(shown);
    html! {
        <li class="family">
            <div class="family-head">
                if single {
                    <span class="fold-room" />
                } else {
                    <button type="button" class="fold" aria-expanded={if open { "true" } else { "false" }} onclick={toggle}
                        aria-label={format!("Series of {}", props.name)} data-test="family-open"><Icon glyph={Glyph::Chevron} /></button>
                }
                if let Some(whole) = &props.whole {
                    <ChoiceButton choice={whole.clone()} chosen={props.chosen.contains(whole)} on_toggle={props.on_toggle.clone()}
                        title={format!("{} {}", props.name, props.help)} label={props.name.clone()}
                        value={if single { Unit::Count.show(props.items[0].last) } else { text::count(props.items.len() as u64) + " ×" }} />
                } else {
                    <span class="family-name" title={props.help.clone()}><MiddleCut text={props.name.clone()} limit=24 /></span>
                }
                <span class="kind">{ kind }</span>
            </div>
            if open {
                <ul class="family-items">
                    { for props.items.iter().take(shown).map(|item| {
                        let label = match (&props.whole, item.choice.labels.is_empty()) {
                            (Some(_), true) => "no labels".to_owned(),
                            (Some(_), false) => braced(&item.choice.labels),
                            (None, _) => item.choice.title(),
                        };
                        html! {
                            <li key={item.choice.title()}>
                                <ChoiceButton choice={item.choice.clone()} chosen={props.chosen.contains(&item.choice)}
                                    on_toggle={props.on_toggle.clone()} title={item.choice.title()} {label} value={Unit::Count.show(item.last)} />
                            </li>
                        }
                    }) }
                    if more > 0 {
                        <li><button type="button" class="link" onclick={Callback::from(move |_: MouseEvent| all.set(true))}>
                            { format!("{} more", text::count(more as u64)) }
                        </button></li>
                    }
                </ul>
            }
        </li>
    }
}

#[derive(Properties, PartialEq)]
struct ChoiceButtonProps {
    choice: Choice,
    chosen: bool,
    label: String,
    title: String,
    value: String,
    on_toggle: Callback<Choice>,
}

/// Draws something, or no more.
#[component]
fn ChoiceButton(props: &ChoiceButtonProps) -> Html {
    let onclick = {
        let choice = props.choice.clone();
        props.on_toggle.reform(move |_: MouseEvent| choice.clone())
    };
    html! {
        <button type="button" class={classes!("choice", props.chosen.then_some("chosen"))} aria-pressed={if props.chosen { "true" } else { "false" }}
            title={props.title.clone()} {onclick} data-test="series">
            <span class="choice-name code"><MiddleCut text={props.label.clone()} limit=24 /></span>
            <span class="choice-value">{ &props.value }</span>
        </button>
    }
}

const fn kind_word(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Counter => "counter",
        MetricKind::Gauge => "gauge",
        MetricKind::Histogram => "histogram",
        MetricKind::GaugeHistogram => "gauge histogram",
        MetricKind::Summary => "summary",
        MetricKind::Info => "info",
        MetricKind::StateSet => "states",
        MetricKind::Untyped => "untyped",
    }
}

//! The list of series to choose from.

use std::{collections::BTreeSet, rc::Rc};

use patchbay_contracts::{chart::Unit, metrics::MetricKind};
use yew::prelude::*;

use crate::{
    components::{Glyph, Icon, Input, MiddleCut},
    utils::{
        families::{Choice, Families, Found, braced, search},
        text,
    },
};

/// How many families, and how many series of one, are shown before the others are asked for.
const SHOWN: usize = 60;

/// The properties of [`SeriesList`].
#[derive(Properties, PartialEq)]
pub struct SeriesListProps {
    /// The families.
    pub families: Families,
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
    let searching = !wanted.trim().is_empty();
    // There may be fifty thousand series: what fits is looked for once for each set of words, and kept by place.
    let found = use_memo((props.families.clone(), (*wanted).clone()), |(families, wanted)| search(families, wanted));
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
                { for found.iter().take(*shown).map(|found| html! {
                    <Family key={found.family.name.clone()} found={found.clone()} chosen={props.chosen.clone()}
                        on_toggle={props.on_toggle.clone()} opened={opened.clone()} {searching} />
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
    found: Found,
    chosen: Rc<Vec<Choice>>,
    on_toggle: Callback<Choice>,
    opened: UseStateHandle<BTreeSet<String>>,
    searching: bool,
}

/// One family.
#[component]
fn Family(props: &FamilyProps) -> Html {
    let shown = use_state_eq(|| SHOWN);
    let family = &props.found.family;
    let count = props.found.count();
    let whole = use_memo(family.clone(), |family| family.whole());
    let alone = props.found.items().next().filter(|item| count == 1 && item.choice.labels.is_empty());
    let single = alone.is_some();
    let open = !single && (props.opened.contains(&family.name) || whole.is_none() || (props.searching && count <= 8));
    let toggle = {
        let (opened, name) = (props.opened.clone(), family.name.clone());
        Callback::from(move |_: MouseEvent| {
            let mut next = (*opened).clone();
            if !next.remove(&name) {
                next.insert(name.clone());
            }
            opened.set(next);
        })
    };
    let kind = kind_word(family.kind);
    let more = count.saturating_sub(*shown);
    html! {
        <li class="family">
            <div class="family-head">
                if single {
                    <span class="fold-room" />
                } else {
                    <button type="button" class="fold" aria-expanded={if open { "true" } else { "false" }} onclick={toggle}
                        aria-label={format!("Series of {}", family.name)} data-test="family-open"><Icon glyph={Glyph::Chevron} /></button>
                }
                if let Some(whole) = &*whole {
                    <ChoiceButton choice={whole.clone()} chosen={props.chosen.contains(whole)} on_toggle={props.on_toggle.clone()}
                        title={format!("{} {}", family.name, family.help)} label={family.name.clone()}
                        value={alone.map_or_else(|| text::count(count as u64) + " ×", |item| Unit::Count.show(item.last))} />
                } else {
                    <span class="family-name" title={family.help.clone()}><MiddleCut text={family.name.clone()} limit=24 /></span>
                }
                <span class="kind">{ kind }</span>
            </div>
            if open {
                <ul class="family-items">
                    { for props.found.items().take(*shown).map(|item| {
                        let label = match (&*whole, item.choice.labels.is_empty()) {
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
                        <li><button type="button" class="link" onclick={
                            let shown = shown.clone();
                            Callback::from(move |_: MouseEvent| shown.set(*shown + SHOWN * 4))
                        }>{ format!("{} more", text::count(more as u64)) }</button></li>
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

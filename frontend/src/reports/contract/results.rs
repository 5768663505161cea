//! What a contract run has found so far or found in all: the table, what did not hold, and one of it in the drawer.

use std::rc::Rc;

use patchbay_contracts::contract::Check;
use yew::prelude::*;

use super::{
    detail::Detail,
    grid::{Grid, Place, capital, look, tone},
};
use crate::{
    components::{EmptyState, Glyph, Icon, Input, MiddleCut, Segments, in_words},
    utils::{
        compare::{Change, Comparison, compare},
        matrix::{Broken, Filter, Judged, Matrix, Outcome, broken},
        text,
    },
};

/// How many failures are listed before the rest is asked for.
const LISTED: usize = 30;

/// The properties of [`Results`].
#[derive(Properties, PartialEq)]
pub struct ResultsProps {
    /// The operations that were judged, in order.
    pub results: Rc<Vec<Judged>>,
    /// Runs the operations of these labels again.
    #[prop_or_default]
    pub on_rerun: Option<Callback<Vec<String>>>,
    /// The operations of the run that this one is compared with.
    #[prop_or_default]
    pub before: Option<Rc<Vec<Judged>>>,
    /// What one result is about.
    #[prop_or("operation".into())]
    pub noun: AttrValue,
}

/// What is open: the label of an operation, and one of its checks or all of them.
type Open = (AttrValue, Option<Check>);

/// The table with its filter, the failures under it, and what is open in the drawer.
#[component]
pub fn Results(props: &ResultsProps) -> Html {
    let filter = use_state_eq(Filter::default);
    let open = use_state_eq(|| None::<Open>);
    let matrix = use_memo(props.results.clone(), |results| Matrix::of(results));
    let deps = (props.before.clone(), props.results.clone());
    let comparison = use_memo(deps, |(before, now)| before.as_ref().map(|before| Rc::new(compare(before, now))));
    let rows = use_memo((matrix.clone(), (*filter).clone()), |(matrix, filter)| matrix.shown(filter));
    let found = use_memo((matrix.clone(), rows.clone()), |(matrix, rows)| broken(matrix, rows));
    let on_open = {
        let open = open.setter();
        use_callback((), move |(result, check): Place, ()| open.set(Some((result.endpoint.clone().into(), check))))
    };
    let on_close = {
        let open = open.setter();
        use_callback((), move |(), ()| open.set(None))
    };
    let shown = open.as_ref().and_then(|(label, check)| {
        let result = props.results.iter().find(|result| *result.endpoint == **label)?;
        Some((result.clone(), *check))
    });
    let on_next = shown.as_ref().and_then(|shown| next(&matrix, &found, shown)).map(|place| {
        let on_open = on_open.clone();
        Callback::from(move |()| on_open.emit(place.clone()))
    });
    html! {
        <>
            <Bar matrix={matrix.clone()} shown={rows.len()} noun={props.noun.clone()} filter={(*filter).clone()} on_filter={
                let filter = filter.setter();
                Callback::from(move |next| filter.set(next))
            } />
            if let Some(comparison) = &*comparison { <Changes comparison={comparison.clone()} /> }
            if rows.is_empty() {
                <EmptyState glyph={Glyph::Search} title={format!("No {} fits the filter", props.noun)} hint="Fewer words find more." test="matrix-none" />
            } else {
                <Grid matrix={matrix.clone()} {rows} noun={props.noun.clone()} comparison={(*comparison).clone()} open={(*open).clone()} on_open={on_open.clone()} />
            }
            <Failures matrix={matrix.clone()} {found} on_open={on_open.clone()} />
            if let Some((result, check)) = shown {
                <Detail {result} {check} on_rerun={props.on_rerun.clone()} {on_close} {on_next} />
            }
        </>
    }
}

/// The next thing that did not hold after what is open; the first one after the last.
fn next(matrix: &Matrix, found: &[Broken], (result, check): &Place) -> Option<Place> {
    let place = |one: &Broken| {
        let result = &matrix.rows.get(one.row)?.result;
        Some((result.clone(), Some(result.checks.get(one.check)?.check)))
    };
    let places: Vec<Place> = found.iter().filter_map(place).collect();
    let here = |other: &Place| other.0.endpoint == result.endpoint && (check.is_none() || other.1 == *check);
    let last = places.iter().rposition(here);
    let next = places.get(last.map_or(0, |at| at + 1)).or(places.first())?;
    (!here(next)).then(|| next.clone())
}

#[derive(Properties, PartialEq)]
struct BarProps {
    matrix: Rc<Matrix>,
    shown: usize,
    noun: AttrValue,
    filter: Filter,
    on_filter: Callback<Filter>,
}

/// The filter, and how many checks came out how.
#[component]
fn Bar(props: &BarProps) -> Html {
    let options = vec![("all".into(), "All".into()), ("failing".into(), "Failing".into())];
    let on_change = {
        let (filter, on_filter) = (props.filter.clone(), props.on_filter.clone());
        Callback::from(move |value: AttrValue| on_filter.emit(Filter { failing: value == "failing", ..filter.clone() }))
    };
    let on_input = {
        let (filter, on_filter) = (props.filter.clone(), props.on_filter.clone());
        Callback::from(move |text: String| on_filter.emit(Filter { text, ..filter.clone() }))
    };
    let cells = || props.matrix.rows.iter().flat_map(|row| row.cells.iter().flatten());
    let all = props.matrix.rows.len();
    html! {
        <div class="toolbar">
            <Segments label={format!("Which {}s", props.noun)} {options} value={if props.filter.failing { "failing" } else { "all" }} {on_change} test="matrix-show" />
            <div class="filter">
                <Icon glyph={Glyph::Search} />
                <Input kind="search" value={props.filter.text.clone()} {on_input} placeholder={format!("{}, failure", capital(&props.noun))} label="Filter"
                    filter=true test="matrix-filter" />
            </div>
            if props.shown != all { <span class="muted" role="status">{ format!("{} of {}", props.shown, text::counted(all as u64, &props.noun)) }</span> }
            <span class="grow" />
            <ul class="row legend-counts" aria-label="Checks" data-test="matrix-counts">
                { for Outcome::ALL.into_iter().filter_map(|outcome| {
                    let count: u32 = cells().map(|cell| cell.count(outcome)).sum();
                    let (glyph, class) = look(outcome);
                    (count > 0).then(|| html! {
                        <li class={classes!("badge", class)} data-state={outcome.as_str()}><Icon {glyph} />
                            <span>{ outcome.counted(count) }</span></li>
                    })
                }) }
            </ul>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct ChangesProps {
    comparison: Rc<Comparison>,
}

/// What became of the operations since the other run, in figures.
#[component]
fn Changes(props: &ChangesProps) -> Html {
    let comparison = &props.comparison;
    let counts: Vec<(Change, usize)> =
        Change::ALL.into_iter().map(|change| (change, comparison.count(change))).filter(|(_, count)| *count > 0).collect();
    html! {
        <p class="row" data-test="changes">
            <span class="muted">{ "Since the other run:" }</span>
            if counts.is_empty() { <span>{ "nothing changed" }</span> }
            { for counts.into_iter().map(|(change, count)| html! {
                <span class={classes!("change", tone(change))}>{ format!("{count} {}", change.as_str()) }</span>
            }) }
            if !comparison.missing.is_empty() {
                <span class="muted" title={comparison.missing.iter().take(20).cloned().collect::<Vec<_>>().join("\n")}>
                    { format!("{} not run this time", comparison.missing.len()) }
                </span>
            }
        </p>
    }
}

#[derive(Properties, PartialEq)]
struct FailuresProps {
    matrix: Rc<Matrix>,
    found: Rc<Vec<Broken>>,
    on_open: Callback<Place>,
}

/// All that did not hold, one line each.
#[component]
fn Failures(props: &FailuresProps) -> Html {
    let limit = use_state_eq(|| LISTED);
    if props.found.is_empty() {
        return Html::default();
    }
    let more = props.found.len().saturating_sub(*limit);
    html! {
        <section aria-label="What did not hold" data-test="failures">
            <h3>{ format!("What did not hold: {}", text::count(props.found.len() as u64)) }</h3>
            <ul class="broken">
                { for props.found.iter().take(*limit).filter_map(|one| {
                    let result = props.matrix.rows.get(one.row)?.result.clone();
                    let check = result.checks.get(one.check)?.clone();
                    let (glyph, class) = look(one.outcome);
                    let onclick = {
                        let (on_open, result, check) = (props.on_open.clone(), result.clone(), check.check);
                        Callback::from(move |_: MouseEvent| on_open.emit((result.clone(), Some(check))))
                    };
                    Some(html! {
                        <li>
                            <button type="button" class="broken-row" {onclick} data-test="broken-row" data-check={check.check.as_str()} data-name={result.endpoint.clone()}>
                                <span class={classes!("badge", class)}><Icon {glyph} /><span>{ one.outcome.as_str() }</span></span>
                                <span class="broken-what"><MiddleCut text={result.endpoint.clone()} limit=44 /><span class="muted">{ check.check.as_str() }</span></span>
                                <span class="broken-message">{ in_words(&check.message) }</span>
                                <span class="code muted broken-pointer">{ check.pointer.as_deref().map(|pointer| text::middle_cut(pointer, 40)).unwrap_or_default() }</span>
                            </button>
                        </li>
                    })
                }) }
            </ul>
            if more > 0 {
                <button type="button" class="link" onclick={
                    let limit = limit.clone();
                    Callback::from(move |_: MouseEvent| limit.set(*limit + LISTED * 4))
                }>{ format!("Show {} more", more.min(LISTED * 4)) }</button>
            }
        </section>
    }
}

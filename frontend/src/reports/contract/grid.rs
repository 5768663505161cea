//! Operations against checks, to be walked through with the arrow keys.

use std::rc::Rc;

use patchbay_contracts::{contract::Check, run::Verdict};
use yew::prelude::*;

use crate::{
    components::{Glyph, MiddleCut},
    utils::{
        compare::{Change, Comparison},
        dom,
        matrix::{Judged, Matrix, Outcome, Tally, moved},
        text,
    },
};

/// How many rows are drawn at first, and more each time that their end comes into sight. Thousands of cells take a moment.
const CHUNK: usize = 50;
/// How near the end of what is drawn has to come, in pixels.
const NEAR: i32 = 600;
/// The longest label that is shown whole, in characters.
const LABEL: usize = 52;

/// The picture of an outcome, and the class of its colour.
pub const fn look(outcome: Outcome) -> (Glyph, &'static str) {
    match outcome {
        Outcome::Held => (Glyph::Healthy, "healthy"),
        Outcome::Accepted => (Glyph::Flag, "unobserved"),
        Outcome::Warning => (Glyph::Degraded, "degraded"),
        Outcome::Unclear => (Glyph::Inconclusive, "degraded"),
        Outcome::Failed => (Glyph::Down, "down"),
    }
}

/// A cell of the table: an operation, and one of its checks or all of them.
pub type Place = (Judged, Option<Check>);

/// The properties of [`Grid`].
#[derive(Properties, PartialEq)]
pub struct GridProps {
    /// The table.
    pub matrix: Rc<Matrix>,
    /// The rows that are shown, in order.
    pub rows: Rc<Vec<usize>>,
    /// What became of them since an earlier run.
    pub comparison: Option<Rc<Comparison>>,
    /// What a row is about.
    pub noun: AttrValue,
    /// The cell that is open: the label of its operation, and its check.
    pub open: Option<(AttrValue, Option<Check>)>,
    /// Told of the cell to open.
    pub on_open: Callback<Place>,
}

/// The table. One stop for the tab key; the arrow keys move between cells, Enter opens one.
#[component]
pub fn Grid(props: &GridProps) -> Html {
    let at = use_state_eq(|| (0_usize, 0_usize));
    let limit = use_state_eq(|| CHUNK);
    let walked = use_mut_ref(|| false);
    let (count, columns) = (props.rows.len(), props.matrix.columns.len() + 1);
    // What is filtered away takes the place along.
    let here = (at.0.min(count.saturating_sub(1)), at.1.min(columns - 1));
    let shown = count.min(*limit).max(count.min(here.0 + 1));
    {
        let walked = walked.clone();
        use_effect_with((here, shown), move |((row, column), _)| {
            if std::mem::take(&mut *walked.borrow_mut()) {
                dom::focus_first(&format!("[data-cell=\"{row}-{column}\"]"));
            }
        });
    }
    let open = {
        let (matrix, rows, on_open, at) = (props.matrix.clone(), props.rows.clone(), props.on_open.clone(), at.setter());
        move |(row, column): (usize, usize)| {
            at.set((row, column));
            let Some(result) = rows.get(row).and_then(|row| matrix.rows.get(*row)).map(|row| row.result.clone()) else { return };
            on_open.emit((result, column.checked_sub(1).and_then(|column| matrix.columns.get(column).copied())));
        }
    };
    let onclick = {
        let open = open.clone();
        Callback::from(move |event: MouseEvent| {
            if let Some(cell) = dom::around(&event, "data-cell").as_deref().and_then(cell) {
                open(cell);
            }
        })
    };
    let onkeydown = {
        let at = at.setter();
        Callback::from(move |event: KeyboardEvent| {
            if event.alt_key() || event.ctrl_key() || event.meta_key() {
                return;
            }
            match event.key().as_str() {
                "Enter" | " " => open(here),
                key => {
                    let Some(next) = moved(here, key, count, columns) else { return };
                    *walked.borrow_mut() = true;
                    at.set(next);
                }
            }
            event.prevent_default();
        })
    };
    let more = count - shown;
    let onscroll = {
        let limit = limit.clone();
        Callback::from(move |event: Event| {
            if more > 0 && dom::below(&event).is_some_and(|below| below < NEAR) {
                limit.set(shown + CHUNK);
            }
        })
    };
    html! {
        <>
            <div class="matrix-frame" {onscroll}>
                <table class="matrix" role="grid" aria-label={format!("{}s against checks", capital(&props.noun))} aria-rowcount={(count + 1).to_string()}
                    data-test="matrix" {onclick} {onkeydown}>
                    <thead>
                        <tr>
                            <th scope="col" class="matrix-corner">{ capital(&props.noun) }</th>
                            { for props.matrix.columns.iter().map(|check| html! {
                                <th scope="col" class="matrix-check" title={check.description()} data-test="matrix-column"
                                    data-check={check.as_str()} aria-label={format!("{}: {}", check.as_str(), check.description())}>
                                    <span>{ check.as_str() }</span>
                                </th>
                            }) }
                            <th class="matrix-rest" aria-hidden="true" />
                        </tr>
                    </thead>
                    <tbody>
                        { for props.rows.iter().take(shown).enumerate().filter_map(|(nth, place)| {
                            let row = props.matrix.rows.get(*place)?;
                            let open = props.open.as_ref().filter(|(label, _)| **label == row.result.endpoint);
                            let open = open.map(|(_, check)| check.and_then(|check| props.matrix.columns.iter().position(|own| *own == check)).map_or(0, |at| at + 1));
                            Some(html! {
                                <GridRow key={*place} at={nth} result={row.result.clone()} cells={row.cells.clone()}
                                    columns={props.matrix.columns.clone()} stop={(here.0 == nth).then_some(here.1)} {open}
                                    comparison={props.comparison.clone()} />
                            })
                        }) }
                    </tbody>
                </table>
            </div>
            if more > 0 {
                <button type="button" class="link start" data-test="matrix-more" onclick={
                    let limit = limit.clone();
                    Callback::from(move |_: MouseEvent| limit.set(shown + CHUNK))
                }>{ format!("Show {} more of {}", CHUNK.min(more), text::counted(count as u64, &props.noun)) }</button>
            }
        </>
    }
}

/// A word as it begins a line.
pub fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Row and column of a cell from its name: `12-3`.
fn cell(name: &str) -> Option<(usize, usize)> {
    let (row, column) = name.split_once('-')?;
    Some((row.parse().ok()?, column.parse().ok()?))
}

#[derive(Properties, PartialEq)]
struct GridRowProps {
    /// Which of the rows that are shown.
    at: usize,
    result: Judged,
    cells: Vec<Option<Tally>>,
    columns: Vec<Check>,
    /// The column whose cell takes the focus, where it is in this row.
    stop: Option<usize>,
    /// The column whose cell is open, where it is in this row.
    open: Option<usize>,
    comparison: Option<Rc<Comparison>>,
}

/// One operation.
#[component]
fn GridRow(props: &GridRowProps) -> Html {
    let (result, label) = (&props.result, &props.result.endpoint);
    let (glyph, class) = look(match result.verdict {
        Verdict::Pass => Outcome::Held,
        Verdict::Fail => Outcome::Failed,
        Verdict::Inconclusive => Outcome::Unclear,
    });
    let change = props.comparison.as_ref().map_or(Change::Steady, |comparison| comparison.operation(label));
    let stop = |column: usize| if props.stop == Some(column) { "0" } else { "-1" };
    let selected = |column: usize| (props.open == Some(column)).then_some("true");
    html! {
        <tr data-test="matrix-row" data-name={label.clone()} data-verdict={result.verdict.as_str()}>
            <th scope="row" role="rowheader" class="matrix-operation" tabindex={stop(0)} data-cell={format!("{}-0", props.at)}
                aria-selected={selected(0)} aria-label={spoken(label, result.verdict.as_str(), change)}>
                <span class="matrix-label">
                    <span class={classes!("badge", class)}>{ glyph.picture("") }</span>
                    <MiddleCut text={label.clone()} limit={LABEL} />
                    if change != Change::Steady { <span class={classes!("change", tone(change))} data-test="change">{ change.as_str() }</span> }
                </span>
            </th>
            { for props.cells.iter().zip(&props.columns).enumerate().map(|(nth, (tally, check))| {
                let change = props.comparison.as_ref().map_or(Change::Steady, |comparison| comparison.check(label, *check));
                let outcome = tally.as_ref().and_then(Tally::outcome);
                let words = tally.unwrap_or_default().words();
                let said = spoken(&format!("{label}: {}", check.as_str()), &words, change);
                let class = classes!("matrix-cell", outcome.map(|outcome| look(outcome).1), (change != Change::Steady).then(|| tone(change)));
                html! {
                    <td role="gridcell" {class} tabindex={stop(nth + 1)} data-cell={format!("{}-{}", props.at, nth + 1)}
                        data-test="matrix-cell" data-check={check.as_str()} data-state={outcome.map_or("none", Outcome::as_str)}
                        aria-selected={selected(nth + 1)} aria-label={said.clone()} title={said}>
                        if let (Some(outcome), Some(tally)) = (outcome, tally) {
                            { look(outcome).0.picture("") }<span>{ text::count(u64::from(tally.count(outcome))) }</span>
                        }
                    </td>
                }
            }) }
            <td class="matrix-rest" aria-hidden="true" />
        </tr>
    }
}

fn spoken(what: &str, words: &str, change: Change) -> String {
    match change {
        Change::Steady => format!("{what}: {words}"),
        change => format!("{what}: {words}, {}", change.as_str()),
    }
}

/// The class of a change's colour.
pub const fn tone(change: Change) -> &'static str {
    match change {
        Change::NewlyFailed => "newly",
        Change::Fixed => "fixed",
        Change::StillFailing => "still",
        Change::New | Change::Steady => "fresh",
    }
}

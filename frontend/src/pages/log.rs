//! What the program did.

use patchbay_contracts::{ipc::GetLog, workspace::LogLevel};
use yew::prelude::*;

use super::integrations::Filter;
use crate::{
    components::{Button, EmptyState, Glyph, Loading, ProblemView, Select},
    hooks::{use_now, use_query},
    utils::{clock, text},
};

const LEVELS: [(LogLevel, &str); 5] = [
    (LogLevel::Trace, "trace"),
    (LogLevel::Debug, "debug"),
    (LogLevel::Info, "info"),
    (LogLevel::Warn, "warn"),
    (LogLevel::Error, "error"),
];

/// How many lines are fetched.
const LINES: u32 = 500;

fn word(level: LogLevel) -> &'static str {
    LEVELS.iter().find(|(own, _)| *own == level).map_or("", |(_, word)| word)
}

/// The newest lines, newest first; fetched anew every few seconds.
#[component]
pub fn LogPage() -> Html {
    let level = use_state(|| LogLevel::Info);
    let filter = use_state(String::new);
    let now = use_now();
    let query = use_query((*level, now), |(level, _)| GetLog { level: *level, limit: LINES });
    let on_change = {
        let level = level.setter();
        Callback::from(move |picked: String| {
            if let Some((picked, _)) = LEVELS.iter().find(|(_, word)| *word == picked) {
                level.set(*picked);
            }
        })
    };
    let options = LEVELS.iter().map(|(_, word)| ((*word).into(), format!("{word} and graver").into())).collect::<Vec<_>>();
    let set = {
        let filter = filter.setter();
        Callback::from(move |text| filter.set(text))
    };
    let wanted = filter.to_lowercase();
    let lines = query.data.iter().flat_map(|lines| lines.iter().rev());
    let found: Vec<_> = lines
        .filter(|line| {
            wanted.is_empty() || line.text.to_lowercase().contains(&wanted) || line.target.to_lowercase().contains(&wanted)
        })
        .collect();
    html! {
        <>
            <div class="toolbar">
                <Filter value={(*filter).clone()} on_input={set} />
                <Select {options} value={word(*level)} {on_change} label="How grave" test="log-level" />
                <span class="grow" />
                <Button glyph={Glyph::Refresh} test="log-reload" onclick={query.reload.reform(|_: MouseEvent| ())}>{ "Read again" }</Button>
            </div>
            if let Some(problem) = query.problem.clone() { <ProblemView {problem} /> }
            if query.data.is_none() && query.problem.is_none() {
                <Loading what="the log" />
            } else if found.is_empty() {
                <EmptyState glyph={Glyph::Log} title="No such lines" hint="Choose a milder level or another filter to see more." />
            } else {
                <ol class="log code" data-test="log">
                    { for found.into_iter().map(|line| {
                        let offset = clock::offset_minutes(line.at);
                        html! {
                            <li class={classes!("log-line", word(line.level))} data-test="log-line">
                                <time class="muted" title={text::exact(line.at, offset)}>{ text::clock_time(line.at, offset) }</time>
                                <span class="log-level">{ word(line.level) }</span>
                                <span class="muted log-target">{ text::middle_cut(&line.target, 28) }</span>
                                <span class="log-text">{ &line.text }</span>
                            </li>
                        }
                    }) }
                </ol>
            }
        </>
    }
}

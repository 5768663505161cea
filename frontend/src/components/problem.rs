//! What went wrong, why, what to do and where.

use patchbay_contracts::{Code, Problem};
use yew::prelude::*;

use super::{Glyph, Icon};

/// The properties of [`ProblemView`].
#[derive(Properties, PartialEq)]
pub struct ProblemViewProps {
    /// The problem.
    pub problem: Problem,
    /// Whether it's only worth a warning.
    #[prop_or_default]
    pub mild: bool,
    /// Told when its place is asked for; without it, the place is only text.
    #[prop_or_default]
    pub on_place: Option<Callback<(u32, u32)>>,
    /// What can be done about it right here.
    #[prop_or_default]
    pub children: Html,
}

/// A problem whole.
#[component]
pub fn ProblemView(props: &ProblemViewProps) -> Html {
    let problem = &props.problem;
    let code = serde_json::to_value(problem.code).ok().and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default();
    let glyph = if props.mild { Glyph::Degraded } else { Glyph::Down };
    let place = problem.place.as_ref().map(|place| {
        let shown = place.to_string();
        match &props.on_place {
            Some(on_place) => {
                let (on_place, at) = (on_place.clone(), (place.line, place.column));
                let onclick = Callback::from(move |_: MouseEvent| on_place.emit(at));
                html! { <button type="button" class="link code" data-test="problem-place" {onclick}>{ shown }</button> }
            }
            None => html! { <span class="code muted" data-test="problem-place">{ shown }</span> },
        }
    });
    html! {
        <div class={classes!("problem", props.mild.then_some("mild"))} role="alert" data-test="problem" data-code={code}>
            <Icon {glyph} />
            <div class="problem-words">
                <p class="problem-what">{ in_words(&problem.what) }</p>
                if !problem.why.is_empty() { <p data-test="problem-why">{ in_words(&problem.why) }</p> }
                if !problem.next.is_empty() { <p class="problem-next" data-test="problem-next">{ in_words(&problem.next) }</p> }
                if let Some(place) = place { <p>{ place }</p> }
                if problem.code == Code::Internal { <p><a href={crate::route::Route::Log.href()}>{ "Open the log" }</a></p> }
                { props.children.clone() }
            </div>
        </div>
    }
}

/// A text as a sentence, with what stands between backticks in the font of code.
pub fn in_words(text: &str) -> Html {
    let sentence = sentence(text);
    let parts: Vec<&str> = sentence.split('`').collect();
    // An odd number of backticks means that one of them is meant as itself.
    if parts.len().is_multiple_of(2) {
        return html! { { sentence } };
    }
    let part = |(at, part): (usize, &str)| {
        if at % 2 == 1 {
            html! { <code class="code">{ part.to_owned() }</code> }
        } else {
            html! { { part.to_owned() } }
        }
    };
    parts.into_iter().enumerate().map(part).collect()
}

/// A text as a sentence: a capital at its start where it begins with a small word, a full stop at its end.
fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut letters = text.chars();
    let first_word = text.split_whitespace().next().unwrap_or_default();
    let plain = first_word.chars().all(char::is_alphabetic);
    let mut sentence = match letters.next() {
        Some(first) if plain => first.to_uppercase().chain(letters).collect::<String>(),
        _ => text.to_owned(),
    };
    if !sentence.ends_with(['.', '?', ':', '…']) {
        sentence.push('.');
    }
    sentence
}

/// The properties of [`ProblemList`].
#[derive(Properties, PartialEq)]
pub struct ProblemListProps {
    /// The problems.
    pub problems: Vec<Problem>,
    /// Told when a place is asked for.
    #[prop_or_default]
    pub on_place: Option<Callback<(u32, u32)>>,
}

/// How many problems are shown at once; a broken file can have hundreds, and the first ones explain the others.
const SHOWN: usize = 20;

/// Several problems under each other.
#[component]
pub fn ProblemList(props: &ProblemListProps) -> Html {
    let more = props.problems.len().saturating_sub(SHOWN);
    html! {
        <div class="problems">
            { for props.problems.iter().take(SHOWN).map(|problem| html! {
                <ProblemView problem={problem.clone()} on_place={props.on_place.clone()} />
            }) }
            if more > 0 { <p class="muted">{ format!("And {more} more.") }</p> }
        </div>
    }
}

//! The definition of an integration: its text with the mistakes in it, and a form for what is changed most often.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use gloo_timers::callback::Timeout;
use patchbay_contracts::{
    Code, Problem,
    ipc::{CheckDefinition, SaveDefinition, ShowIntegration},
    workspace::IntegrationDetail,
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::{TabProps, definition_form::DefinitionForm};
use crate::{
    components::{Button, CodeEditor, Glyph, Kind, Panel, ProblemList, ProblemView},
    hooks::{go, use_notify},
    ipc::call,
    route::{Route, Tab},
};

/// A text that isn't saved yet, and the mark of the text that it was made from.
#[derive(Debug, Clone, PartialEq)]
struct Draft {
    text: String,
    revision: String,
}

thread_local! {
    /// What was typed and not saved, by integration, so that leaving the page loses nothing.
    static DRAFTS: RefCell<HashMap<String, Draft>> = RefCell::default();
}

/// How long typing rests before the text is checked.
const REST_MS: u32 = 250;

/// The definition page.
#[component]
pub fn DefinitionTab(props: &TabProps) -> Html {
    let detail = props.detail.clone();
    let name = detail.summary.name.clone();
    let draft = use_state_eq(|| DRAFTS.with_borrow(|drafts| drafts.get(&name).cloned()));
    let jump = use_state(|| None::<(u32, u32, u32)>);
    // What was just saved stands for the file until the file itself has been read again.
    let saved = use_state_eq(|| None::<Draft>);
    {
        let saved = saved.setter();
        use_effect_with(detail.revision.clone(), move |_| saved.set(None));
    }
    let file = (*saved).clone().unwrap_or_else(|| Draft { text: detail.text.clone(), revision: detail.revision.clone() });
    let keep = keeper(&name, &file, &draft);
    let problems = use_marks(draft.as_ref().map(|draft| draft.text.clone()));
    let Saving { save, failure, busy } = use_saving(&name, &draft, &saved, &keep);
    let on_input = keep.reform(Some);
    let onkeydown = {
        let save = save.clone();
        Callback::from(move |event: KeyboardEvent| {
            let save_key = matches!(event.key().as_str(), "s" | "S" | "Enter") && (event.ctrl_key() || event.meta_key());
            if save_key {
                event.prevent_default();
                save.emit(None);
            }
        })
    };
    let on_place = {
        let jump = jump.clone();
        Callback::from(move |(line, column)| jump.set(Some((line, column, jump.map_or(0, |(.., nth)| nth + 1)))))
    };
    let text = draft.as_ref().map_or_else(|| file.text.clone(), |draft| draft.text.clone());
    let found = problems.unwrap_or_else(|| file_problems(&detail));
    let moved = draft.as_ref().is_some_and(|draft| draft.revision != file.revision);
    let conflict = failure.as_ref().is_some_and(|problem| problem.code == Code::Conflict);
    let dirty = draft.is_some();
    let revert = keep.reform(|_: MouseEvent| None);
    let aside = html! {
        <>
            if dirty { <span class="muted" data-test="unsaved">{ "not saved" }</span> }
            <Button glyph={Glyph::Undo} disabled={!dirty} test="revert" onclick={revert.clone()}>{ "Revert" }</Button>
            <Button kind={Kind::Primary} disabled={!dirty} {busy} test="save" onclick={save.reform(|_: MouseEvent| None)}>{ "Save" }</Button>
        </>
    };
    html! {
        <div class="definition">
            <Panel title={detail.summary.file.clone()} {aside} class="definition-text">
                if moved || conflict {
                    <Conflict on_theirs={revert} on_mine={
                        let revision = file.revision.clone();
                        save.reform(move |_: MouseEvent| Some(revision.clone()))
                    } />
                }
                if let Some(problem) = failure.as_ref().filter(|_| !conflict) { <ProblemView problem={problem.clone()} /> }
                <div {onkeydown}>
                    <CodeEditor value={text} {on_input} label={format!("Definition of {name}")} problems={found.clone()} jump={*jump} test="definition" />
                </div>
                <div class="after-editor" data-test="definition-problems" data-count={found.len().to_string()}>
                    if found.is_empty() {
                        <p class="muted small">{ "No mistakes. Saving keeps comments and the order of keys; an editor of your own may change the file too." }</p>
                    } else {
                        <ProblemList problems={found} {on_place} />
                    }
                </div>
            </Panel>
            if let Some(definition) = &detail.definition {
                <DefinitionForm name={name} definition={Rc::new(definition.clone())} locked={dirty} />
            }
        </div>
    }
}

/// The mistakes of a text that isn't saved, found when typing rests; none while there is no such text.
#[hook]
fn use_marks(text: Option<String>) -> Option<Vec<Problem>> {
    let problems = use_state_eq(|| None::<Vec<Problem>>);
    let setter = problems.setter();
    use_effect_with(text, move |text| {
        if text.is_none() {
            setter.set(None);
        }
        let timeout = text.clone().map(|text| {
            Timeout::new(REST_MS, move || {
                spawn_local(async move {
                    // A check that can't be made leaves the last marks; saving tells of the reason.
                    if let Ok(found) = call(CheckDefinition { text }).await {
                        setter.set(Some(found));
                    }
                });
            })
        });
        move || drop(timeout)
    });
    (*problems).clone()
}

/// How saving goes.
struct Saving {
    /// Saves the draft, over the text with this mark where one is given.
    save: Callback<Option<String>>,
    /// Why the last attempt failed.
    failure: UseStateHandle<Option<Problem>>,
    /// Whether an attempt is under way.
    busy: bool,
}

/// Saves the draft. Where the file was changed by someone else, it is read again, so that a person can choose.
#[hook]
fn use_saving(
    name: &str,
    draft: &UseStateHandle<Option<Draft>>,
    saved: &UseStateHandle<Option<Draft>>,
    keep: &Callback<Option<String>>,
) -> Saving {
    let failure = use_state_eq(|| None::<Problem>);
    let busy = use_state_eq(|| false);
    let notify = use_notify();
    let save = {
        let (name, draft, written, keep) = (name.to_owned(), draft.clone(), saved.setter(), keep.clone());
        let (failure, busy) = (failure.setter(), busy.clone());
        Callback::from(move |over: Option<String>| {
            let Some(Draft { text, revision }) = (*draft).clone().filter(|_| !*busy) else { return };
            busy.set(true);
            failure.set(None);
            let command = SaveDefinition { name: name.clone(), text, revision: over.unwrap_or(revision) };
            let (failure, busy, name) = (failure.clone(), busy.setter(), name.clone());
            let (keep, notify, written) = (keep.clone(), notify.clone(), written.clone());
            spawn_local(async move {
                match call(command).await {
                    Ok(saved) => {
                        keep.emit(None);
                        notify.undoable(format!("Saved {}", saved.file));
                        written.set(Some(Draft { text: saved.text, revision: saved.revision }));
                        if saved.name != name {
                            go(&Route::Integration { name: saved.name, tab: Tab::Definition });
                        }
                    }
                    Err(problem) => {
                        if problem.code == Code::Conflict
                            && let Ok(there) = call(ShowIntegration { name }).await
                        {
                            written.set(Some(Draft { text: there.text, revision: there.revision }));
                        }
                        failure.set(Some(problem));
                    }
                }
                busy.set(false);
            });
        })
    };
    Saving { save, failure, busy: *busy }
}

/// The mistakes that the saved file has; why checks can't run is no mistake of the text.
fn file_problems(detail: &IntegrationDetail) -> Vec<Problem> {
    detail
        .summary
        .problems
        .iter()
        .filter(|problem| problem.place.is_some() || problem.code == Code::InvalidDefinition)
        .cloned()
        .collect()
}

/// Takes a new text as the draft, or drops the draft. A text that is that of the file is no draft.
fn keeper(name: &str, file: &Draft, draft: &UseStateHandle<Option<Draft>>) -> Callback<Option<String>> {
    let (name, file, draft) = (name.to_owned(), file.clone(), draft.clone());
    Callback::from(move |text: Option<String>| {
        let revision = draft.as_ref().map_or_else(|| file.revision.clone(), |draft| draft.revision.clone());
        let next = text.filter(|text| *text != file.text).map(|text| Draft { text, revision });
        DRAFTS.with_borrow_mut(|drafts| match &next {
            Some(next) => drafts.insert(name.clone(), next.clone()),
            None => drafts.remove(&name),
        });
        draft.set(next);
    })
}

#[derive(Properties, PartialEq)]
struct ConflictProps {
    on_theirs: Callback<MouseEvent>,
    on_mine: Callback<MouseEvent>,
}

/// The file changed while it was edited here.
#[component]
fn Conflict(props: &ConflictProps) -> Html {
    html! {
        <div class="problem mild" role="alert" data-test="conflict">
            <crate::components::Icon glyph={Glyph::Degraded} />
            <div class="problem-words">
                <p class="problem-what">{ "The file was changed elsewhere since you began to edit it." }</p>
                <p>{ "Nothing is lost yet: your text is below, the other one is in the file." }</p>
                <div class="row">
                    <Button test="take-theirs" onclick={props.on_theirs.clone()}>{ "Show the file, drop mine" }</Button>
                    <Button test="keep-mine" onclick={props.on_mine.clone()}>{ "Save mine over it" }</Button>
                </div>
            </div>
        </div>
    }
}

//! The palette: every place, every integration and every action by a few letters of its name.

use patchbay_contracts::{
    contract::ContractOptions,
    ipc::{CheckNow, SaveSettings, SelectEnvironment, StartContract, StopSample, Undo},
    workspace::{Settings, Theme},
};
use yew::prelude::*;

use super::help::use_modal;
use crate::{
    components::{Glyph, Icon},
    hooks::{Notify, go, use_data, use_escape, use_focus_return, use_job_started, use_notify, use_start_sample},
    keys::SECTIONS,
    route::{Route, Tab},
    state::{Change, Data},
    utils::search,
};

/// How many entries are shown at once.
const SHOWN: usize = 12;

/// What can be picked.
#[derive(Clone, PartialEq)]
struct Entry {
    title: String,
    /// The kind of entry, or what is picked of; shown beside the title.
    hint: String,
    glyph: Glyph,
    run: Callback<()>,
}

/// The properties of [`Palette`].
#[derive(Properties, PartialEq)]
pub struct PaletteProps {
    /// Told when it's to close.
    pub on_close: Callback<()>,
    /// Shows the keys.
    pub on_keys: Callback<()>,
}

/// A field, and under it what its letters name.
#[component]
pub fn Palette(props: &PaletteProps) -> Html {
    use_focus_return();
    use_escape(props.on_close.clone());
    let dialog = use_modal();
    let query = use_state(String::new);
    let picked = use_state(|| 0_usize);
    let (data, notify, started) = (use_data(), use_notify(), use_job_started());
    let start_sample = use_start_sample();

    let mut entries = places(&data);
    entries.extend(actions(&data, &notify, &props.on_keys, &start_sample));
    entries.extend(deeds(&data, &notify, &started));
    let found: Vec<Entry> = search::filter(&query, entries.iter().map(|entry| entry.title.as_str()))
        .into_iter()
        .map(|at| entries[at].clone())
        .collect();
    let first = picked.saturating_sub(SHOWN - 1);
    let current = (*picked).min(found.len().saturating_sub(1));

    let choose = {
        let on_close = props.on_close.clone();
        move |entry: &Entry| {
            on_close.emit(());
            entry.run.emit(());
        }
    };
    let onkeydown = {
        let (found, picked, choose) = (found.clone(), picked.clone(), choose.clone());
        Callback::from(move |event: KeyboardEvent| {
            let last = found.len().saturating_sub(1);
            match event.key().as_str() {
                "ArrowDown" => picked.set(if current == last { 0 } else { current + 1 }),
                "ArrowUp" => picked.set(if current == 0 { last } else { current - 1 }),
                "Enter" => {
                    if let Some(entry) = found.get(current) {
                        choose(entry);
                    }
                }
                "Tab" => {}
                _ => return,
            }
            event.prevent_default();
        })
    };
    let oninput = {
        let (query, picked) = (query.clone(), picked.clone());
        Callback::from(move |event: InputEvent| {
            query.set(crate::components::value_of(&event));
            picked.set(0);
        })
    };
    html! {
        <dialog class="dialog palette" ref={dialog} aria-label="Search and commands" data-test="palette">
            <div class="palette-field">
                <Icon glyph={Glyph::Search} />
                <input type="text" value={(*query).clone()} {oninput} {onkeydown} placeholder="An integration, a page, a command"
                    role="combobox" aria-expanded="true" aria-controls="palette-list" aria-label="Search and commands"
                    aria-activedescendant={format!("palette-{current}")} autocomplete="off" spellcheck="false"
                    data-test="palette-input" />
            </div>
            <ul class="palette-list" id="palette-list" role="listbox" aria-label="What was found">
                { for found.iter().enumerate().skip(first).take(SHOWN).map(|(at, entry)| {
                    let (own, choose) = (entry.clone(), choose.clone());
                    html! {
                        <li id={format!("palette-{at}")} role="option" aria-selected={if at == current { "true" } else { "false" }}
                            data-test="palette-entry" onclick={move |_: MouseEvent| choose(&own)}>
                            <Icon glyph={entry.glyph} />
                            <span class="grow name">{ &entry.title }</span>
                            <span class="muted">{ &entry.hint }</span>
                        </li>
                    }
                }) }
            </ul>
            if found.is_empty() {
                <p class="palette-none muted" data-test="palette-none">{ "Nothing has these letters. Fewer find more." }</p>
            }
        </dialog>
    }
}

fn to(title: impl Into<String>, hint: &str, glyph: Glyph, route: Route) -> Entry {
    Entry { title: title.into(), hint: hint.to_owned(), glyph, run: Callback::from(move |()| go(&route)) }
}

/// Everywhere one can go.
fn places(data: &Data) -> Vec<Entry> {
    let mut entries = Vec::new();
    for integration in data.integrations.iter().flat_map(|all| all.iter()) {
        let name = &integration.name;
        entries.push(to(name, integration.status.as_str(), Glyph::Integrations, Route::integration(name)));
    }
    for (route, letter) in &SECTIONS {
        entries.push(to(format!("Go to {}", route.title()), &format!("g {letter}"), Glyph::Chevron, route.clone()));
    }
    entries.push(to("Check files", "JSON Schema, messages, Pact cases", Glyph::Contract, Route::Contracts));
    entries.push(to("Verify a contract document", "OpenAPI, Pact, AsyncAPI, JSON Schema", Glyph::Contract, Route::Contracts));
    entries.push(to("Go to Log", "", Glyph::Log, Route::Log));
    entries.push(to("Add an integration", "a", Glyph::Plus, Route::Add));
    for integration in data.integrations.iter().flat_map(|all| all.iter()) {
        for tab in Tab::ALL.into_iter().filter(|tab| *tab != Tab::Health) {
            let route = Route::Integration { name: integration.name.clone(), tab };
            entries.push(to(format!("{}: {}", integration.name, tab.title()), "", Glyph::Chevron, route));
        }
    }
    entries
}

/// What can be done to the program.
fn actions(
    data: &UseReducerHandle<Data>,
    notify: &Notify,
    on_keys: &Callback<()>,
    start_sample: &Callback<Callback<()>>,
) -> Vec<Entry> {
    let act = |title: String, hint: &str, glyph, run: Callback<()>| Entry { title, hint: hint.to_owned(), glyph, run };
    let mut entries = vec![act("Show the keys".to_owned(), "?", Glyph::Info, on_keys.clone())];
    if data.sample.url.is_some() {
        let (notify, dispatch) = (notify.clone(), data.dispatcher());
        let stop = Callback::from(move |()| {
            let dispatch = dispatch.clone();
            notify.perform(StopSample {}, move |sample| dispatch.dispatch(Change::Sample(sample)));
        });
        entries.push(act("Stop the sample service".to_owned(), "", Glyph::Sample, stop));
    } else {
        let start = start_sample.reform(|()| Callback::noop());
        entries.push(act("Start the sample service".to_owned(), "", Glyph::Sample, start));
    }
    let Some(app) = data.app.clone() else { return entries };
    if let Some(what) = &app.undo {
        let notify = notify.clone();
        let run = Callback::from(move |()| {
            let said = notify.clone();
            notify.perform(Undo {}, move |what| said.done(format!("Taken back: {what}")));
        });
        entries.push(act(format!("Undo: {what}"), "", Glyph::Undo, run));
    }
    let save = |settings: Settings| {
        let (notify, dispatch) = (notify.clone(), data.dispatcher());
        Callback::from(move |()| {
            let dispatch = dispatch.clone();
            notify.perform(SaveSettings { settings: settings.clone() }, move |app| dispatch.dispatch(Change::App(Box::new(app))));
        })
    };
    for (theme, title) in [(Theme::System, "Theme: as the system"), (Theme::Light, "Theme: light"), (Theme::Dark, "Theme: dark")]
    {
        entries.push(act(title.to_owned(), "", Glyph::Settings, save(Settings { theme, ..app.settings.clone() })));
    }
    let (title, glyph) =
        if app.settings.monitor { ("Pause monitoring", Glyph::Pause) } else { ("Resume monitoring", Glyph::Play) };
    let monitor = !app.settings.monitor;
    entries.push(act(title.to_owned(), "", glyph, save(Settings { monitor, ..app.settings.clone() })));
    for name in app.environments.iter().filter(|name| **name != app.environment) {
        let (notify, dispatch, own) = (notify.clone(), data.dispatcher(), name.clone());
        let run = Callback::from(move |()| {
            let dispatch = dispatch.clone();
            notify.perform(SelectEnvironment { name: own.clone() }, move |app| dispatch.dispatch(Change::App(Box::new(app))));
        });
        entries.push(act(format!("Environment: {name}"), "", Glyph::Settings, run));
    }
    entries
}

/// What can be done with each integration.
fn deeds(data: &Data, notify: &Notify, started: &Callback<patchbay_contracts::run::Job>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for name in data.integrations.iter().flat_map(|all| all.iter()).map(|integration| integration.name.clone()) {
        let check = {
            let (notify, name) = (notify.clone(), name.clone());
            Callback::from(move |()| {
                let (said, own) = (notify.clone(), name.clone());
                notify.perform(CheckNow { integration: name.clone() }, move |check| {
                    said.done(if check.healthy { format!("{own}: the check held") } else { format!("{own}: the check failed") });
                });
            })
        };
        let contract = {
            let (notify, name, started) = (notify.clone(), name.clone(), started.clone());
            Callback::from(move |()| {
                let started = started.clone();
                let route = Route::Integration { name: name.clone(), tab: Tab::Contract };
                notify.perform(StartContract { integration: name.clone(), options: ContractOptions::default() }, move |job| {
                    started.emit(job);
                    go(&route);
                });
            })
        };
        let hint = String::new();
        entries.push(Entry { title: format!("Check {name} now"), hint: hint.clone(), glyph: Glyph::Refresh, run: check });
        entries.push(Entry { title: format!("Test the contract of {name}"), hint, glyph: Glyph::Contract, run: contract });
    }
    entries
}

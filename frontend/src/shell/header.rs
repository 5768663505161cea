//! The header: where one is, the way back, what runs, the environment, the palette.

use patchbay_contracts::ipc::{CancelJob, SelectEnvironment};
use yew::prelude::*;

use crate::{
    components::{Button, Glyph, Icon, Kind, MiddleCut, Select},
    hooks::{use_data, use_jobs, use_notify, use_route},
    route::{Route, Tab},
    state::Change,
    utils::text,
};

/// The properties of [`Header`].
#[derive(Properties, PartialEq)]
pub struct HeaderProps {
    /// Opens the palette.
    pub on_palette: Callback<()>,
    /// Shows the keys.
    pub on_keys: Callback<()>,
}

/// The line over each page.
#[component]
pub fn Header(props: &HeaderProps) -> Html {
    let route = use_route();
    let title = match &*route {
        Route::Integration { name, .. } => name.clone(),
        other => other.title(),
    };
    let parent = route.parent();
    html! {
        <header class="header">
            if let Some(parent) = parent {
                <a class="back" href={parent.href()} data-test="back" title={format!("{} (Esc)", parent.title())}
                    aria-label={format!("Back to {}", parent.title())}><Icon glyph={Glyph::Back} /></a>
            }
            <h1 data-test="title"><MiddleCut text={title} limit=48 /></h1>
            <div class="row end grow">
                <Running />
                <Environment />
                <button type="button" class="palette-button" data-test="open-palette" title="Search and commands (Ctrl+K)"
                    onclick={props.on_palette.reform(|_: MouseEvent| ())}>
                    <Icon glyph={Glyph::Search} /><span class="palette-words">{ "Search and commands" }</span><kbd>{ "Ctrl K" }</kbd>
                </button>
                <button type="button" class="button quiet wordless" data-test="open-keys" title="Keys (?)" aria-label="Keys"
                    onclick={props.on_keys.reform(|_: MouseEvent| ())}><span aria-hidden="true">{ "?" }</span></button>
            </div>
        </header>
    }
}

/// The environment, where there is a choice.
#[component]
fn Environment() -> Html {
    let data = use_data();
    let notify = use_notify();
    let Some(app) = data.app.clone() else { return Html::default() };
    if app.environments.len() < 2 {
        return html! {
            if !app.environment.is_empty() {
                <span class="environment muted" title="The environment, from patchbay.yaml" data-test="environment">
                    { app.environment.clone() }
                </span>
            }
        };
    }
    let on_change = {
        let dispatch = data.dispatcher();
        Callback::from(move |name: String| {
            let dispatch = dispatch.clone();
            notify.perform(SelectEnvironment { name }, move |app| dispatch.dispatch(Change::App(Box::new(app))));
        })
    };
    let options = app.environments.iter().map(|name| (name.clone().into(), name.clone().into())).collect::<Vec<_>>();
    html! { <Select {options} value={app.environment.clone()} {on_change} label="Environment" test="environment" /> }
}

/// The jobs under way, each with the way to it and a way to stop it.
#[component]
fn Running() -> Html {
    let jobs = use_jobs();
    let data = use_data();
    let notify = use_notify();
    let shown = jobs.under_way().filter_map(|(id, live)| live.job.clone().map(|job| (id, job, live.share())));
    html! {
        { for shown.take(2).map(|(id, job, share)| {
            let tab = match job.kind {
                patchbay_contracts::run::RunKind::Probe => Tab::Probe,
                patchbay_contracts::run::RunKind::Contract => Tab::Contract,
                patchbay_contracts::run::RunKind::Load => Tab::Load,
            };
            let to = data.integration(&job.target).map(|_| Route::Integration { name: job.target.clone(), tab });
            let notify = notify.clone();
            let onclick = Callback::from(move |_: MouseEvent| notify.perform(CancelJob { job: id }, |()| ()));
            html! {
                <span class="running" key={id} data-test="running-job">
                    <span class="pulse" />
                    <a href={to.unwrap_or(Route::History).href()} title={job.target.clone()}>
                        { job.kind.as_str() }{ " " }{ share.map(text::share_coarse).unwrap_or_default() }
                    </a>
                    <Button kind={Kind::Quiet} glyph={Glyph::Stop} label="Cancel, and keep what it has found" test="cancel-job" {onclick} />
                </span>
            }
        }) }
    }
}

//! One stored run in the drawer.

use std::rc::Rc;

use patchbay_contracts::run::{Report, Run, RunId, RunKind};
use yew::prelude::*;

use crate::{
    components::{Drawer, MiddleCut, Time, VerdictBadge},
    hooks::use_data,
    pages::contract::use_again,
    reports::{ExportButtons, RunView},
    route::{Route, Tab},
    utils::text,
};

/// The properties of [`RunDrawer`].
#[derive(Properties, PartialEq)]
pub struct RunDrawerProps {
    /// The run.
    pub id: RunId,
    /// Told when it's to close.
    pub on_close: Callback<()>,
    /// Told of another run to show, once this one was made again.
    pub on_open: Callback<RunId>,
}

/// What a run found, and its export as a file.
#[component]
pub fn RunDrawer(props: &RunDrawerProps) -> Html {
    let run = use_state(|| None::<Rc<Run>>);
    let on_loaded = {
        let run = run.setter();
        use_callback((), move |loaded, ()| run.set(Some(loaded)))
    };
    let title = match run.as_ref().map(|run| run.summary.kind) {
        Some(RunKind::Probe) => format!("Probe {}", props.id),
        Some(RunKind::Contract) => format!("Contract run {}", props.id),
        Some(RunKind::Load) => format!("Load run {}", props.id),
        None => format!("Run {}", props.id),
    };
    let contract = run.as_ref().and_then(|run| match &run.report {
        Report::Contract(report) => Some(report),
        _ => None,
    });
    let again = use_again(contract, props.on_open.clone());
    let aside = run.as_ref().map(|run| html! { <ExportButtons id={props.id} kind={run.summary.kind} /> });
    html! {
        <Drawer {title} on_close={props.on_close.clone()} test="run-drawer" aside={aside.unwrap_or_default()}>
            if let Some(run) = &*run { <Head run={run.clone()} /> }
            { again.view() }
            <RunView id={props.id} {on_loaded} on_rerun={again.run.clone()} />
        </Drawer>
    }
}

#[derive(Properties, PartialEq)]
struct HeadProps {
    run: Rc<Run>,
}

/// The line of the run in the list, and the way to its integration.
#[component]
fn Head(props: &HeadProps) -> Html {
    let summary = &props.run.summary;
    let data = use_data();
    let tab = match summary.kind {
        RunKind::Probe => Tab::Probe,
        RunKind::Contract => Tab::Contract,
        RunKind::Load => Tab::Load,
    };
    html! {
        <div class="stack tight">
            <div class="row">
                <VerdictBadge verdict={summary.verdict} partial={summary.partial} test="run-verdict" />
                if let Some(name) = &summary.integration {
                    // The title of a document leads nowhere, and neither does an integration that is gone.
                    if data.integration(name).is_some() {
                        <a href={Route::Integration { name: name.clone(), tab }.href()}><MiddleCut text={name.clone()} /></a>
                    } else {
                        <MiddleCut text={name.clone()} />
                    }
                }
                <span class="muted"><Time at={summary.at} />{ format!(", took {}", text::duration(summary.duration_ms)) }</span>
            </div>
            <p data-test="run-headline">{ &summary.headline }</p>
        </div>
    }
}

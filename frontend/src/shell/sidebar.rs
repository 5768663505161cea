//! The sidebar: where one can go.

use patchbay_contracts::health::Status;
use yew::prelude::*;

use crate::{
    components::{Glyph, Icon, MiddleCut},
    hooks::{use_data, use_route},
    keys::SECTIONS,
    route::Route,
};

const fn glyph(route: &Route) -> Glyph {
    match route {
        Route::Integrations => Glyph::Integrations,
        Route::Probe => Glyph::Probe,
        Route::Contracts => Glyph::Contract,
        Route::Load => Glyph::Load,
        Route::Metrics => Glyph::Metrics,
        Route::Incidents => Glyph::Incidents,
        Route::History => Glyph::History,
        Route::Settings => Glyph::Settings,
        _ => Glyph::Overview,
    }
}

/// Links to the sections, and what is open.
#[component]
pub fn Sidebar() -> Html {
    let route = use_route();
    let data = use_data();
    let section = route.section();
    let down = data.integrations.iter().flat_map(|all| all.iter()).filter(|one| one.status == Status::Down).count();
    html! {
        <nav class="sidebar" aria-label="Sections">
            <p class="brand"><img src="/assets/favicon.svg" alt="" /><span>{ "Patchbay" }</span></p>
            { for SECTIONS.iter().enumerate().map(|(at, (to, letter))| html! {
                <a class="section" href={to.href()} aria-current={(*to == section).then_some("page")}
                    data-test={format!("nav-{}", to.title().to_lowercase())}
                    title={format!("{} (g {letter}, Alt+{})", to.title(), at + 1)}>
                    <Icon glyph={glyph(to)} />
                    <span class="section-name">{ to.title() }</span>
                    if *to == Route::Incidents && down > 0 {
                        <span class="count" aria-label={format!("{down} down")}>{ down }</span>
                    }
                </a>
            }) }
            if let Some(app) = &data.app {
                <div class="sidebar-foot">
                    <MiddleCut text={app.workspace.clone()} limit=20 />
                    <span>{ format!("Patchbay {}", app.version) }</span>
                </div>
            }
        </nav>
    }
}

//! The application: what all pages share, the keys of the window, and the page that the address names.
//!
//! # Names for tests
//! Each element that a test uses or reads has a `data-test`. They are part of the page's interface, and these are all:
//!
//! - Frame: `nav-overview` … `nav-settings`, `title`, `back`, `environment`, `open-palette`, `open-keys`, `running-job`,
//!   `cancel-job`, `read-only`, `monitoring-off`, `no-backend`, `notice`, `undo`, `dismiss`.
//! - Palette and keys: `palette`, `palette-input`, `palette-entry`, `palette-none`, `keys`, `keys-close`.
//! - Parts: `status` (`data-status`), `verdict` (`data-verdict`), `problem` (`data-code`), `problem-why`, `problem-next`,
//!   `problem-place`, `empty`, `drawer`, `drawer-close`, `copy`, `json`, `editor`, `filter`.
//! - Overview: `counts`, `count-down` … `count-healthy`, `overview`, `overview-row` (`data-name`), `overview-name`,
//!   `overview-latency`, `overview-errors`, `mistakes`, `first-start`, `start-sample`.
//! - Integrations: `add`, `add-input`, `add-name`, `add-submit`, `integrations`, `integration-row` (`data-name`),
//!   `integration-name`, `found`, `remove`.
//! - An integration: `integration-status`, `base-url`, `copy-base-url`, `open-incident`, `tab-health` … `tab-definition`.
//! - Its health: `range`, `check-now`, `watch`, `uptime`, `observed`, `checks`, `failed`, `newest-latency`, `segments`,
//!   `latency-chart`, `failures-chart`, `slo`, `slo-row` (`data-holds`), `checks-panel`, `latest-checks`, `check-row`,
//!   `open-check`, `all-checks`, `check-drawer`, `conditions`.
//! - Its definition: `definition`, `definition-problems` (`data-count`), `unsaved`, `save`, `revert`, `conflict`,
//!   `take-theirs`, `keep-mine`, `definition-form`, `edit-base-url`, `edit-enabled`, `edit-interval`, `edit-availability`,
//!   `edit-latency-p95`, `edit-error-rate`.
//! - History: `history-integration`, `history-kind`, `runs`, `run-row` (`data-id`), `open-run`, `older`, `run-drawer`,
//!   `run-verdict`, `run-headline`, `export-html`, `export-json`, `export-junit`, `export-sarif`, `run-again`,
//!   `run-failed-again`, `run-again-cancel`.
//! - Incidents: `incidents-integration`, `incidents`, `incident-row`.
//! - Contracts, load and metrics over all: `last-runs`, `last-run-row` (`data-name`), `start-contract`, `open-load`,
//!   `metrics-sources`, `metrics-row` (`data-name`).
//! - Settings: `settings-window`, `theme`, `keep-days`, `monitor`, `settings-environment`, `settings-environment-select`,
//!   `settings-secrets`, `keychain` (`data-available`), `secrets`, `secret-row` (`data-name`), `secret-home`, `secret-new`,
//!   `secret-edit`, `secret-remove`, `secret-form`, `secret-name`, `secret-value`, `secret-hosts`, `secret-save`,
//!   `secret-cancel`, `settings-sample`, `sample-start`, `sample-stop`, `sample-url`, `sample-stopped`, `fault-latency`,
//!   `fault-errors`, `fault-stall`, `fault-type-change`, `fault-missing-field`, `fault-wrong-status`,
//!   `fault-expired-token`, `settings-machine`, `doctor`, `doctor-row` (`data-ok`), `doctor-again`, `open-log`.
//! - Charts: `legend`, `chart-instant`, `chart-reset`, `chart-note`; each chart by a name of its own, and by that name and
//!   `-canvas` what takes the pointer and the keys: `load-rate`, `load-latency`, `load-under-way`, `load-plan`,
//!   `distribution`, `metric-chart`. The range of time: `range-15m` … `range-7d`.
//! - Probe: `probe-page`, `probe-method`, `probe-url`, `probe-send`, `probe-endpoint`, `probe-register`, `probe-body`,
//!   `probe-redirects`, `probe-insecure`, `probe-timeout`, `probe-empty`, `understood`; `request-part-query` …
//!   `request-part-options`; `query-name-0`, `query-value-0`, `query-remove-0` and so on, `header-…` likewise; `auth-none` …
//!   `auth-api_key`, `auth-user`, `auth-key-name`, `auth-key-place`, `auth-secret`, `secret-name`, `secret-value`,
//!   `secret-keep`; `answer`, `past-answer`.
//! - An exchange: `exchange`, `response-status` (`data-status`), `response-time`, `response-size`, `note`, `waterfall`,
//!   `total-time`; `part-body` … `part-redirects`; `body`, `body-as-tree`, `body-as-text`, `body-as-hex`, `body-find`,
//!   `finds`, `finds-none`, `raw-text`, `hex`, `show-more`, `body-truncated`, `no-body`, `copy-body`; `headers`, `sent`,
//!   `curl`, `copy-curl`, `certificate`, `redirects`.
//! - Contract: `contract-page`, `contract-run`, `contract-cancel`, `rerun-failed`, `run-on-save`, `compare`,
//!   `contract-progress`, `contract-report`, `contract-verdict`, `contract-problems`, `seed`, `copy-seed`, `no-endpoints`,
//!   `open-definition`.
//! - Its operations against its checks: `matrix`, `matrix-column` (`data-check`), `matrix-row` (`data-name`,
//!   `data-verdict`), `matrix-cell` (`data-check`, `data-state`), `matrix-show-all`, `matrix-show-failing`,
//!   `matrix-filter`, `matrix-counts`, `matrix-none`, `matrix-more`, `changes`, `change`, `failures`, `broken-row`
//!   (`data-check`, `data-name`), `coverage`, `coverage-operations`, `coverage-statuses`, `coverage-fields`,
//!   `coverage-unseen`, `unseen`.
//! - What is open of them: `check-detail`, `operation-verdict`, `next-failure`, `broken-check` (`data-check`,
//!   `data-state`), `check-pointer`, `check-place`, `copy-place`, `expected`, `actual`, `show-equal`, `marked-body`,
//!   `marked-place`, `accepted` (`data-expired`), `held`, `endpoint-exchange`, `rerun-one`, `accept`, `accept-form`,
//!   `accept-reason`, `accept-until`, `accept-save`, `accept-cancel`.
//! - A document of no integration: `document-contract`, `document-source`, `document-url`, `document-seed`, `document-auth`,
//!   `document-verify`.
//! - Files: `file-check`, `file-check-by-json-schema` … `file-check-by-pact-cases`, `file-check-source`, `file-check-files`,
//!   `file-check-draft`, `file-check-formats`, `file-check-fetch`, `file-check-envelope`, `file-check-specification`,
//!   `file-check-part`, `file-check-start`, `file-check-runs`.
//! - Mocks: `mocks`, `mock-source`, `mock-port`, `mock-start`, `mocks-refresh`, `mock`, `mock-url`, `mock-stop`, `mock-requests`.
//! - Load: `load-page`, `load-form`, `executor-constant-connections` … `executor-ramping-arrival-rate`, `calls-one` …
//!   `calls-chain`, `load-endpoint`, `load-mix`, `mix-weight-0` and so on, `load-chain`, `chain-step`, `chain-add`,
//!   `chain-remove-0` and so on, `load-rate-field`, `load-start-rate`, `load-start-connections`, `load-connections`,
//!   `load-duration`, `load-warm-up`, `load-stages`, `stage-to-0`, `stage-over-0`, `stage-remove-0` and so on, `stage-add`,
//!   `load-plan`, `threshold-field`, `threshold-add`, `threshold-chip`, `threshold-remove`, `load-more`, `load-protocol`,
//!   `load-streams`, `load-spacing`, `load-think-time`, `load-timeout`, `load-iterations`, `load-abort-after`,
//!   `load-grace`, `load-connect-rate`, `load-seed`, `load-keep-alive`, `load-session-reuse`, `load-setup`, `load-teardown` with
//!   the parts of `load-chain`, `load-data`, `data-file-0`, `data-order-0`, `data-remove-0` and so on, `data-add`,
//!   `load-baseline`, `load-metrics-port`, `load-k6`, `export-k6`, `export-k6-operator`, `k6-summary`, `k6-import`,
//!   `load-start`, `load-keep`, `load-question`, `load-confirm`, `load-cancel`,
//!   `load-progress`, `load-elapsed`.
//! - What a load run found: `load-report`, `load-verdict`, `partial`, `lost`, `tile-rate` … `tile-bytes`, `thresholds`,
//!   `threshold`, `comparison`, `comparison-words`, `comparison-figures`, `compared` (`data-name`), `endpoints`, `endpoint`
//!   (`data-name`), `quantiles`, `statuses`, `phases`, `errors`, `generator`, `generator-words`.
//! - Metrics: `metrics-page`, `metrics-empty`, `metrics-url`, `metrics-add`, `metrics-nothing`, `metrics-unchosen`,
//!   `series-filter`, `series-none`, `series`, `family-open`, `chart-close`, `scrape-now`, `scrape-problems`.
//! - Stored runs beside these: `shown-run`, `past-runs`, `past-run`, `export-html`, `export-csv`, `export-json`, `export-junit`.
//! - Log: `log`, `log-line`, `log-level`, `log-reload`.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use gloo_timers::callback::{Interval, Timeout};
use patchbay_contracts::{
    Code,
    ipc::{Event, GetApp, GetSample, ListIntegrations, ListJobs},
    run::Finished,
    workspace::Theme,
};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::{
    components::ProblemView,
    hooks::{Notify, Now, close_topmost, go},
    ipc::{call, subscribe},
    keys::{Meaning, Stroke, meaning},
    pages,
    route::Route,
    shell::{Header, KeyHelp, NoticeList, Palette, Sidebar},
    state::{Change, Data, JobChange, Jobs, Notices},
    utils::{clock, dom},
};

/// How often relative times move on.
const TICK_MS: u32 = 5_000;
/// How long changes are gathered before the lists are fetched anew.
const GATHER_MS: u32 = 150;
/// How long after `g` a letter still names a section.
const PREFIX_MS: i64 = 1_500;

/// What stands over the page.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Overlay {
    Nothing,
    Palette,
    Keys,
}

/// The whole page.
#[component]
pub fn App() -> Html {
    let data = use_reducer_eq(Data::default);
    let jobs = use_reducer_eq(Jobs::default);
    let notices = use_reducer_eq(Notices::default);
    let route = use_state_eq(|| Rc::new(Route::parse(&dom::hash())));
    let now = use_state_eq(|| Now(clock::now()));
    let overlay = use_state_eq(|| Overlay::Nothing);
    let notify = Notify::new(notices.dispatcher());

    use_backend(&data, &jobs, &notify);
    use_window_keys(route.clone(), overlay.setter());
    {
        let (route, now) = (route.setter(), now.setter());
        use_effect_with((), move |()| {
            let moved = dom::Listener::on_window("hashchange", move |_| route.set(Rc::new(Route::parse(&dom::hash()))));
            let tick = Interval::new(TICK_MS, move || now.set(Now(clock::now())));
            move || drop((moved, tick))
        });
    }
    use_effect_with((*route).clone(), |route| dom::set_title(&format!("{} – Patchbay", route.title())));
    {
        // A run is opened over the list, which stays where it is.
        let page = if matches!(**route, Route::Run(_)) { Route::History } else { (**route).clone() };
        use_effect_with(page, |_| dom::scroll_to_top("#content"));
    }
    use_effect_with(data.app.as_ref().map(|app| app.settings.theme), |theme| {
        dom::set_root_attribute(
            "data-theme",
            match theme {
                Some(Theme::Light) => Some("light"),
                Some(Theme::Dark) => Some("dark"),
                _ => None,
            },
        );
    });

    let open = |what: Overlay| {
        let overlay = overlay.setter();
        Callback::from(move |()| overlay.set(what))
    };
    html! {
        <ContextProvider<UseReducerHandle<Data>> context={data.clone()}>
        <ContextProvider<UseReducerHandle<Jobs>> context={jobs.clone()}>
        <ContextProvider<UseReducerDispatcher<Jobs>> context={jobs.dispatcher()}>
        <ContextProvider<Notify> context={notify}>
        <ContextProvider<Now> context={*now}>
        <ContextProvider<Rc<Route>> context={(*route).clone()}>
            <a class="skip" href={route.href()} onclick={|event: MouseEvent| {
                event.prevent_default();
                dom::focus_first("#content");
            }}>{ "To the content" }</a>
            <div class="frame">
                <Sidebar />
                <div class="main">
                    <Header on_palette={open(Overlay::Palette)} on_keys={open(Overlay::Keys)} />
                    <main id="content" tabindex="-1"><Banners /><pages::Page /></main>
                </div>
            </div>
            { match *overlay {
                Overlay::Nothing => Html::default(),
                Overlay::Palette => html! { <Palette on_close={open(Overlay::Nothing)} on_keys={open(Overlay::Keys)} /> },
                Overlay::Keys => html! { <KeyHelp on_close={open(Overlay::Nothing)} /> },
            } }
            <NoticeList {notices} />
        </ContextProvider<Rc<Route>>>
        </ContextProvider<Now>>
        </ContextProvider<Notify>>
        </ContextProvider<UseReducerDispatcher<Jobs>>>
        </ContextProvider<UseReducerHandle<Jobs>>>
        </ContextProvider<UseReducerHandle<Data>>>
    }
}

/// What concerns every page: no backend, a workspace that can't be written, checks that don't run.
#[component]
fn Banners() -> Html {
    let data = crate::hooks::use_data();
    let read_only = data.app.as_ref().and_then(|app| app.read_only.clone());
    html! {
        <>
            if let Some(problem) = &data.problem {
                <div class="banner" data-test="no-backend"><ProblemView problem={problem.clone()} /></div>
            }
            if data.app.as_ref().is_some_and(|app| !app.monitoring) {
                <p class="banner-line muted" data-test="monitoring-off">
                    { "Monitoring is paused: nothing is checked by itself. " }<a href={Route::Settings.href()}>{ "Settings" }</a>
                </p>
            }
            if let Some(problem) = read_only {
                <div class="banner" data-test="read-only"><ProblemView {problem} mild=true /></div>
            }
        </>
    }
}

/// Fetches what is shared at the start and when it changes, and listens to events.
#[hook]
fn use_backend(data: &UseReducerHandle<Data>, jobs: &UseReducerHandle<Jobs>, notify: &Notify) {
    {
        let (data, jobs, notify) = (data.dispatcher(), jobs.dispatcher(), notify.clone());
        use_effect_with((), move |()| {
            let (heard_data, heard_jobs, heard_notify) = (data.clone(), jobs.clone(), notify.clone());
            let failed = notify.clone();
            spawn_local(async move {
                let heard = move |event: Event| {
                    match &event {
                        Event::Notice { problem } => heard_notify.failed(problem.clone()),
                        Event::Finished { finished: Finished::Failed { problem }, .. } if problem.code != Code::Cancelled => {
                            heard_notify.failed(problem.clone());
                        }
                        _ => {}
                    }
                    heard_jobs.dispatch(JobChange::Heard(Box::new(event.clone())));
                    heard_data.dispatch(Change::Heard(event));
                };
                // Without a backend the first queries say so; one message is enough.
                if let Err(problem) = subscribe(heard).await
                    && problem.code != Code::Unsupported
                {
                    failed.failed(problem);
                }
            });
            notify.perform_quietly(ListJobs {}, move |list| jobs.dispatch(JobChange::UnderWay(list)));
            notify.perform_quietly(GetSample {}, move |sample| data.dispatch(Change::Sample(sample)));
        });
    }
    let waiting = use_ref(|| Cell::new(false));
    let dispatch = data.dispatcher();
    use_effect_with((data.workspace_changes, data.all_health_changes(), data.run_changes), move |changes| {
        let first = *changes == (0, 0, 0);
        if !waiting.replace(true) {
            let fetch = move || {
                waiting.set(false);
                spawn_local(fetch_lists(dispatch));
            };
            Timeout::new(if first { 0 } else { GATHER_MS }, fetch).forget();
        }
    });
}

async fn fetch_lists(data: UseReducerDispatcher<Data>) {
    data.dispatch(match call(GetApp {}).await {
        Ok(app) => Change::App(Box::new(app)),
        Err(problem) => Change::Failed(problem),
    });
    data.dispatch(match call(ListIntegrations {}).await {
        Ok(integrations) => Change::Integrations(integrations),
        Err(problem) => Change::Failed(problem),
    });
}

/// The keys of the window.
#[hook]
fn use_window_keys(route: UseStateHandle<Rc<Route>>, overlay: UseStateSetter<Overlay>) {
    let present = use_ref(|| RefCell::new(Rc::new(Route::Overview)));
    present.replace((*route).clone());
    use_effect_with((), move |()| {
        let prefixed = Cell::new(None::<i64>);
        let pressed = dom::Listener::on_window("keydown", move |event| {
            let Ok(event) = event.dyn_into::<web_sys::KeyboardEvent>() else { return };
            if event.default_prevented() || event.is_composing() {
                return;
            }
            let focused = dom::focused();
            let stroke = Stroke {
                key: &event.key(),
                ctrl: event.ctrl_key() || event.meta_key(),
                alt: event.alt_key(),
                typing: focused.as_ref().is_some_and(|element| dom::takes_letters(element)),
                after_g: prefixed.take().is_some_and(|at| clock::now() - at < PREFIX_MS),
            };
            match meaning(stroke) {
                Meaning::Nothing => return,
                Meaning::Palette => overlay.set(Overlay::Palette),
                Meaning::Keys => overlay.set(Overlay::Keys),
                Meaning::Go(route) => go(&route),
                Meaning::Back => dom::back(),
                Meaning::Prefix => prefixed.set(Some(clock::now())),
                Meaning::Filter => dom::focus_first("[data-filter]"),
                Meaning::Escape => {
                    if close_topmost() {
                    } else if let Some(field) = focused.filter(|_| stroke.typing) {
                        let _ = field.blur();
                    } else if let Some(parent) = present.borrow().parent() {
                        go(&parent);
                    }
                }
            }
            event.prevent_default();
        });
        move || drop(pressed)
    });
}

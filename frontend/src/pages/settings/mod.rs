//! Settings: how the window looks, what is watched and kept, secrets, the sample service, this machine.

mod machine;
mod sample;
mod secrets;

use patchbay_contracts::{
    ipc::{SaveSettings, SelectEnvironment},
    workspace::{AppState, Settings, Theme},
};
use yew::prelude::*;

use crate::{
    components::{Field, Input, Loading, Panel, Select, Toggle},
    hooks::{use_data, use_notify},
    route::Route,
    state::Change,
};

/// All settings, each of which counts at once.
#[component]
pub fn SettingsPage() -> Html {
    let data = use_data();
    let Some(app) = data.app.clone() else {
        return if data.problem.is_some() {
            Html::default()
        } else {
            html! { <Loading what="the settings" /> }
        };
    };
    html! {
        <div class="settings">
            <Window app={(*app).clone()} />
            <Environment app={(*app).clone()} />
            <secrets::Secrets keychain={app.keychain.clone()} />
            <sample::Sample />
            <machine::Machine app={(*app).clone()} />
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct AppProps {
    app: AppState,
}

const THEMES: [(Theme, &str, &str); 3] =
    [(Theme::System, "system", "As the system"), (Theme::Light, "light", "Light"), (Theme::Dark, "dark", "Dark")];

/// The longest time that results can be kept, in days.
const MOST_DAYS: u32 = 3_650;

/// The look, the checks, and for how long results are kept.
#[component]
fn Window(props: &AppProps) -> Html {
    let settings = props.app.settings.clone();
    let data = use_data();
    let notify = use_notify();
    let typed = use_state(|| None::<String>);
    let save = {
        let dispatch = data.dispatcher();
        Callback::from(move |settings: Settings| {
            let dispatch = dispatch.clone();
            notify.perform(SaveSettings { settings }, move |app| dispatch.dispatch(Change::App(Box::new(app))));
        })
    };
    let on_theme = {
        let (save, settings) = (save.clone(), settings.clone());
        Callback::from(move |word: String| {
            if let Some((theme, ..)) = THEMES.iter().find(|(_, own, _)| *own == word) {
                save.emit(Settings { theme: *theme, ..settings.clone() });
            }
        })
    };
    let on_monitor = {
        let (save, settings) = (save.clone(), settings.clone());
        Callback::from(move |monitor| save.emit(Settings { monitor, ..settings.clone() }))
    };
    let days = typed.as_ref().map_or(Ok(settings.keep_days), |typed| typed.trim().parse::<u32>());
    let valid = days.ok().filter(|days| (1..=MOST_DAYS).contains(days));
    let on_days = {
        let typed = typed.clone();
        Callback::from(move |text: String| typed.set(Some(text)))
    };
    let keep = {
        let (save, settings, typed) = (save, settings.clone(), typed.clone());
        Callback::from(move |()| {
            if let Some(keep_days) = valid.filter(|days| *days != settings.keep_days) {
                save.emit(Settings { keep_days, ..settings.clone() });
            }
            if valid.is_some() {
                typed.set(None);
            }
        })
    };
    let on_key = keep.clone();
    let options = THEMES.iter().map(|(_, word, title)| ((*word).into(), (*title).into())).collect::<Vec<_>>();
    let chosen = THEMES.iter().find(|(theme, ..)| *theme == settings.theme).map_or("system", |(_, word, _)| word);
    html! {
        <Panel title="Window and checks" test="settings-window">
            <div class="fields">
                <Field label="Theme"><Select {options} value={chosen} on_change={on_theme} test="theme" /></Field>
                <Field label="Keep results for" hint="Older runs, checks and metrics are removed."
                    error={valid.is_none().then(|| AttrValue::from(format!("A whole number from 1 to {MOST_DAYS}.")))}>
                    <span class="row tight" onfocusout={move |_| keep.emit(())}>
                        <Input value={typed.as_ref().cloned().unwrap_or_else(|| settings.keep_days.to_string())} on_input={on_days}
                            invalid={valid.is_none()} test="keep-days" onkeydown={Callback::from(move |event: KeyboardEvent| {
                                if event.key() == "Enter" { on_key.emit(()); }
                            })} />
                        <span class="muted">{ "days" }</span>
                    </span>
                </Field>
            </div>
            <Toggle label="Run health checks and scrapes while the window is open" on={settings.monitor} on_change={on_monitor} test="monitor"
                hint="Switched off, nothing is called by itself, and the time counts as unobserved." />
        </Panel>
    }
}

/// The environment, and where it comes from.
#[component]
fn Environment(props: &AppProps) -> Html {
    let data = use_data();
    let notify = use_notify();
    let on_change = {
        let dispatch = data.dispatcher();
        Callback::from(move |name: String| {
            let dispatch = dispatch.clone();
            notify.perform(SelectEnvironment { name }, move |app| dispatch.dispatch(Change::App(Box::new(app))));
        })
    };
    let options = props.app.environments.iter().map(|name| (name.clone().into(), name.clone().into())).collect::<Vec<_>>();
    html! {
        <Panel title="Environment" test="settings-environment">
            if options.is_empty() {
                <p class="muted">
                    { "The workspace defines none. Write them into " }<span class="code">{ "patchbay.yaml" }</span>
                    { " in the workspace folder, and " }<span class="code">{ "${env:…}" }</span>{ " in the definitions takes its values from the chosen one." }
                </p>
            } else {
                <Field label="Variables come from" hint="Defined in patchbay.yaml; what it lacks is taken from the process’s own environment.">
                    <Select {options} value={props.app.environment.clone()} {on_change} test="settings-environment-select" />
                </Field>
            }
            <p class="muted small"><a href={Route::Integrations.href()}>{ "Integrations" }</a>{ " whose variables have no value say so." }</p>
        </Panel>
    }
}

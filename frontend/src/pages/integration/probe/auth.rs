//! How a request shows who sends it. Credentials are named here and never typed into a request: a new one goes straight
//! into the keychain.

use std::rc::Rc;

use patchbay_contracts::{
    Problem,
    integration::{ApiKeyPlace, Auth, AuthKind, AuthSpec},
    ipc::{ListSecrets, SetSecret},
    secret::Sensitive,
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::{
    components::{Button, Field, Input, Kind, ProblemView, Segments, Select},
    hooks::use_query,
    ipc::call,
};

/// The choice in the list of secrets that opens the fields for another one.
const NEW: &str = "\u{0}new";

/// The properties of [`AuthEditor`].
#[derive(Properties, PartialEq)]
pub struct AuthEditorProps {
    /// The way; none leaves it to the headers.
    pub auth: Option<Auth>,
    /// The host that a new credential may be sent to.
    pub host: AttrValue,
    /// Told of each change.
    pub on_change: Callback<Option<Auth>>,
}

/// Chooses the way and the credential.
#[component]
pub fn AuthEditor(props: &AuthEditorProps) -> Html {
    let spec = match &props.auth {
        Some(Auth::Spec(spec)) => Some(spec.clone()),
        _ => None,
    };
    let kind = match (&props.auth, &spec) {
        (Some(Auth::Kind(AuthKind::Bearer)), _) | (_, Some(AuthSpec::Bearer { .. })) => "bearer",
        (Some(Auth::Kind(AuthKind::Basic)), _) | (_, Some(AuthSpec::Basic { .. })) => "basic",
        (Some(Auth::Kind(AuthKind::ApiKey)), _) | (_, Some(AuthSpec::ApiKey { .. })) => "api_key",
        _ => "none",
    };
    let kinds: Vec<(AttrValue, AttrValue)> = [("none", "None"), ("bearer", "Bearer"), ("basic", "Basic"), ("api_key", "API key")]
        .into_iter()
        .map(|(kind, word)| (kind.into(), word.into()))
        .collect();
    let on_kind = props.on_change.reform(|kind: AttrValue| {
        Some(Auth::Spec(match kind.as_str() {
            "bearer" => AuthSpec::Bearer { token: String::new() },
            "basic" => AuthSpec::Basic { username: String::new(), password: String::new() },
            "api_key" => AuthSpec::ApiKey { name: "X-API-Key".to_owned(), value: String::new(), place: ApiKeyPlace::Header },
            _ => return None,
        }))
    });
    let give = props.on_change.reform(|spec: AuthSpec| Some(Auth::Spec(spec)));
    let host = props.host.clone();
    html! {
        <div class="stack">
            <Segments label="How to authenticate" options={kinds} value={kind} on_change={on_kind} test="auth" />
            { match spec {
                Some(AuthSpec::Bearer { token }) => html! {
                    <Credential label="Token" reference={token} {host} on_change={give.reform(|token| AuthSpec::Bearer { token })} />
                },
                Some(AuthSpec::Basic { username, password }) => {
                    let (user, kept) = (username.clone(), password.clone());
                    html! {
                        <>
                            <Field label="User">
                                <Input value={username} test="auth-user"
                                    on_input={give.reform(move |username| AuthSpec::Basic { username, password: kept.clone() })} />
                            </Field>
                            <Credential label="Password" reference={password} {host}
                                on_change={give.reform(move |password| AuthSpec::Basic { username: user.clone(), password })} />
                        </>
                    }
                }
                Some(AuthSpec::ApiKey { name, value, place }) => {
                    let (own_name, own_value) = (name.clone(), value.clone());
                    let (its_name, its_value) = (name.clone(), value.clone());
                    let places: Vec<(AttrValue, AttrValue)> = vec![("header".into(), "Header".into()), ("query".into(), "Query".into())];
                    html! {
                        <>
                            <div class="form-row">
                                <Field label="Name">
                                    <Input value={name} code=true test="auth-key-name"
                                        on_input={give.reform(move |name| AuthSpec::ApiKey { name, value: own_value.clone(), place })} />
                                </Field>
                                <Field label="Where">
                                    <Select options={places} value={if place == ApiKeyPlace::Query { "query" } else { "header" }} test="auth-key-place"
                                        on_change={give.reform(move |place: String| AuthSpec::ApiKey {
                                            name: its_name.clone(),
                                            value: its_value.clone(),
                                            place: if place == "query" { ApiKeyPlace::Query } else { ApiKeyPlace::Header },
                                        })} />
                                </Field>
                            </div>
                            <Credential label="Key" reference={value} {host}
                                on_change={give.reform(move |value| AuthSpec::ApiKey { name: own_name.clone(), value, place })} />
                        </>
                    }
                }
                _ if kind != "none" => html! {
                    <p class="muted">{ "The credential is the secret that bears the integration's name, as its file says." }</p>
                },
                _ => Html::default(),
            } }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct CredentialProps {
    label: AttrValue,
    /// `${secret:NAME}`, another reference, or nothing.
    reference: String,
    host: AttrValue,
    on_change: Callback<String>,
}

/// The secret that is used, or a new one.
#[component]
fn Credential(props: &CredentialProps) -> Html {
    let changes = use_state_eq(|| 0_u32);
    let secrets = use_query(*changes, |_| ListSecrets {});
    let making = use_state_eq(|| false);
    let chosen = props.reference.strip_prefix("${secret:").and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    let mut options: Vec<(AttrValue, AttrValue)> = vec![("".into(), "Choose a secret".into())];
    let names: Vec<String> = secrets.data.iter().flat_map(|all| all.iter()).map(|secret| secret.name.clone()).collect();
    options.extend(names.iter().map(|name| (name.clone().into(), name.clone().into())));
    if !chosen.is_empty() && !names.iter().any(|name| name == chosen) {
        options.push((chosen.to_owned().into(), format!("{chosen} (has no value yet)").into()));
    }
    let other = !props.reference.is_empty() && chosen.is_empty();
    if other {
        options.push((props.reference.clone().into(), props.reference.clone().into()));
    }
    options.push((NEW.into(), "A new secret…".into()));
    let on_change = {
        let (making, give) = (making.setter(), props.on_change.clone());
        Callback::from(move |value: String| {
            making.set(value == NEW);
            if value.starts_with("${") {
                give.emit(value);
            } else if value != NEW {
                give.emit(if value.is_empty() { value } else { format!("${{secret:{value}}}") });
            }
        })
    };
    let on_made = {
        let (making, changes, give) = (making.setter(), changes.clone(), props.on_change.clone());
        Callback::from(move |name: String| {
            making.set(false);
            changes.set(*changes + 1);
            give.emit(format!("${{secret:{name}}}"));
        })
    };
    let value: AttrValue = match (*making, other) {
        (true, _) => NEW.into(),
        (_, true) => props.reference.clone().into(),
        _ => chosen.to_owned().into(),
    };
    html! {
        <div class="stack">
            <Field label={props.label.clone()} hint="Its value stays in the keychain; the request only names it.">
                <Select {options} {value} {on_change} test="auth-secret" />
            </Field>
            if *making { <NewSecret host={props.host.clone()} {on_made} /> }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct NewSecretProps {
    host: AttrValue,
    on_made: Callback<String>,
}

/// Puts a credential into the keychain, bound to the host of the request.
#[component]
fn NewSecret(props: &NewSecretProps) -> Html {
    let name = use_state_eq(String::new);
    let value = use_state_eq(String::new);
    let problem = use_state(|| None::<Rc<Problem>>);
    let onclick = {
        let (name, value, problem) = (name.clone(), value.clone(), problem.setter());
        let (host, on_made) = (props.host.clone(), props.on_made.clone());
        Callback::from(move |_: MouseEvent| {
            let (problem, on_made, emptied) = (problem.clone(), on_made.clone(), value.setter());
            let hosts = Some(host.to_string()).filter(|host| !host.is_empty()).into_iter().collect();
            let command = SetSecret { name: name.trim().to_owned(), value: Sensitive::new((*value).clone()), hosts };
            spawn_local(async move {
                match call(command).await {
                    Ok(secret) => {
                        emptied.set(String::new());
                        on_made.emit(secret.name);
                    }
                    Err(refused) => problem.set(Some(Rc::new(refused))),
                }
            });
        })
    };
    let set = |state: &UseStateHandle<String>| {
        let state = state.setter();
        Callback::from(move |text| state.set(text))
    };
    let bound = if props.host.is_empty() { "no host yet".to_owned() } else { props.host.to_string() };
    html! {
        <div class="stack inset">
            <div class="form-row">
                <Field label="Name"><Input value={(*name).clone()} on_input={set(&name)} code=true placeholder="orders-token" test="secret-name" /></Field>
                <Field label="Value"><Input kind="password" value={(*value).clone()} on_input={set(&value)} test="secret-value" /></Field>
                <Button kind={Kind::Normal} disabled={name.trim().is_empty() || value.is_empty()} {onclick} test="secret-keep">
                    { "Keep in the keychain" }
                </Button>
            </div>
            <p class="field-hint">{ format!("May be sent to {bound}; the settings can add further hosts.") }</p>
            if let Some(problem) = &*problem { <ProblemView problem={(**problem).clone()} /> }
        </div>
    }
}

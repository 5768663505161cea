//! Credentials: their names, where they lie, and the hosts that they may go to. A value goes in and never comes out.

use patchbay_contracts::{
    Problem,
    ipc::{ListSecrets, RemoveSecret, SetSecret},
    secret::{KeychainState, SecretHome, SecretInfo, Sensitive},
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::{
    components::{Button, Column, EmptyState, Field, Glyph, Icon, Input, Kind, Loading, MiddleCut, Panel, ProblemView, Table},
    hooks::{use_data, use_notify, use_query},
    ipc::call,
    utils::hosts,
};

/// The properties of [`Secrets`].
#[derive(Properties, PartialEq)]
pub struct SecretsProps {
    /// Whether values outlive the program.
    pub keychain: KeychainState,
}

/// All secrets, and the form that sets one.
#[component]
pub fn Secrets(props: &SecretsProps) -> Html {
    let data = use_data();
    let notify = use_notify();
    let form = use_state(|| None::<Option<SecretInfo>>);
    let query = use_query(data.workspace_changes, |_| ListSecrets {});
    let close = {
        let (form, reload) = (form.setter(), query.reload.clone());
        Callback::from(move |changed: bool| {
            form.set(None);
            if changed {
                reload.emit(());
            }
        })
    };
    let new = {
        let form = form.setter();
        Callback::from(move |_: MouseEvent| form.set(Some(None)))
    };
    let remove = {
        let reload = query.reload.clone();
        Callback::from(move |name: String| {
            let (reload, said, own) = (reload.clone(), notify.clone(), name.clone());
            notify.perform(RemoveSecret { name }, move |()| {
                said.done(format!("Removed the value of “{own}”"));
                reload.emit(());
            });
        })
    };
    let edit = {
        let form = form.setter();
        Callback::from(move |secret: SecretInfo| form.set(Some(Some(secret))))
    };
    html! {
        <Panel title="Secrets" test="settings-secrets" aside={html! {
            <Button glyph={Glyph::Plus} test="secret-new" onclick={new}>{ "Set a secret" }</Button>
        }}>
            <Keychain keychain={props.keychain.clone()} />
            if let Some(secret) = &*form { <SecretForm secret={secret.clone()} on_close={close} /> }
            if let Some(problem) = query.problem.clone() { <ProblemView {problem} /> }
            { match &query.data {
                None if query.problem.is_none() => html! { <Loading what="the secrets" /> },
                Some(secrets) if secrets.is_empty() => html! {
                    <EmptyState glyph={Glyph::Key} title="No secrets" hint="A definition names one as ${secret:NAME}; its value is set here, \
                        bound to the hosts that it may be sent to." />
                },
                Some(secrets) => html! { <List secrets={(**secrets).clone()} on_edit={edit} on_remove={remove} /> },
                None => Html::default(),
            } }
        </Panel>
    }
}

#[derive(Properties, PartialEq)]
struct KeychainProps {
    keychain: KeychainState,
}

/// Whether values outlive the program, and what to do where they don't.
#[component]
fn Keychain(props: &KeychainProps) -> Html {
    if props.keychain.available {
        return html! {
            <p class="row muted" data-test="keychain" data-available="true">
                <span class="badge healthy"><Icon glyph={Glyph::Healthy} /><span>{ "kept" }</span></span>
                { format!("Values lie in {}.", props.keychain.detail) }
            </p>
        };
    }
    html! {
        <div class="problem mild" data-test="keychain" data-available="false">
            <Icon glyph={Glyph::Degraded} />
            <div class="problem-words">
                <p class="problem-what">{ "There is no keychain, so values are kept in memory until Patchbay closes." }</p>
                <p>{ &props.keychain.detail }</p>
                <p>
                    { "To keep them, unlock the system’s keychain and start Patchbay again. To hand one in from outside, set " }
                    <span class="code">{ "PATCHBAY_SECRET_<NAME>" }</span>{ " and " }<span class="code">{ "PATCHBAY_SECRET_<NAME>_HOSTS" }</span>
                    { " in Patchbay’s environment." }
                </p>
            </div>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct ListProps {
    secrets: Vec<SecretInfo>,
    on_edit: Callback<SecretInfo>,
    on_remove: Callback<String>,
}

#[component]
fn List(props: &ListProps) -> Html {
    let columns = vec![
        Column::words("Secret"),
        Column::words("Value"),
        Column::wide("May be sent to"),
        Column::words("Named by"),
        Column::actions("Actions"),
    ];
    html! {
        <Table label="Secrets" {columns} test="secrets">
            { for props.secrets.iter().map(|secret| {
                let (glyph, class, word) = match secret.home {
                    SecretHome::Keychain => (Glyph::Healthy, "healthy", "in the keychain"),
                    SecretHome::Environment => (Glyph::Healthy, "healthy", "from the environment"),
                    SecretHome::Memory => (Glyph::Degraded, "degraded", "in memory"),
                    SecretHome::Missing => (Glyph::Down, "down", "missing"),
                };
                let (own, on_edit) = (secret.clone(), props.on_edit.clone());
                let (name, on_remove) = (secret.name.clone(), props.on_remove.clone());
                html! {
                    <tr key={secret.name.clone()} data-test="secret-row" data-name={secret.name.clone()}>
                        <td class="code"><MiddleCut text={secret.name.clone()} limit=32 /></td>
                        <td><span class={classes!("badge", class)} data-test="secret-home"><Icon {glyph} /><span>{ word }</span></span></td>
                        <td class="code wrap">
                            if secret.hosts.is_empty() { <span class="muted">{ "no host yet" }</span> } else { { secret.hosts.join(", ") } }
                        </td>
                        <td class="muted"><MiddleCut text={secret.used_by.join(", ")} limit=32 /></td>
                        <td class="actions">
                            <div class="row">
                                <Button kind={Kind::Quiet} glyph={Glyph::Edit} label={format!("Set {}", secret.name)} test="secret-edit"
                                    onclick={move |_| on_edit.emit(own.clone())} />
                                if matches!(secret.home, SecretHome::Keychain | SecretHome::Memory) {
                                    <Button kind={Kind::Quiet} glyph={Glyph::Trash} label={format!("Remove {}", secret.name)} test="secret-remove"
                                        onclick={move |_| on_remove.emit(name.clone())} />
                                }
                            </div>
                        </td>
                    </tr>
                }
            }) }
        </Table>
    }
}

#[derive(Properties, PartialEq)]
struct SecretFormProps {
    /// The one to change; none for a new one.
    secret: Option<SecretInfo>,
    /// Told whether something changed.
    on_close: Callback<bool>,
}

/// Sets a value and its hosts. The value leaves the page when it's sent, and the field is emptied whatever comes of it.
#[component]
fn SecretForm(props: &SecretFormProps) -> Html {
    let name = use_state(|| props.secret.as_ref().map(|secret| secret.name.clone()).unwrap_or_default());
    let value = use_state(String::new);
    let bound = use_state(|| props.secret.as_ref().map(|secret| secret.hosts.join(", ")).unwrap_or_default());
    let problem = use_state(|| None::<Problem>);
    let notify = use_notify();
    let has_value = props.secret.as_ref().is_some_and(|secret| secret.home != SecretHome::Missing);
    let parsed = hosts::parse(&bound);
    let complete =
        !name.trim().is_empty() && (has_value || !value.is_empty()) && parsed.as_ref().is_ok_and(|hosts| !hosts.is_empty());
    let onsubmit = {
        let (name, value, problem, on_close) = (name.clone(), value.clone(), problem.setter(), props.on_close.clone());
        let hosts = parsed.clone().unwrap_or_default();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let command =
                SetSecret { name: name.trim().to_owned(), value: Sensitive::new((*value).clone()), hosts: hosts.clone() };
            value.set(String::new());
            let (problem, on_close, notify) = (problem.clone(), on_close.clone(), notify.clone());
            spawn_local(async move {
                match call(command).await {
                    Ok(secret) => {
                        notify.done(format!("“{}” is set", secret.name));
                        on_close.emit(true);
                    }
                    Err(what) => problem.set(Some(what)),
                }
            });
        })
    };
    let setter = |state: &UseStateHandle<String>| {
        let state = state.setter();
        Callback::from(move |text: String| state.set(text))
    };
    let cancel = props.on_close.reform(|_: MouseEvent| false);
    html! {
        <form class="stack inset" {onsubmit} data-test="secret-form" autocomplete="off">
            <div class="fields">
                <Field label="Name" hint="As in ${secret:NAME}.">
                    <Input value={(*name).clone()} on_input={setter(&name)} disabled={props.secret.is_some()} code=true
                        autofocus={props.secret.is_none()} test="secret-name" />
                </Field>
                <Field label="Value" hint={if has_value { "Empty keeps the one that it has. It is never shown again." } else { "It is never shown again." }}>
                    <Input kind="password" value={(*value).clone()} on_input={setter(&value)} autofocus={props.secret.is_some()} test="secret-value" />
                </Field>
                <Field label="May be sent to" hint="Hosts, separated by commas: api.example.org, localhost:8080, *.example.org"
                    error={parsed.as_ref().err().cloned().map(AttrValue::from)}>
                    <Input value={(*bound).clone()} on_input={setter(&bound)} code=true invalid={parsed.is_err()} test="secret-hosts" />
                </Field>
            </div>
            if let Some(problem) = &*problem { <ProblemView problem={problem.clone()} /> }
            <div class="row">
                <Button kind={Kind::Primary} submit=true disabled={!complete} test="secret-save">{ "Set the secret" }</Button>
                <Button test="secret-cancel" onclick={cancel}>{ "Cancel" }</Button>
            </div>
        </form>
    }
}

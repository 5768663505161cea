//! Contracts: the last run of each integration, any other document held against an address, files, and mocks.

use std::cell::RefCell;

use patchbay_contracts::{
    contract::{ContractOptions, ContractSubject},
    integration::Auth,
    ipc::StartDocumentContract,
    run::RunKind,
};
use yew::prelude::*;

use super::{
    contract::SessionRuns,
    files::Files,
    integration::{
        job::{JobEnd, use_start},
        probe::AuthEditor,
    },
    kinds::LastRunsPage,
    mocks::Mocks,
};
use crate::{
    components::{Button, Field, Glyph, Input, Kind, Panel},
    utils::curl::host,
};

/// What the form holds.
#[derive(Debug, Clone, PartialEq, Default)]
struct Form {
    source: String,
    url: String,
    seed: String,
    auth: Option<Auth>,
}

impl Form {
    fn options(&self) -> ContractOptions {
        let url = Some(self.url.trim().to_owned()).filter(|url| !url.is_empty());
        ContractOptions { url, auth: self.auth.clone(), seed: self.seed.trim().parse().ok(), ..ContractOptions::default() }
    }
}

thread_local! {
    /// The form and what was last verified, for when the page is opened again.
    static LAST: RefCell<(Form, Option<Form>)> = RefCell::default();
}

/// The page.
#[component]
pub fn ContractsPage() -> Html {
    let form = use_state_eq(|| LAST.with_borrow(|(form, _)| form.clone()));
    let start = use_start();
    let verified = use_state_eq(|| LAST.with_borrow(|(_, verified)| verified.clone()));
    {
        let both = ((*form).clone(), (*verified).clone());
        use_effect_with(both, |both| LAST.set(both.clone()));
    }
    let on_verify = {
        let (form, verified, start) = (form.clone(), verified.setter(), start.clone());
        Callback::from(move |()| {
            verified.set(Some((*form).clone()));
            start.run(StartDocumentContract { source: form.source.trim().to_owned(), options: form.options() });
        })
    };
    let on_form = {
        let form = form.setter();
        Callback::from(move |next| form.set(next))
    };
    html! {
        <>
            <LastRunsPage kind={RunKind::Contract} />
            <Panel title="Hold any document against a service" test="document-contract">
                <DocumentForm form={(*form).clone()} {on_form} {on_verify} busy={start.busy} />
            </Panel>
            <JobEnd refused={start.problem.clone()} finished={None} />
            if let Some(verified) = &*verified { <DocumentRuns key={verified.source.clone()} form={verified.clone()} /> }
            <Files />
            <Mocks />
        </>
    }
}

#[derive(Properties, PartialEq)]
struct DocumentFormProps {
    form: Form,
    on_form: Callback<Form>,
    on_verify: Callback<()>,
    busy: bool,
}

/// Asks for the document, the address, and how to authenticate.
#[component]
fn DocumentForm(props: &DocumentFormProps) -> Html {
    let tried = use_state_eq(|| false);
    let with_auth = use_state_eq(|| props.form.auth.is_some());
    let form = &props.form;
    let change = |apply: fn(&mut Form, String)| {
        let (form, on_form) = (form.clone(), props.on_form.clone());
        Callback::from(move |text| {
            let mut next = form.clone();
            apply(&mut next, text);
            on_form.emit(next);
        })
    };
    let no_source = form.source.trim().is_empty();
    let bad_seed = !form.seed.trim().is_empty() && form.seed.trim().parse::<u64>().is_err();
    let onsubmit = {
        let (tried, on_verify) = (tried.setter(), props.on_verify.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            if !no_source && !bad_seed {
                on_verify.emit(());
            }
        })
    };
    let on_auth = {
        let (form, on_form) = (form.clone(), props.on_form.clone());
        Callback::from(move |auth| on_form.emit(Form { auth, ..form.clone() }))
    };
    let toggle_auth = {
        let with_auth = with_auth.clone();
        Callback::from(move |_: MouseEvent| with_auth.set(!*with_auth))
    };
    let error = |wrong: bool, words: &'static str| (wrong && *tried).then(|| AttrValue::from(words));
    html! {
        <form class="stack document-form" {onsubmit}>
            <div class="form-row">
                <Field label="Document" class={classes!("span-2")} hint="A file, a folder of pacts or an address: OpenAPI, Swagger, Pact, AsyncAPI, JSON Schema, our own."
                    error={error(no_source, "Name a file or an address.")}>
                    <Input value={form.source.clone()} on_input={change(|form, text| form.source = text)} code=true
                        placeholder="http://127.0.0.1:8617/openapi.json" invalid={no_source && *tried} test="document-source" />
                </Field>
                <Field label="Address to call" class={classes!("span-2")} hint="Without one, the one that the document names.">
                    <Input value={form.url.clone()} on_input={change(|form, text| form.url = text)} code=true
                        placeholder="http://127.0.0.1:8617" test="document-url" />
                </Field>
                <Field label="Seed" hint="The same seed makes the same requests." error={error(bad_seed, "A whole number.")}>
                    <Input value={form.seed.clone()} on_input={change(|form, text| form.seed = text)} code=true invalid={bad_seed} test="document-seed" />
                </Field>
            </div>
            if *with_auth { <AuthEditor auth={form.auth.clone()} host={host(&form.url)} on_change={on_auth} /> }
            <div class="row">
                <Button kind={Kind::Primary} glyph={Glyph::Play} submit=true busy={props.busy} test="document-verify">{ "Verify" }</Button>
                <button type="button" class="link" aria-expanded={if *with_auth { "true" } else { "false" }} onclick={toggle_auth} data-test="document-auth">
                    { if *with_auth { "Hide authentication" } else { "Authentication" } }
                </button>
            </div>
        </form>
    }
}

#[derive(Properties, PartialEq)]
struct DocumentRunsProps {
    form: Form,
}

/// The runs of a document in this session.
#[component]
fn DocumentRuns(props: &DocumentRunsProps) -> Html {
    let (source, options) = (props.form.source.trim().to_owned(), props.form.options());
    let what = match &options.url {
        Some(url) => format!("Calls {url}."),
        None => "Calls the address that the document names.".to_owned(),
    };
    html! { <SessionRuns subject={ContractSubject::Document { source, options: Box::new(options) }} {what} test="contract-page" /> }
}

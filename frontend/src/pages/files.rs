//! Files checked by themselves, with no service called: documents by a JSON Schema, messages by their contract, Pact cases.

use std::cell::RefCell;

use patchbay_contracts::{
    contract::{CheckedBy, ContractOptions, ContractSubject, FileCheck},
    ipc::StartFileCheck,
};
use yew::prelude::*;

use super::{
    contract::SessionRuns,
    integration::job::{JobEnd, use_start},
};
use crate::{
    components::{Button, Field, Glyph, Input, Kind, Panel, Segments, Select, Toggle, value_of},
    utils::text,
};

/// By what files are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum By {
    #[default]
    Schema,
    Messages,
    Cases,
}

impl By {
    const ALL: [Self; 3] = [Self::Schema, Self::Messages, Self::Cases];

    const fn value(self) -> &'static str {
        match self {
            Self::Schema => "json-schema",
            Self::Messages => "messages",
            Self::Cases => "pact-cases",
        }
    }

    const fn shown(self) -> &'static str {
        match self {
            Self::Schema => "JSON Schema",
            Self::Messages => "Message contract",
            Self::Cases => "Pact cases",
        }
    }
}

/// What the form holds.
#[derive(Debug, Clone, PartialEq)]
struct Form {
    by: By,
    /// The schema or the contract.
    source: String,
    /// One path a line.
    files: String,
    draft: String,
    formats: bool,
    envelope: String,
    specification: String,
    part: String,
    fetch: bool,
}

impl Default for Form {
    fn default() -> Self {
        let empty = String::new;
        Self {
            by: By::Schema,
            source: empty(),
            files: empty(),
            draft: empty(),
            formats: false,
            envelope: empty(),
            specification: "4".to_owned(),
            part: empty(),
            fetch: false,
        }
    }
}

impl Form {
    fn listed(&self) -> Vec<String> {
        self.files.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    fn check(&self) -> FileCheck {
        let chosen = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let source = self.source.trim().to_owned();
        let by = match self.by {
            By::Schema => CheckedBy::JsonSchema { schema: source, draft: chosen(&self.draft), formats: self.formats },
            By::Messages => CheckedBy::Messages { contract: source, envelope: chosen(&self.envelope), window: None },
            By::Cases => CheckedBy::PactCases { specification: self.specification.clone(), part: chosen(&self.part) },
        };
        let fetch = self.fetch && self.by != By::Cases;
        FileCheck { by, files: self.listed(), options: ContractOptions { fetch, ..ContractOptions::default() } }
    }
}

thread_local! {
    /// The form and what was last checked, for when the page is opened again.
    static LAST: RefCell<(Form, Option<FileCheck>)> = RefCell::default();
}

/// The form, and the runs of what was last checked.
#[component]
pub fn Files() -> Html {
    let form = use_state_eq(|| LAST.with_borrow(|(form, _)| form.clone()));
    let checked = use_state_eq(|| LAST.with_borrow(|(_, checked)| checked.clone()));
    let start = use_start();
    {
        let both = ((*form).clone(), (*checked).clone());
        use_effect_with(both, |both| LAST.set(both.clone()));
    }
    let on_check = {
        let (form, checked, start) = (form.clone(), checked.setter(), start.clone());
        Callback::from(move |()| {
            let check = form.check();
            checked.set(Some(check.clone()));
            start.run(StartFileCheck { check });
        })
    };
    let on_form = {
        let form = form.setter();
        Callback::from(move |next| form.set(next))
    };
    html! {
        <>
            <Panel title="Check files" test="file-check">
                <FilesForm form={(*form).clone()} {on_form} {on_check} busy={start.busy} />
            </Panel>
            <JobEnd refused={start.problem.clone()} finished={None} />
            if let Some(check) = &*checked {
                <SessionRuns key={check.label()} what={what(check)} test="file-check-runs"
                    subject={ContractSubject::Files { check: Box::new(check.clone()) }} />
            }
        </>
    }
}

/// What a run does, in a sentence.
fn what(check: &FileCheck) -> String {
    match &check.by {
        CheckedBy::JsonSchema { schema, .. } => format!("Holds each document to {}.", text::middle_cut(schema, 80)),
        CheckedBy::Messages { contract, .. } => {
            format!("Holds the messages of all files, as one stream, to {}.", text::middle_cut(contract, 80))
        }
        CheckedBy::PactCases { specification, .. } => {
            format!("Matches what came with what is expected, by version {specification} of the Pact specification.")
        }
    }
}

#[derive(Properties, PartialEq)]
struct FilesFormProps {
    form: Form,
    on_form: Callback<Form>,
    on_check: Callback<()>,
    busy: bool,
}

/// Asks by what to check, which files, and how.
#[component]
fn FilesForm(props: &FilesFormProps) -> Html {
    let tried = use_state_eq(|| false);
    let form = &props.form;
    let no_source = form.by != By::Cases && form.source.trim().is_empty();
    let no_files = form.listed().is_empty();
    let onsubmit = {
        let (tried, on_check) = (tried.setter(), props.on_check.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            if !no_source && !no_files {
                on_check.emit(());
            }
        })
    };
    let change = |apply: fn(&mut Form, String)| {
        let (form, on_form) = (form.clone(), props.on_form.clone());
        Callback::from(move |text| {
            let mut next = form.clone();
            apply(&mut next, text);
            on_form.emit(next);
        })
    };
    let on_by = {
        let (form, on_form, tried) = (form.clone(), props.on_form.clone(), tried.setter());
        Callback::from(move |value: AttrValue| {
            let by = By::ALL.into_iter().find(|by| by.value() == value).unwrap_or_default();
            tried.set(false);
            on_form.emit(Form { by, ..form.clone() });
        })
    };
    let error = |wrong: bool, words: &'static str| (wrong && *tried).then(|| AttrValue::from(words));
    let kinds: Vec<(AttrValue, AttrValue)> = By::ALL.into_iter().map(|by| (by.value().into(), by.shown().into())).collect();
    let (label, source_hint, example) = match form.by {
        By::Messages => {
            ("Contract", "A message contract, an AsyncAPI document or a JSON Schema: a file or an address.", "events.yaml")
        }
        By::Schema | By::Cases => ("Schema", "A JSON Schema: a file or an address.", "order.schema.json"),
    };
    let files_hint = match form.by {
        By::Schema => "A file, a folder or an address on each line, in JSON or YAML. Paths may be relative to the workspace.",
        By::Messages => "A file or a folder on each line, in JSON or JSON lines. Together they are one stream.",
        By::Cases => "A file or a folder on each line. Each file is one case: {\"expected\": {…}, \"actual\": {…}}.",
    };
    html! {
        <form class="stack document-form" {onsubmit}>
            <Segments label="Check by" options={kinds} value={form.by.value()} on_change={on_by} test="file-check-by" />
            <div class="form-row">
                if form.by != By::Cases {
                    <Field {label} class={classes!("span-2")} hint={source_hint} error={error(no_source, "Name a file or an address.")}>
                        <Input value={form.source.clone()} on_input={change(|form, text| form.source = text)} code=true
                            placeholder={example} invalid={no_source && *tried} test="file-check-source" />
                    </Field>
                }
                <Choices form={form.clone()} on_form={props.on_form.clone()} />
            </div>
            <Field label="Files" hint={files_hint} error={error(no_files, "Name at least one file or folder.")}>
                <textarea class="area code" rows="3" value={form.files.clone()} spellcheck="false" autocomplete="off"
                    autocapitalize="off" wrap="off" aria-invalid={(no_files && *tried).then_some("true")} placeholder="orders/"
                    oninput={change(|form, text| form.files = text).reform(|event: InputEvent| value_of(&event))} data-test="file-check-files" />
            </Field>
            <Switches form={form.clone()} on_form={props.on_form.clone()} />
            <div class="row">
                <Button kind={Kind::Primary} glyph={Glyph::Play} submit=true busy={props.busy} test="file-check-start">{ "Check" }</Button>
                <span class="muted">{ "No service is called." }</span>
            </div>
        </form>
    }
}

#[derive(Properties, PartialEq)]
struct ChoicesProps {
    form: Form,
    on_form: Callback<Form>,
}

/// What can be chosen among a few, by what is checked by.
#[component]
fn Choices(props: &ChoicesProps) -> Html {
    let form = &props.form;
    let pick = |apply: fn(&mut Form, String)| {
        let (form, on_form) = (form.clone(), props.on_form.clone());
        Callback::from(move |value: String| {
            let mut next = form.clone();
            apply(&mut next, value);
            on_form.emit(next);
        })
    };
    let choices = |first: &'static str, others: &[&'static str]| -> Vec<(AttrValue, AttrValue)> {
        let others = others.iter().map(|other| (AttrValue::from(*other), AttrValue::from(*other)));
        std::iter::once((AttrValue::from(""), AttrValue::from(first))).chain(others).collect()
    };
    match form.by {
        By::Schema => html! {
            <Field label="Draft" hint="Of JSON Schema.">
                <Select options={choices("As $schema says", &["2020-12", "2019-09", "7", "6", "4"])} value={form.draft.clone()}
                    on_change={pick(|form, value| form.draft = value)} test="file-check-draft" />
            </Field>
        },
        By::Messages => html! {
            <Field label="Envelope" hint="What stands around a payload.">
                <Select options={choices("As the contract says", &["patchbay", "cloudevents", "none", "auto"])} value={form.envelope.clone()}
                    on_change={pick(|form, value| form.envelope = value)} test="file-check-envelope" />
            </Field>
        },
        By::Cases => {
            let versions = ["4", "3", "2", "1.1", "1"].map(AttrValue::from);
            let versions: Vec<(AttrValue, AttrValue)> = versions.into_iter().map(|version| (version.clone(), version)).collect();
            html! {
                <>
                    <Field label="Version" hint="Of the Pact specification.">
                        <Select options={versions} value={form.specification.clone()}
                            on_change={pick(|form, value| form.specification = value)} test="file-check-specification" />
                    </Field>
                    <Field label="Part" hint="What the cases are about.">
                        <Select options={choices("Recognised", &["request", "response", "message"])} value={form.part.clone()}
                            on_change={pick(|form, value| form.part = value)} test="file-check-part" />
                    </Field>
                </>
            }
        }
    }
}

/// What can be switched, by what is checked by.
#[component]
fn Switches(props: &ChoicesProps) -> Html {
    let form = &props.form;
    let switch = |apply: fn(&mut Form, bool)| {
        let (form, on_form) = (form.clone(), props.on_form.clone());
        Callback::from(move |on: bool| {
            let mut next = form.clone();
            apply(&mut next, on);
            on_form.emit(next);
        })
    };
    if form.by == By::Cases {
        return Html::default();
    }
    html! {
        <div class="form-row">
            if form.by == By::Schema {
                <Toggle label="Judge formats" hint="From draft 2019-09 on they are remarks otherwise." on={form.formats}
                    on_change={switch(|form, on| form.formats = on)} test="file-check-formats" />
            }
            <Toggle label="Fetch references" hint="Those to other addresses; they are refused otherwise." on={form.fetch}
                on_change={switch(|form, on| form.fetch = on)} test="file-check-fetch" />
        </div>
    }
}

//! Registering an integration from what a person has at hand.

use patchbay_contracts::{Problem, ipc::AddIntegration};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::{
    components::{Button, Field, Glyph, Input, Kind, ProblemView, value_of},
    hooks::{go, use_notify},
    ipc::call,
    route::{Route, Tab},
    utils::input::{Looks, looks},
};

/// The page that registers an integration.
#[component]
pub fn AddPage() -> Html {
    html! { <div class="column narrow"><AddForm autofocus=true /></div> }
}

/// The properties of [`AddForm`].
#[derive(Properties, PartialEq)]
pub struct AddFormProps {
    /// Whether the field gets the focus at once.
    #[prop_or_default]
    pub autofocus: bool,
}

/// A field for an address, a curl line or the text of a file, and one for the name.
#[component]
pub fn AddForm(props: &AddFormProps) -> Html {
    let input = use_state(String::new);
    let name = use_state(String::new);
    let problem = use_state(|| None::<Problem>);
    let busy = use_state(|| false);
    let notify = use_notify();
    let area = use_node_ref();
    {
        let area = area.clone();
        use_effect_with(props.autofocus, move |autofocus| {
            if *autofocus {
                crate::utils::dom::focus(&area);
            }
        });
    }
    let looks = looks(&input);
    let send = {
        let (input, name, problem, busy) = (input.clone(), name.clone(), problem.setter(), busy.clone());
        Callback::from(move |()| {
            if *busy || input.trim().is_empty() {
                return;
            }
            busy.set(true);
            problem.set(None);
            let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
            let command = AddIntegration { input: input.trim().to_owned(), name };
            let (input, busy, problem, notify) = (input.setter(), busy.setter(), problem.clone(), notify.clone());
            spawn_local(async move {
                match call(command).await {
                    Ok(saved) => {
                        // What was pasted may hold a credential, and is no longer needed.
                        input.set(String::new());
                        notify.undoable(format!("Added “{}” as {}", saved.name, saved.file));
                        let tab = if saved.problems.is_empty() { Tab::Health } else { Tab::Definition };
                        go(&Route::Integration { name: saved.name, tab });
                    }
                    Err(what) => problem.set(Some(what)),
                }
                busy.set(false);
            });
        })
    };
    let onsubmit = send.reform(|event: SubmitEvent| event.prevent_default());
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
            event.prevent_default();
            send.emit(());
        }
    });
    let set = {
        let input = input.setter();
        Callback::from(move |event: InputEvent| input.set(value_of(&event)))
    };
    let set_name = {
        let name = name.setter();
        Callback::from(move |text| name.set(text))
    };
    html! {
        <form class="stack" {onsubmit} {onkeydown}>
            <Field label="Address, curl line or file" hint={looks.hint()}>
                <textarea ref={area} class="area" rows="3" value={(*input).clone()} oninput={set} spellcheck="false" autocomplete="off"
                    placeholder="https://api.example.org/v1/health" data-test="add-input" />
            </Field>
            <div class="row bottom">
                <Field label="Name" class="grow" hint={
                    if looks == Looks::File { "The file says it; a name here goes over it." } else { "Made from the address where it's left out." }
                }>
                    <Input value={(*name).clone()} on_input={set_name} placeholder="orders" test="add-name" />
                </Field>
            </div>
            if let Some(problem) = &*problem { <ProblemView problem={problem.clone()} /> }
            <div class="row">
                <Button kind={Kind::Primary} glyph={Glyph::Plus} submit=true busy={*busy} disabled={looks == Looks::Empty} test="add-submit">
                    { "Add the integration" }
                </Button>
            </div>
        </form>
    }
}

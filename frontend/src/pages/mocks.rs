//! Mocks: contracts that are served on this machine, so that a consumer can be tried without its provider.

use patchbay_contracts::{
    ipc::{GetMocks, StartMock, StopMock},
    mock::{MOCK_TOKEN, MockState},
    sample::Faults,
};
use yew::prelude::*;

use crate::{
    components::{Button, Column, CopyButton, Field, Glyph, Icon, Input, Kind, MiddleCut, Panel, ProblemView, Table, Time},
    hooks::{use_notify, use_query},
    utils::text,
};

/// How many requests of a mock are shown.
const SHOWN: usize = 8;

/// The mocks that run, and a form that starts one.
#[component]
pub fn Mocks() -> Html {
    let changes = use_state_eq(|| 0_u64);
    let source = use_state_eq(String::new);
    let port = use_state_eq(String::new);
    let tried = use_state_eq(|| false);
    let notify = use_notify();
    let mocks = use_query(*changes, |_| GetMocks {});
    let refresh = {
        let (at, changes) = (*changes, changes.setter());
        Callback::from(move |()| changes.set(at + 1))
    };
    let wanted_port = if port.trim().is_empty() { Some(0) } else { port.trim().parse::<u16>().ok() };
    let no_source = source.trim().is_empty();
    let onsubmit = {
        let (contract, refresh, notify, tried) = (source.trim().to_owned(), refresh.clone(), notify.clone(), tried.setter());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            tried.set(true);
            let Some(port) = wanted_port.filter(|_| !contract.is_empty()) else { return };
            let refresh = refresh.clone();
            let start = StartMock { contract: contract.clone(), port, seed: None, faults: Faults::default() };
            notify.perform(start, move |_| refresh.emit(()));
        })
    };
    let on_stop = {
        let (refresh, notify) = (refresh.clone(), notify);
        Callback::from(move |id: u64| {
            let refresh = refresh.clone();
            notify.perform(StopMock { id }, move |_| refresh.emit(()));
        })
    };
    let set = |setter: UseStateSetter<String>| Callback::from(move |text| setter.set(text));
    let running = mocks.data.as_ref().map(|mocks| mocks.as_ref().clone()).unwrap_or_default();
    let aside = html! {
        if !running.is_empty() {
            <Button glyph={Glyph::Refresh} test="mocks-refresh" onclick={Callback::from(move |_: MouseEvent| refresh.emit(()))}>{ "Refresh" }</Button>
        }
    };
    html! {
        <Panel title="Mocks" test="mocks" {aside}>
            <div class="stack">
                <form class="stack" {onsubmit}>
                    <div class="form-row">
                        <Field label="Contract" class={classes!("span-2")} hint="A file, an address or an integration; it is served on this machine only."
                            error={(no_source && *tried).then(|| AttrValue::from("Name a contract."))}>
                            <Input value={(*source).clone()} on_input={set(source.setter())} code=true placeholder="openapi.yaml"
                                invalid={no_source && *tried} test="mock-source" />
                        </Field>
                        <Field label="Port" hint="Empty for any that is free."
                            error={wanted_port.is_none().then(|| AttrValue::from("A number up to 65535."))}>
                            <Input value={(*port).clone()} on_input={set(port.setter())} code=true invalid={wanted_port.is_none()} test="mock-port" />
                        </Field>
                    </div>
                    <div class="row">
                        <Button kind={Kind::Primary} glyph={Glyph::Play} submit=true test="mock-start">{ "Serve it" }</Button>
                        <span class="muted">{ "Where the contract asks for a credential, it takes " }<code>{ MOCK_TOKEN }</code>{ "." }</span>
                    </div>
                </form>
                if let Some(problem) = &mocks.problem { <ProblemView problem={problem.clone()} /> }
                { for running.into_iter().map(|mock| {
                    let key = mock.id;
                    html! { <Mock {key} {mock} on_stop={on_stop.clone()} /> }
                }) }
            </div>
        </Panel>
    }
}

#[derive(Properties, PartialEq)]
struct MockProps {
    mock: MockState,
    on_stop: Callback<u64>,
}

/// A mock that runs, with what it was asked last.
#[component]
fn Mock(props: &MockProps) -> Html {
    let mock = &props.mock;
    let onclick = {
        let (id, on_stop) = (mock.id, props.on_stop.clone());
        Callback::from(move |_: MouseEvent| on_stop.emit(id))
    };
    let columns = vec![
        Column::words("When"),
        Column::words("Method"),
        Column::wide("Path"),
        Column::figures("Status"),
        Column::figures("Took"),
    ];
    html! {
        <section class="stack" data-test="mock">
            <div class="row">
                <span class="badge healthy"><Icon glyph={Glyph::Healthy} /><span>{ "running" }</span></span>
                <strong><MiddleCut text={mock.file.clone()} limit=48 /></strong>
                <span class="muted">{ mock.kind.as_str() }</span>
                <span class="code" data-test="mock-url">{ &mock.url }</span>
                <CopyButton text={mock.url.clone()} label="Copy the address" />
                <Button glyph={Glyph::Stop} test="mock-stop" {onclick}>{ "Stop" }</Button>
            </div>
            { for mock.problems.iter().map(|problem| html! { <ProblemView problem={problem.clone()} /> }) }
            if mock.requests.is_empty() {
                <p class="muted">{ "Nothing was asked of it yet." }</p>
            } else {
                <Table label="Requests" {columns} test="mock-requests">
                    { for mock.requests.iter().rev().take(SHOWN).map(|request| html! {
                        <tr>
                            <td><Time at={request.at} /></td>
                            <td>{ &request.method }</td>
                            <td class="wide code"><MiddleCut text={request.path.clone()} limit=64 /></td>
                            <td class="figure">{ request.status }</td>
                            <td class="figure">{ text::duration(request.duration_ms) }</td>
                        </tr>
                    }) }
                </Table>
            }
        </section>
    }
}

//! What this machine has and lacks, and where things lie.

use patchbay_contracts::{ipc::RunDoctor, workspace::AppState};
use yew::prelude::*;

use crate::{
    components::{Button, Column, CopyButton, Glyph, Icon, LinkButton, Loading, Panel, ProblemView, Table},
    hooks::use_query,
    route::Route,
};

/// The properties of [`Machine`].
#[derive(Properties, PartialEq)]
pub struct MachineProps {
    /// The program.
    pub app: AppState,
}

/// The doctor's findings, and the places of the workspace and the database.
#[component]
pub fn Machine(props: &MachineProps) -> Html {
    let query = use_query((), |()| RunDoctor {});
    let columns = vec![Column::words("Finding"), Column::words("Looked at"), Column::wide("Found")];
    let places = [
        ("Workspace", &props.app.workspace, "copy-workspace"),
        ("Results", &props.app.database, "copy-database"),
        ("Version", &props.app.version, "copy-version"),
    ];
    let aside = html! {
        <>
            <LinkButton to={Route::Log} glyph={Glyph::Log} test="open-log">{ "Log" }</LinkButton>
            <Button glyph={Glyph::Refresh} busy={query.loading} test="doctor-again" onclick={query.reload.reform(|_: MouseEvent| ())}>
                { "Look again" }
            </Button>
        </>
    };
    html! {
        <Panel title="This machine" test="settings-machine" {aside}>
            <dl class="facts">
                { for places.into_iter().map(|(what, value, test)| html! {
                    <><dt>{ what }</dt><dd class="code">{ value }<CopyButton text={value.clone()} label={format!("Copy: {what}")} {test} /></dd></>
                }) }
            </dl>
            if let Some(problem) = query.problem.clone() { <ProblemView {problem} /> }
            if let Some(report) = &query.data {
                <Table label="Findings" {columns} test="doctor">
                    { for report.findings.iter().map(|finding| {
                        let (glyph, class, word) = match finding.ok {
                            Some(true) => (Glyph::Healthy, "healthy", "as it should be"),
                            Some(false) => (Glyph::Down, "down", "lacking"),
                            None => (Glyph::Unobserved, "unobserved", "does not matter"),
                        };
                        html! {
                            <tr data-test="doctor-row" data-ok={finding.ok.map(|ok| ok.to_string())}>
                                <td><span class={classes!("badge", class)}><Icon {glyph} /><span>{ word }</span></span></td>
                                <td>{ &finding.name }</td>
                                <td class="wrap">
                                    { &finding.found }
                                    if !finding.next.is_empty() { <div class="muted">{ &finding.next }</div> }
                                </td>
                            </tr>
                        }
                    }) }
                </Table>
            } else if query.problem.is_none() {
                <Loading what="what this machine has" />
            }
        </Panel>
    }
}

//! The runs of a subject that belongs to no integration, as far as this session has them.

use std::rc::Rc;

use patchbay_contracts::{
    contract::ContractSubject,
    run::{RunKind, RunSummary},
};
use yew::prelude::*;

use super::{ContractRuns, stored};
use crate::{hooks::use_jobs, pages::integration::job::use_newest_job};

/// The properties of [`SessionRuns`].
#[derive(Properties, PartialEq)]
pub struct SessionRunsProps {
    /// What is run.
    pub subject: ContractSubject,
    /// What a run does, in a sentence.
    pub what: AttrValue,
    /// The name by which tests find it.
    pub test: AttrValue,
}

/// The runs of a document, or of files, in this session.
#[component]
pub fn SessionRuns(props: &SessionRunsProps) -> Html {
    let target = props.subject.target();
    let jobs = use_jobs();
    let job = use_newest_job(RunKind::Contract, &target);
    let own = jobs.all.values().rev().filter(|live| live.job.as_ref().is_some_and(|job| job.target == target));
    let runs: Vec<RunSummary> = own.filter_map(stored).cloned().collect();
    html! {
        <div class="stack" data-test={props.test.clone()}>
            <h2 class="breakable">{ target }</h2>
            <ContractRuns subject={props.subject.clone()} {job} runs={Some(Rc::new(runs))} what={props.what.clone()} />
        </div>
    }
}

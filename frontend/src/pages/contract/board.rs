//! Fetches a stored contract run.

use std::{cell::Cell, rc::Rc};

use patchbay_contracts::{
    Problem,
    ipc::GetRun,
    run::{Report, RunId},
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::{ipc::call, reports::Board};

/// What a stored run found, or why it can't be had. While another one is fetched, the one before stays.
#[hook]
pub fn use_board(id: Option<RunId>) -> (Option<Board>, Option<Problem>) {
    let answer = use_state(|| (None::<Board>, None::<Problem>));
    {
        let answer = answer.setter();
        use_effect_with(id, move |id| {
            let wanted = Rc::new(Cell::new(true));
            match *id {
                None => answer.set((None, None)),
                Some(id) => {
                    let wanted = wanted.clone();
                    spawn_local(async move {
                        let reply = call(GetRun { id }).await;
                        if wanted.get() {
                            answer.set(match reply.map(|run| run.report) {
                                Ok(Report::Contract(report)) => (Some(Board::of(&report, id)), None),
                                Ok(_) => (None, None),
                                Err(problem) => (None, Some(problem)),
                            });
                        }
                    });
                }
            }
            move || wanted.set(false)
        });
    }
    (*answer).clone()
}

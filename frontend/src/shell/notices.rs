//! Notices at the edge of the window.

use std::rc::Rc;

use gloo_timers::callback::Timeout;
use patchbay_contracts::ipc::Undo;
use yew::prelude::*;

use crate::{
    components::{Button, Glyph, Icon, Kind, ProblemView},
    hooks::use_notify,
    state::{Notice, NoticeChange, Notices},
};

/// For how long a notice stands that nobody has to act on, in milliseconds.
const BRIEF: u32 = 4_000;
/// For how long one stands that offers to take something back.
const UNDOABLE: u32 = 12_000;

/// The properties of [`NoticeList`].
#[derive(Properties, PartialEq)]
pub struct NoticeListProps {
    /// What to show.
    pub notices: UseReducerHandle<Notices>,
}

/// All notices that are shown.
#[component]
pub fn NoticeList(props: &NoticeListProps) -> Html {
    html! {
        <div class="notices" role="region" aria-label="Notices" aria-live="polite">
            { for props.notices.shown.iter().map(|(id, _, notice)| {
                let (dispatch, id) = (props.notices.dispatcher(), *id);
                let on_dismiss = Callback::from(move |()| dispatch.dispatch(NoticeChange::Dismiss(id)));
                html! { <One key={id} notice={Rc::new(notice.clone())} {on_dismiss} /> }
            }) }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct OneProps {
    notice: Rc<Notice>,
    on_dismiss: Callback<()>,
}

/// One notice. It waits while the pointer or the focus is on it.
#[component]
fn One(props: &OneProps) -> Html {
    let held = use_state(|| false);
    let notify = use_notify();
    {
        let on_dismiss = props.on_dismiss.clone();
        use_effect_with((props.notice.clone(), *held), move |(notice, held)| {
            let time = match **notice {
                Notice::Done(_) => Some(BRIEF),
                Notice::Undoable(_) => Some(UNDOABLE),
                Notice::Failed(_) => None,
            };
            let timeout = time.filter(|_| !*held).map(|time| Timeout::new(time, move || on_dismiss.emit(())));
            move || drop(timeout)
        });
    }
    let hold = |on: bool| {
        let held = held.setter();
        move || held.set(on)
    };
    let (enter, leave, focus, blur) = (hold(true), hold(false), hold(true), hold(false));
    let undo = {
        let on_dismiss = props.on_dismiss.clone();
        Callback::from(move |_: MouseEvent| {
            on_dismiss.emit(());
            let said = notify.clone();
            notify.perform(Undo {}, move |what| said.done(format!("Taken back: {what}")));
        })
    };
    html! {
        <div class="notice" data-test="notice" onmouseenter={move |_| enter()} onmouseleave={move |_| leave()}
            onfocusin={move |_| focus()} onfocusout={move |_| blur()}>
            <div class="grow">
                { match &*props.notice {
                    Notice::Done(text) => html! { <p class="notice-words"><Icon glyph={Glyph::Healthy} />{ text.clone() }</p> },
                    Notice::Undoable(text) => html! { <p class="notice-words"><Icon glyph={Glyph::Info} />{ text.clone() }</p> },
                    Notice::Failed(problem) => html! { <ProblemView problem={problem.clone()} /> },
                } }
            </div>
            if matches!(*props.notice, Notice::Undoable(_)) {
                <Button glyph={Glyph::Undo} test="undo" onclick={undo}>{ "Undo" }</Button>
            }
            <Button kind={Kind::Quiet} glyph={Glyph::Close} label="Dismiss" test="dismiss"
                onclick={props.on_dismiss.reform(|_: MouseEvent| ())} />
        </div>
    }
}

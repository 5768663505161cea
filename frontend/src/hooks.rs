//! What pages ask for and do: hooks over the shared state and the commands.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use patchbay_contracts::{
    Problem, Timestamp,
    ipc::{ListIntegrations, StartSample},
    run::Job,
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::{
    ipc::{Call, call},
    route::Route,
    state::{Change, Data, JobChange, Jobs, Notice, NoticeChange, Notices},
    utils::{clock, dom},
};

/// The context of [`use_now`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Now(pub Timestamp);

/// The shared data.
#[hook]
pub fn use_data() -> UseReducerHandle<Data> {
    use_context().expect("the application provides it to all of its pages")
}

/// The jobs. A page that uses them is drawn anew with each progress.
#[hook]
pub fn use_jobs() -> UseReducerHandle<Jobs> {
    use_context().expect("the application provides it to all of its pages")
}

/// The time to show relative times by; moves every few seconds.
#[hook]
pub fn use_now() -> Timestamp {
    use_context::<Now>().expect("the application provides it to all of its pages").0
}

/// The present place.
#[hook]
pub fn use_route() -> Rc<Route> {
    use_context().expect("the application provides it to all of its pages")
}

/// Goes to a place, by a new entry of the history.
pub fn go(route: &Route) {
    dom::set_hash(&route.path());
}

/// Shows a notice.
#[derive(Clone, PartialEq)]
pub struct Notify(UseReducerDispatcher<Notices>);

impl Notify {
    /// Over the notices of the application.
    pub const fn new(notices: UseReducerDispatcher<Notices>) -> Self {
        Self(notices)
    }

    /// Shows it.
    pub fn show(&self, notice: Notice) {
        self.0.dispatch(NoticeChange::Show(notice, clock::now()));
    }

    /// Says that something worked.
    pub fn done(&self, text: impl Into<AttrValue>) {
        self.show(Notice::Done(text.into()));
    }

    /// Says that a definition was changed, and offers to take it back.
    pub fn undoable(&self, text: impl Into<AttrValue>) {
        self.show(Notice::Undoable(text.into()));
    }

    /// Says what went wrong.
    pub fn failed(&self, problem: Problem) {
        self.show(Notice::Failed(problem));
    }

    /// Sends a command; hands the reply to `done`, or shows the problem.
    pub fn perform<C: Call>(&self, command: C, done: impl FnOnce(C::Reply) + 'static) {
        let notify = self.clone();
        spawn_local(async move {
            match call(command).await {
                Ok(reply) => done(reply),
                Err(problem) => notify.failed(problem),
            }
        });
    }

    /// Sends a command and hands over what came of it, whatever it was.
    pub fn perform_whatever<C: Call>(&self, command: C, done: impl FnOnce(Result<C::Reply, Problem>) + 'static) {
        spawn_local(async move { done(call(command).await) });
    }

    /// Sends a command whose failure something else on the page tells of.
    pub fn perform_quietly<C: Call>(&self, command: C, done: impl FnOnce(C::Reply) + 'static) {
        spawn_local(async move {
            if let Ok(reply) = call(command).await {
                done(reply);
            }
        });
    }
}

/// Shows notices, and sends commands whose failure becomes one.
#[hook]
pub fn use_notify() -> Notify {
    use_context().expect("the application provides it to all of its pages")
}

/// Tells the shared jobs of one that this page has started.
#[hook]
pub fn use_job_started() -> Callback<Job> {
    let jobs = use_context::<UseReducerDispatcher<Jobs>>().expect("the application provides it to all of its pages");
    Callback::from(move |job| jobs.dispatch(JobChange::Started(job)))
}

/// What a query has given so far. The last answer stays while it's asked anew.
pub struct Query<T> {
    /// The last answer.
    pub data: Option<Rc<T>>,
    /// Why the last attempt gave none.
    pub problem: Option<Problem>,
    /// Whether it's being asked.
    pub loading: bool,
    /// Asks anew.
    pub reload: Callback<()>,
}

/// Asks for something when the component is first drawn and each time that `deps` changes. Answers that were overtaken
/// by a later question are dropped. A component that is about another subject should get another `key`, so that the
/// old subject's answer isn't shown for the new one's.
#[hook]
pub fn use_query<C, D>(deps: D, command: impl Fn(&D) -> C + 'static) -> Query<C::Reply>
where
    C: Call,
    C::Reply: 'static,
    D: PartialEq + Clone + 'static,
{
    let answer = use_state(|| Answer::<C::Reply> { data: None, problem: None, loading: true });
    let asked = use_ref(|| Cell::new(0_u64));
    let again = use_state(|| 0_u64);
    {
        let setter = answer.setter();
        let last = use_mut_ref(|| Answer::<C::Reply> { data: None, problem: None, loading: true });
        use_effect_with((deps, *again), move |(deps, _)| {
            let number = asked.get() + 1;
            asked.set(number);
            let command = command(deps);
            last.borrow_mut().loading = true;
            setter.set(last.borrow().clone());
            let still_asked = asked.clone();
            spawn_local(async move {
                let reply = call(command).await;
                if still_asked.get() != number {
                    return;
                }
                {
                    let mut last = last.borrow_mut();
                    last.loading = false;
                    match reply {
                        Ok(reply) => (last.data, last.problem) = (Some(Rc::new(reply)), None),
                        Err(problem) => last.problem = Some(problem),
                    }
                }
                setter.set(last.borrow().clone());
            });
            // What is asked for a component that is gone, or about what it no longer shows, has nobody to answer to.
            move || asked.set(asked.get() + 1)
        });
    }
    let reload = Callback::from(move |()| again.set(*again + 1));
    let Answer { data, problem, loading } = (*answer).clone();
    Query { data, problem, loading, reload }
}

/// Starts the sample service and goes to its page. What is given is called when that is done, or has failed.
#[hook]
pub fn use_start_sample() -> Callback<Callback<()>> {
    let (data, notify) = (use_data().dispatcher(), use_notify());
    Callback::from(move |done: Callback<()>| {
        let (data, notify) = (data.clone(), notify.clone());
        spawn_local(async move {
            match start_sample(&data).await {
                Ok(route) => go(&route),
                Err(problem) => notify.failed(problem),
            }
            done.emit(());
        });
    })
}

async fn start_sample(data: &UseReducerDispatcher<Data>) -> Result<Route, Problem> {
    let sample = call(StartSample {}).await?;
    let integrations = call(ListIntegrations {}).await?;
    let own = integrations.iter().find(|one| sample.url.as_ref() == Some(&one.base_url));
    let route = own.map_or(Route::Integrations, |one| Route::integration(&one.name));
    data.dispatch(Change::Sample(sample));
    data.dispatch(Change::Integrations(integrations));
    Ok(route)
}

struct Answer<T> {
    data: Option<Rc<T>>,
    problem: Option<Problem>,
    loading: bool,
}

impl<T> Clone for Answer<T> {
    fn clone(&self) -> Self {
        Self { data: self.data.clone(), problem: self.problem.clone(), loading: self.loading }
    }
}

thread_local! {
    /// What Escape closes, the topmost last.
    static CLOSERS: RefCell<Vec<(u64, Callback<()>)>> = const { RefCell::new(Vec::new()) };
    static NEXT_CLOSER: Cell<u64> = const { Cell::new(0) };
}

/// Has Escape call `close` for as long as the component is there and nothing above it wants the key.
#[hook]
pub fn use_escape(close: Callback<()>) {
    use_effect_with(close, |close| {
        let id = NEXT_CLOSER.get();
        NEXT_CLOSER.set(id + 1);
        CLOSERS.with_borrow_mut(|closers| closers.push((id, close.clone())));
        move || CLOSERS.with_borrow_mut(|closers| closers.retain(|(other, _)| *other != id))
    });
}

/// Closes what is topmost; `false` where nothing is open.
pub fn close_topmost() -> bool {
    let top = CLOSERS.with_borrow(|closers| closers.last().map(|(_, close)| close.clone()));
    top.map(|close| close.emit(())).is_some()
}

/// Gives the focus back, when the component goes, to where it was when the component came.
#[hook]
pub fn use_focus_return() {
    use_effect_with((), |()| {
        let before = dom::focused();
        move || {
            if let Some(element) = before {
                let _ = element.focus();
            }
        }
    });
}

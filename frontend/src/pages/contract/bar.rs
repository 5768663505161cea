//! What stands over the runs of a contract: the watch on its files, and the run to compare with.

use std::rc::Rc;

use patchbay_contracts::run::{RunId, RunSummary};
use yew::prelude::*;

use crate::{
    components::{Select, Toggle},
    hooks::{use_data, use_now},
    utils::text,
};

/// By what a change of a contract's files is seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// The mark of the integration's file.
    pub revision: String,
    /// Whether the contract is a document of its own, of whose changes only the workspace's changes tell.
    pub document: bool,
}

/// The properties of [`Watch`].
#[derive(Properties, PartialEq)]
pub struct WatchProps {
    /// By what a change is seen.
    pub watched: Watched,
    /// Whether a run is under way; a change that comes meanwhile is run after it.
    pub busy: bool,
    /// Told of each change.
    pub on_saved: Callback<()>,
}

/// Runs the contract each time that its file is saved, for as long as the page is open.
#[component]
pub fn Watch(props: &WatchProps) -> Html {
    let on = use_state_eq(|| false);
    let data = use_data();
    let mark = (props.watched.revision.clone(), if props.watched.document { data.workspace_changes } else { 0 });
    let seen = use_mut_ref(|| mark.clone());
    {
        let on_saved = props.on_saved.clone();
        use_effect_with((mark, *on, props.busy), move |(mark, on, busy)| {
            let mut seen = seen.borrow_mut();
            if *on && !*busy && *seen != *mark {
                on_saved.emit(());
            }
            if !*on || !*busy {
                seen.clone_from(mark);
            }
        });
    }
    let on_change = {
        let on = on.setter();
        Callback::from(move |next| on.set(next))
    };
    html! { <Toggle label="Run on save" on={*on} {on_change} test="run-on-save" /> }
}

/// The run that another one is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Other {
    /// None.
    #[default]
    Nothing,
    /// The one before it.
    Last,
    /// This one.
    Run(RunId),
}

impl Other {
    /// Which of the runs, given newest first, that is for the one that is shown.
    pub fn of(self, runs: &[RunSummary], shown: Option<RunId>) -> Option<RunId> {
        match self {
            Self::Nothing => None,
            Self::Last => runs.iter().map(|run| run.id).find(|id| Some(*id) < shown),
            Self::Run(id) => Some(id),
        }
    }
}

/// The properties of [`Compare`].
#[derive(Properties, PartialEq)]
pub struct CompareProps {
    /// The runs, newest first.
    pub runs: Rc<Vec<RunSummary>>,
    /// The one that is shown.
    pub shown: Option<RunId>,
    /// The one that it is compared with.
    pub other: Other,
    /// Told of the choice.
    pub on_change: Callback<Other>,
}

/// Chooses the run to compare with.
#[component]
pub fn Compare(props: &CompareProps) -> Html {
    let now = use_now();
    let mut options: Vec<(AttrValue, AttrValue)> =
        vec![("".into(), "Compare with…".into()), ("last".into(), "The run before".into())];
    options.extend(props.runs.iter().filter(|run| Some(run.id) != props.shown).map(|run| {
        (run.id.to_string().into(), format!("{}: {}", text::ago(run.at, now), text::middle_cut(&run.headline, 48)).into())
    }));
    let value = match props.other {
        Other::Nothing => String::new(),
        Other::Last => "last".to_owned(),
        Other::Run(id) => id.to_string(),
    };
    let on_change = props.on_change.reform(|value: String| match value.as_str() {
        "last" => Other::Last,
        value => value.parse().map_or(Other::Nothing, Other::Run),
    });
    html! { <Select {options} {value} {on_change} label="Compare with another run" test="compare" /> }
}

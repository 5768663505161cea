//! What the charts of a page have in common: the part that is zoomed into, where the crosshair stands, and the line at which
//! they begin.

use std::{cell::Cell, collections::BTreeMap, rc::Rc};

use yew::prelude::*;

use crate::hooks::use_escape;

/// The zoom and the crosshair, in the units of the horizontal axis.
#[derive(Clone, PartialEq)]
pub struct Group {
    /// The range that is zoomed into; none where all is shown.
    pub zoom: UseStateHandle<Option<(f64, f64)>>,
    /// Where the crosshair stands.
    pub cross: UseStateHandle<Option<f64>>,
    margins: UseReducerHandle<Margins>,
}

/// The room that each chart of a group needs at the left, in pixels.
#[derive(Debug, Clone, PartialEq, Default)]
struct Margins(BTreeMap<u64, f64>);

/// A chart came or changed, or it went.
type Margin = (u64, Option<f64>);

impl Reducible for Margins {
    type Action = Margin;

    fn reduce(self: Rc<Self>, (chart, margin): Margin) -> Rc<Self> {
        let mut next = self.0.clone();
        match margin {
            Some(margin) => next.insert(chart, margin),
            None => next.remove(&chart),
        };
        Rc::new(Self(next))
    }
}

thread_local! {
    static NEXT_CHART: Cell<u64> = const { Cell::new(0) };
}

/// Tells the group how much room a chart needs at the left; gives how much all of its charts are to leave.
#[hook]
pub fn use_margin(group: &Group, own: f64) -> f64 {
    let chart = *use_memo((), |()| NEXT_CHART.replace(NEXT_CHART.get() + 1));
    {
        let margins = group.margins.dispatcher();
        use_effect_with(own, move |own| margins.dispatch((chart, Some(*own))));
    }
    {
        let margins = group.margins.dispatcher();
        use_effect_with((), move |()| move || margins.dispatch((chart, None)));
    }
    group.margins.0.values().copied().fold(own, f64::max)
}

/// The properties of [`ChartGroup`].
#[derive(Properties, PartialEq)]
pub struct ChartGroupProps {
    /// The charts, whose horizontal axes count the same.
    pub children: Html,
}

/// Charts that are zoomed together and share a crosshair. A page whose range changes gives the group another `key`, so
/// that a zoom into the old range ends.
#[component]
pub fn ChartGroup(props: &ChartGroupProps) -> Html {
    let group = use_own_group();
    let reset = {
        let group = group.clone();
        use_callback((), move |(), ()| group.zoom.set(None))
    };
    html! {
        <ContextProvider<Group> context={group.clone()}>
            if group.zoom.is_some() { <OnEscape run={reset} /> }
            { props.children.clone() }
        </ContextProvider<Group>>
    }
}

#[derive(Properties, PartialEq)]
struct OnEscapeProps {
    run: Callback<()>,
}

/// Has Escape do something for as long as it is there.
#[component]
fn OnEscape(props: &OnEscapeProps) -> Html {
    use_escape(props.run.clone());
    Html::default()
}

/// The group around a chart; a chart on its own is a group of one.
#[hook]
pub fn use_group() -> Group {
    let own = use_own_group();
    use_context().unwrap_or(own)
}

#[hook]
fn use_own_group() -> Group {
    Group { zoom: use_state_eq(|| None), cross: use_state_eq(|| None), margins: use_reducer_eq(Margins::default) }
}

//! What the charts of a page have in common: the part that is zoomed into, and where the crosshair stands.

use yew::prelude::*;

use crate::hooks::use_escape;

/// The zoom and the crosshair, in the units of the horizontal axis.
#[derive(Clone, PartialEq)]
pub struct Group {
    /// The range that is zoomed into; none where all is shown.
    pub zoom: UseStateHandle<Option<(f64, f64)>>,
    /// Where the crosshair stands.
    pub cross: UseStateHandle<Option<f64>>,
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
    let group = Group { zoom: use_state_eq(|| None), cross: use_state_eq(|| None) };
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
    let own = Group { zoom: use_state_eq(|| None), cross: use_state_eq(|| None) };
    use_context().unwrap_or(own)
}

//! Details at the side of a page.

use yew::prelude::*;

use super::{Button, Glyph, Kind};
use crate::{
    hooks::{use_escape, use_focus_return},
    utils::dom,
};

/// The properties of [`Drawer`].
#[derive(Properties, PartialEq)]
pub struct DrawerProps {
    /// What it shows.
    pub title: AttrValue,
    /// Told when it's to close.
    pub on_close: Callback<()>,
    /// What stands beside the title.
    #[prop_or_default]
    pub aside: Html,
    /// The name by which tests find it.
    #[prop_or("drawer".into())]
    pub test: AttrValue,
    /// The content.
    pub children: Html,
}

/// A panel over the right of the page, which stays usable. It takes the focus when it opens and gives it back when it
/// closes; Escape closes it.
#[component]
pub fn Drawer(props: &DrawerProps) -> Html {
    use_focus_return();
    use_escape(props.on_close.clone());
    let node = use_node_ref();
    {
        let node = node.clone();
        use_effect_with((), move |()| dom::focus(&node));
    }
    let onclick = props.on_close.reform(|_: MouseEvent| ());
    html! {
        <aside class="drawer" role="dialog" aria-label={props.title.clone()} tabindex="-1" ref={node}
            data-test={props.test.clone()}>
            <header class="drawer-head">
                <h2 class="grow">{ props.title.clone() }</h2>
                <div class="row end">{ props.aside.clone() }</div>
                <Button kind={Kind::Quiet} glyph={Glyph::Close} label="Close (Esc)" test="drawer-close" {onclick} />
            </header>
            <div class="drawer-body">{ props.children.clone() }</div>
        </aside>
    }
}

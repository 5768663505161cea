//! Pages beside each other under one subject.

use yew::prelude::*;

use crate::{route::Route, utils::dom};

/// One of [`Tabs`].
#[derive(Debug, Clone, PartialEq)]
pub struct TabItem {
    /// The word on it.
    pub title: AttrValue,
    /// Where it leads.
    pub to: Route,
    /// The name by which tests find it.
    pub test: AttrValue,
}

/// The properties of [`Tabs`].
#[derive(Properties, PartialEq)]
pub struct TabsProps {
    /// What they are pages of.
    pub label: AttrValue,
    /// The pages.
    pub items: Vec<TabItem>,
    /// The one that is open.
    pub current: usize,
}

/// Links in a row. The arrow keys move between them too.
#[component]
pub fn Tabs(props: &TabsProps) -> Html {
    let onkeydown = {
        let (items, current) = (props.items.clone(), props.current);
        Callback::from(move |event: KeyboardEvent| {
            let last = items.len().saturating_sub(1);
            let next = match event.key().as_str() {
                "ArrowRight" => (current + 1).min(last),
                "ArrowLeft" => current.saturating_sub(1),
                "Home" => 0,
                "End" => last,
                _ => return,
            };
            event.prevent_default();
            if let Some(item) = items.get(next) {
                crate::hooks::go(&item.to);
                dom::focus_first(&format!("[data-test=\"{}\"]", item.test));
            }
        })
    };
    html! {
        <nav class="tabs" aria-label={props.label.clone()} {onkeydown}>
            { for props.items.iter().enumerate().map(|(at, item)| html! {
                <a href={item.to.href()} class="tab" aria-current={(at == props.current).then_some("page")}
                    data-test={item.test.clone()}>{ item.title.clone() }</a>
            }) }
        </nav>
    }
}

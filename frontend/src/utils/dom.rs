//! The few things that are asked of the browser itself.

use wasm_bindgen::JsCast;
use yew::NodeRef;

/// The element that has the focus.
pub fn focused() -> Option<web_sys::HtmlElement> {
    web_sys::window()?.document()?.active_element()?.dyn_into().ok()
}

/// Gives an element the focus.
pub fn focus(node: &NodeRef) {
    if let Some(element) = node.cast::<web_sys::HtmlElement>() {
        let _ = element.focus();
    }
}

/// Gives the focus to the first element that the CSS selector finds.
pub fn focus_first(selector: &str) {
    let found = web_sys::window().and_then(|window| window.document()?.query_selector(selector).ok()?);
    if let Some(element) = found.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// Puts a text into the clipboard.
pub fn copy(text: &str) {
    if let Some(window) = web_sys::window() {
        // A refusal leaves the clipboard as it was, and there is nothing better to try.
        let _ = window.navigator().clipboard().write_text(text);
    }
}

/// The value of an attribute on what an event happened to, or on the nearest element around it that has one.
pub fn around(event: &web_sys::Event, attribute: &str) -> Option<String> {
    let element = event.target()?.dyn_into::<web_sys::Element>().ok()?;
    element.closest(&format!("[{attribute}]")).ok()??.get_attribute(attribute)
}

/// How many pixels of what an element holds lie below what is in sight, where it has just been scrolled.
pub fn below(event: &web_sys::Event) -> Option<i32> {
    let element = event.target()?.dyn_into::<web_sys::Element>().ok()?;
    Some(element.scroll_height() - element.client_height() - element.scroll_top())
}

/// Whether an element takes typed letters, so that they aren't meant as keys of the page.
pub fn takes_letters(element: &web_sys::Element) -> bool {
    matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT") || element.has_attribute("contenteditable")
}

/// The part of the address behind `#`, without it.
pub fn hash() -> String {
    let hash = web_sys::window().and_then(|window| window.location().hash().ok()).unwrap_or_default();
    hash.strip_prefix('#').unwrap_or(&hash).to_owned()
}

/// Sets the part of the address behind `#`; a new entry of the history.
pub fn set_hash(hash: &str) {
    if let Some(window) = web_sys::window() {
        let _ = window.location().set_hash(hash);
    }
}

/// Goes to the entry before in the history.
pub fn back() {
    if let Some(history) = web_sys::window().and_then(|window| window.history().ok()) {
        let _ = history.back();
    }
}

/// Shows the top of a page.
pub fn scroll_to_top(selector: &str) {
    let found = web_sys::window().and_then(|window| window.document()?.query_selector(selector).ok()?);
    if let Some(element) = found {
        element.set_scroll_top(0);
    }
}

/// Sets the title of the window.
pub fn set_title(title: &str) {
    if let Some(document) = web_sys::window().and_then(|window| window.document()) {
        document.set_title(title);
    }
}

/// Sets an attribute of the page's root element, or takes it away.
pub fn set_root_attribute(name: &str, value: Option<&str>) {
    let root = web_sys::window().and_then(|window| window.document()?.document_element());
    if let Some(root) = root {
        let _ = match value {
            Some(value) => root.set_attribute(name, value),
            None => root.remove_attribute(name),
        };
    }
}

/// What waits for something to happen to the window; ends when it's dropped.
pub struct Listener {
    event: &'static str,
    callback: wasm_bindgen::closure::Closure<dyn FnMut(web_sys::Event)>,
}

impl Listener {
    /// Calls `callback` with each event of that name that reaches the window.
    pub fn on_window(event: &'static str, callback: impl FnMut(web_sys::Event) + 'static) -> Self {
        let callback = wasm_bindgen::closure::Closure::<dyn FnMut(web_sys::Event)>::new(callback);
        if let Some(window) = web_sys::window() {
            let _ = window.add_event_listener_with_callback(event, callback.as_ref().unchecked_ref());
        }
        Self { event, callback }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            let _ = window.remove_event_listener_with_callback(self.event, self.callback.as_ref().unchecked_ref());
        }
    }
}

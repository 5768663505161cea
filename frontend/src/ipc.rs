//! The page's end of the commands and events: through Tauri in the window, and nowhere else.

#[cfg(target_arch = "wasm32")]
pub use browser::{call, subscribe};
#[cfg(not(target_arch = "wasm32"))]
pub use native::{call, subscribe};

use patchbay_contracts::ipc::Command;

/// A command that the page can send. Natively nothing can, since a credential among the arguments must not be
/// serialisable there.
#[cfg(target_arch = "wasm32")]
pub trait Call: Command + serde::Serialize + 'static {}
#[cfg(target_arch = "wasm32")]
impl<T: Command + serde::Serialize + 'static> Call for T {}

/// A command that the page can send.
#[cfg(not(target_arch = "wasm32"))]
pub trait Call: Command + 'static {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Command + 'static> Call for T {}

#[cfg(target_arch = "wasm32")]
mod browser {
    use js_sys::{Array, Function, JSON, Object, Promise, Reflect};
    use patchbay_contracts::{Code, Problem, ipc::Event};
    use wasm_bindgen::{JsCast, JsValue, closure::Closure};
    use wasm_bindgen_futures::JsFuture;

    use super::Call;

    /// Sends a command and waits for its reply.
    ///
    /// # Errors
    /// What the backend says; [`Code::Unsupported`] where there is no backend, [`Code::Internal`] where the two sides
    /// don't understand each other.
    pub async fn call<C: Call>(command: C) -> Result<C::Reply, Problem> {
        let arguments = serde_json::to_string(&command).map_err(Problem::internal)?;
        let arguments = JSON::parse(&arguments).map_err(|error| Problem::internal(words(&error)))?;
        let payload = object(&[("name", &C::NAME.into()), ("arguments", &arguments)]);
        let reply = invoke("call", &payload).await?;
        read(&reply)
    }

    /// Has `heard` called with each event of the backend, from now until the window closes.
    ///
    /// # Errors
    /// As [`call`].
    pub async fn subscribe(heard: impl Fn(Event) + 'static) -> Result<(), Problem> {
        let channel: Function = member(&core()?, "Channel")?;
        let channel = Reflect::construct(&channel, &Array::new()).map_err(|error| Problem::internal(words(&error)))?;
        let on_message = Closure::<dyn FnMut(JsValue)>::new(move |message: JsValue| {
            // An event that can't be read was declared by another version, and the lists are still fetched when needed.
            if let Ok(event) = read(&message) {
                heard(event);
            }
        });
        Reflect::set(&channel, &"onmessage".into(), on_message.as_ref()).map_err(|error| Problem::internal(words(&error)))?;
        // The channel lives as long as the page.
        on_message.forget();
        invoke("subscribe", &object(&[("channel", &channel)])).await.map(|_| ())
    }

    fn core() -> Result<JsValue, Problem> {
        let missing = || {
            Problem::new(Code::Unsupported, "Patchbay's engine does not answer")
                .why("this page runs outside Patchbay's window")
                .next("Start the program `patchbay-desktop`")
        };
        let window = web_sys::window().ok_or_else(missing)?;
        let tauri = Reflect::get(&window, &"__TAURI__".into()).map_err(|_| missing())?;
        Reflect::get(&tauri, &"core".into()).map_err(|_| missing())
    }

    fn member<T: JsCast>(object: &JsValue, name: &str) -> Result<T, Problem> {
        let found = Reflect::get(object, &name.into()).map_err(|error| Problem::internal(words(&error)))?;
        found.dyn_into().map_err(|_| Problem::internal(format!("Tauri has no `core.{name}`")))
    }

    async fn invoke(command: &str, arguments: &JsValue) -> Result<JsValue, Problem> {
        let core = core()?;
        let invoke: Function = member(&core, "invoke")?;
        let promise = invoke.call2(&core, &command.into(), arguments).map_err(|error| problem(&error))?;
        let promise: Promise = promise.dyn_into().map_err(|_| Problem::internal("`invoke` gave no promise"))?;
        JsFuture::from(promise).await.map_err(|error| problem(&error))
    }

    fn object(entries: &[(&str, &JsValue)]) -> JsValue {
        let object = Object::new();
        for (name, value) in entries {
            // Setting a property of a fresh plain object can't be refused.
            let _ = Reflect::set(&object, &(*name).into(), value);
        }
        object.into()
    }

    fn read<T: serde::de::DeserializeOwned>(value: &JsValue) -> Result<T, Problem> {
        // Nothing at all is how a backend says `()`.
        let text = if value.is_undefined() { None } else { JSON::stringify(value).ok().and_then(|text| text.as_string()) };
        serde_json::from_str(text.as_deref().unwrap_or("null")).map_err(Problem::internal)
    }

    fn problem(error: &JsValue) -> Problem {
        read(error).unwrap_or_else(|_| Problem::internal(words(error)))
    }

    fn words(error: &JsValue) -> String {
        error.as_string().unwrap_or_else(|| error.unchecked_ref::<Object>().to_string().into())
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use patchbay_contracts::{Code, Problem, ipc::Event};

    use super::Call;

    fn unsupported() -> Problem {
        Problem::new(Code::Unsupported, "The page has an engine only inside Patchbay's window")
    }

    /// Outside a browser there is nobody to call.
    ///
    /// # Errors
    /// Always [`Code::Unsupported`].
    pub async fn call<C: Call>(_command: C) -> Result<C::Reply, Problem> {
        Err(unsupported())
    }

    /// Outside a browser there is nobody to listen to.
    ///
    /// # Errors
    /// Always [`Code::Unsupported`].
    pub async fn subscribe(_heard: impl Fn(Event) + 'static) -> Result<(), Problem> {
        Err(unsupported())
    }
}

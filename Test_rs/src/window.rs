//! The real window, driven through WebKit's WebDriver: the desktop binary is its browser.

use std::{
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fantoccini::{Client, ClientBuilder, Locator, elements::Element, key::Key};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::free_port;

/// How long anything in the window may take, on a machine that does much else.
pub const PATIENCE: Duration = Duration::from_secs(40);

fn desktop() -> PathBuf {
    std::env::var_os("PATCHBAY_DESKTOP_BIN")
        .map_or_else(|| panic!("PATCHBAY_DESKTOP_BIN is not set: run the tests with `cargo xtask test`"), PathBuf::from)
}

/// A person's machine: a home with a workspace in it.
pub struct Home {
    folder: TempDir,
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

impl Home {
    /// A home that Patchbay has never seen.
    pub fn new() -> Self {
        Self { folder: TempDir::new().expect("a folder") }
    }

    /// The home.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The workspace that the window makes for itself.
    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("Patchbay")
    }

    /// Opens the window.
    pub async fn open(&self) -> Window {
        Window::open(self).await
    }
}

/// An open window.
pub struct Window {
    /// The WebDriver session.
    pub client: Client,
    driver: Child,
}

impl Drop for Window {
    fn drop(&mut self) {
        // The driver takes the window with it. It may have ended by itself.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Window {
    async fn open(home: &Home) -> Self {
        let port = free_port();
        let mut command = Command::new("WebKitWebDriver");
        command
            .args([format!("--port={port}"), "--host=127.0.0.1".to_owned()])
            // Without these two, the web view does not take orders from a driver.
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("HOME", home.folder())
            .env_remove("PATCHBAY_WORKSPACE")
            .env_remove("XDG_DATA_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let driver = command
            .spawn()
            .unwrap_or_else(|error| panic!("WebKitWebDriver can't be started: {error}; `cargo xtask setup` installs it"));
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "WebKitWebDriver does not listen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let options = json!({ "binary": desktop(), "args": [] });
        let capabilities: serde_json::Map<String, Value> =
            [("webkitgtk:browserOptions".to_owned(), options)].into_iter().collect();
        let address = format!("http://127.0.0.1:{port}");
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let connecting = builder.capabilities(capabilities).connect(&address);
        let client = tokio::time::timeout(PATIENCE, connecting)
            .await
            .expect("the window opens in time")
            .unwrap_or_else(|error| panic!("the window does not open: {error}"));
        let window = Self { client, driver };
        window.find("title").await;
        window
    }

    /// The element that carries this name for tests, as soon as it is there.
    pub async fn find(&self, name: &str) -> Element {
        self.css(&format!("[data-test=\"{name}\"]")).await
    }

    /// The element that this selector finds, as soon as it is there.
    pub async fn css(&self, selector: &str) -> Element {
        match self.client.wait().at_most(PATIENCE).for_element(Locator::Css(selector)).await {
            Ok(element) => element,
            Err(error) => {
                let shot = self.picture("missing").await;
                let text = self.text("body").await.unwrap_or_default();
                panic!(
                    "{selector} does not appear ({error}); with PATCHBAY_PICTURES=1 the window is in {}, and it says:\n{text}",
                    shot.display()
                );
            }
        }
    }

    /// Presses the element of this name.
    pub async fn press(&self, name: &str) {
        self.press_css(&format!("[data-test=\"{name}\"]")).await;
    }

    /// Presses the element that this selector finds. What is drawn anew under the pointer is looked for again.
    pub async fn press_css(&self, selector: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.css(selector).await.click().await {
                Ok(()) => return,
                Err(error) if Instant::now() > deadline => panic!("{selector} can't be pressed: {error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// Replaces what stands in a field.
    pub async fn fill(&self, name: &str, text: &str) {
        let field = self.find(name).await;
        field.clear().await.expect("the field can be emptied");
        field.send_keys(text).await.expect("the field takes text");
    }

    /// Puts a text into a field at once, as a paste does.
    pub async fn paste(&self, name: &str, text: &str) {
        let field = self.find(name).await;
        let script = "const [field, text] = arguments; field.focus();
            const set = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value').set; set.call(field, text);
            field.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'insertFromPaste', data: text }));";
        let element = serde_json::to_value(&field).expect("an element");
        self.client.execute(script, vec![element, json!(text)]).await.expect("the text is pasted");
    }

    /// Presses a key, or several one after the other, with the focus in no field.
    pub async fn keys(&self, keys: &str) {
        self.css("body").await.send_keys(keys).await.expect("the window takes keys");
    }

    /// Presses a key, or several one after the other, where the focus is.
    pub async fn keys_here(&self, keys: &str) {
        self.client.active_element().await.expect("a page").send_keys(keys).await.expect("the window takes keys");
    }

    /// The enter key.
    pub fn enter() -> String {
        char::from(Key::Enter).to_string()
    }

    /// The escape key.
    pub fn escape() -> String {
        char::from(Key::Escape).to_string()
    }

    /// What the first element of this selector shows, if there is one.
    pub async fn text(&self, selector: &str) -> Option<String> {
        self.client.find(Locator::Css(selector)).await.ok()?.text().await.ok()
    }

    /// Waits until what the selector shows meets `wanted`, and gives it.
    pub async fn until(&self, selector: &str, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut last = String::new();
        while Instant::now() < deadline {
            if let Some(text) = self.text(selector).await {
                if wanted(&text) {
                    return text;
                }
                last = text;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let shot = self.picture("waiting").await;
        panic!(
            "{selector} shows {last:?} and not what was waited for; with PATCHBAY_PICTURES=1 the window is in {}",
            shot.display()
        );
    }

    /// How many elements this selector finds now.
    pub async fn count(&self, selector: &str) -> usize {
        self.client.find_all(Locator::Css(selector)).await.expect("a page").len()
    }

    /// Waits until so many elements are found by this selector.
    pub async fn counts(&self, selector: &str, wanted: usize) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.count(selector).await;
            if found == wanted {
                return;
            }
            assert!(Instant::now() < deadline, "there are {found} of {selector}, and {wanted} are waited for");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until nothing is found by this selector.
    pub async fn gone(&self, selector: &str) {
        self.counts(selector, 0).await;
    }

    /// Goes to a page of the window by its address, such as `/integrations/orders/load`.
    pub async fn go(&self, route: &str) {
        self.client.execute("location.hash = arguments[0];", vec![json!(route)]).await.expect("the page moves");
    }

    /// A picture of the window in the project's target folder, where `PATCHBAY_PICTURES` is set. Not taken otherwise: for a
    /// page that has nothing to draw anew, the driver may wait for ever, and take no further order.
    pub async fn picture(&self, name: &str) -> PathBuf {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/pictures");
        let file = folder.join(format!("{name}.png"));
        if std::env::var_os("PATCHBAY_PICTURES").is_none() {
            return file;
        }
        if let Ok(Ok(picture)) = tokio::time::timeout(Duration::from_secs(10), self.client.screenshot()).await {
            std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, picture)).expect("a picture can be written");
        }
        file
    }

    /// Closes the window as a person does.
    pub async fn close(self) {
        // The session may be gone with the window already.
        let _ = self.client.clone().close().await;
    }

    /// Kills the program, as the system does when it runs out of memory.
    pub async fn kill(self) {
        let mine = desktop();
        for entry in std::fs::read_dir("/proc").expect("the processes").flatten() {
            let Ok(id) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
            let parent = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
            let parent =
                parent.lines().find_map(|line| line.strip_prefix("PPid:")).and_then(|text| text.trim().parse::<u32>().ok());
            let is_window = std::fs::read_link(entry.path().join("exe")).is_ok_and(|file| file == mine);
            if is_window && parent == Some(self.driver.id()) {
                let killed = Command::new("kill").args(["-KILL", &id.to_string()]).status().expect("kill is there");
                assert!(killed.success(), "the window is killed");
                return;
            }
        }
        panic!("the window's process is not found");
    }
}

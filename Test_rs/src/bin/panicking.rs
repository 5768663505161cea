//! Panics with a credential in its message, to show what the program's panic hook makes of it.

use patchbay_engine::{Engine, engine::Config, secrets::guard_panics};

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let folder = tempfile::TempDir::new().expect("a folder");
        let config = Config { workspace: Some(folder.path().to_owned()), ..Config::default() };
        let engine = Engine::open(config).await.expect("it opens");
        // As both shells do.
        guard_panics(engine.credentials().redactor());
        let target = url::Url::parse("http://127.0.0.1:1/").expect("an address");
        let value = engine.credentials().value_for("canary", &target).await.expect("it is in the environment");
        panic!("a careless message with {}", value.expose());
    });
}

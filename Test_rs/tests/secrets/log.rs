//! What the program writes about itself.

use super::*;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_log_holds_no_secret_however_it_is_written() {
    let lines = Lines::default();
    let redactor = Redactor::default();
    let made = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(redactor.writer(move || made.clone()))
        .with_max_level(tracing::Level::TRACE)
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        redactor.learn("t", "hunter \"2\"\nlines");
        let value = "hunter \"2\"\nlines".to_owned();
        tracing::info!("plain {value}");
        tracing::warn!(field = value, debug = ?value, url = "http://x/?q=hunter%20%222%22%0Alines");
        let span = tracing::error_span!("span", token = %value);
        span.in_scope(|| tracing::error!("within"));
    });
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.matches("‹secret:t›").count(), 5, "{text}");
    assert!(!text.contains("hunter") && text.contains("plain") && text.ends_with("within\n"), "{text}");
}

#[test]
fn a_writer_keeps_a_value_whole_that_comes_in_pieces() {
    use tracing_subscriber::fmt::MakeWriter as _;
    let lines = Lines::default();
    let made = lines.clone();
    let redactor = knowing(&[("t", "hunter2")]);
    let maker = redactor.writer(move || made.clone());
    let mut writer = maker.make_writer();
    writer.write_all(b"a hun").unwrap();
    writer.write_all(b"ter2 b").unwrap();
    drop(writer);
    assert_eq!(String::from_utf8(lines.0.lock().unwrap().clone()).unwrap(), "a ‹secret:t› b");
}

#[test]
fn a_panic_says_what_happened_without_the_secret() {
    for kind in ["panic", "panic-thread"] {
        for backtrace in ["0", "1"] {
            let ended = helper(&[kind, "hunter2/x"], |command| {
                command.env("RUST_BACKTRACE", backtrace);
            });
            let text = String::from_utf8(ended.stderr).unwrap();
            assert!(!text.contains("hunter2"), "{text}");
            assert!(text.contains("‹secret:orders-token›") && text.contains("secrets_helper.rs:"), "{text}");
            assert_eq!(text.lines().count() > 5, backtrace == "1", "{text}");
        }
    }
}

#[test]
fn nothing_prints_a_value_by_the_way() {
    let redactor = knowing(&[("t", "hunter2")]);
    let secrets = with_environment(&[("PATCHBAY_SECRET_T", "hunter2")]);
    let scope = Scope { captured: [("id".to_owned(), "hunter2".to_owned())].into_iter().collect(), ..Scope::default() };
    let filled = tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(template::fill("x ${secret:T}", &scope, &secrets, &url("http://localhost/")))
        .unwrap();
    assert_eq!(filled.value.expose(), "x hunter2");
    let printed = format!("{redactor:?} {secrets:?} {scope:?} {filled:?} {:?}", sensitive("hunter2"));
    assert!(!printed.contains("hunter2"), "{printed}");
}

//! What is tried again, when, and how often.

use std::time::Duration;

use patchbay_contracts::{
    Code,
    integration::{Backoff, ErrorHandling, Jitter, Method},
    probe::{ProbeReport, ProbeRequest},
    units::Span,
};
use patchbay_engine::http::{Bounds, Context, delay_before, send_with_retries};
use patchbay_tests::http::{Step, answer, context, free_port, get, serve};

fn code(report: &ProbeReport) -> Option<Code> {
    report.problem.as_ref().map(|problem| problem.code)
}

async fn attempts(context: &Context, request: &ProbeRequest, handling: &ErrorHandling) -> (ProbeReport, u32) {
    send_with_retries(context, request, handling, Bounds::default()).await
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let handling = ErrorHandling { retries: 3, delay: Some(Span::millis(1)), ..ErrorHandling::default() };
    for (method, key, status, expected) in [
        (Method::Get, false, "503 Unavailable", 3),
        (Method::Get, false, "429 Slow", 3),
        (Method::Get, false, "500 Error", 1),
        (Method::Get, false, "404 Not Found", 1),
        (Method::Post, false, "503 Unavailable", 1),
        (Method::Post, true, "503 Unavailable", 3),
        (Method::Put, false, "502 Bad", 3),
        (Method::Delete, false, "504 Late", 3),
    ] {
        let server = serve(move |_, count| match count {
            0 | 1 => answer(status, "retry-after: 0\r\n", ""),
            _ => answer("200 OK", "", ""),
        })
        .await;
        let mut request = ProbeRequest { method, ..get(&server.url) };
        if key {
            request.headers.push(("Idempotency-Key".into(), "${uuid}".into()));
        }
        let (report, attempts) = attempts(&context(), &request, &handling).await;
        assert_eq!(attempts, expected, "{method} {status}");
        assert_eq!(server.received().len(), expected as usize);
        assert_eq!(report.response.is_some_and(|response| response.status == 200), expected == 3);
        if key {
            let keys: Vec<_> = server.received().iter().map(|sent| sent.header("idempotency-key").map(str::to_owned)).collect();
            assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
            let uuid = keys[0].clone().expect("it was sent");
            assert!(uuid.len() == 36 && &uuid[14..15] == "4" && "89ab".contains(&uuid[19..20]), "{uuid}");
        }
    }
    let refused = get(format!("http://127.0.0.1:{}/", free_port().await));
    let (report, count) = attempts(&context(), &refused, &handling).await;
    assert_eq!((count, code(&report)), (4, Some(Code::Refused)));
    let slow = serve(|_, count| if count == 0 { vec![Step::Hold] } else { answer("200 OK", "", "") }).await;
    let handling = ErrorHandling { timeout: Some(Span::millis(300)), ..handling };
    let (report, count) = attempts(&context(), &get(&slow.url), &handling).await;
    assert_eq!((count, report.response.map(|response| response.status)), (2, Some(200)));
}

#[tokio::test]
async fn retry_after_is_obeyed_within_bounds() {
    let handling = ErrorHandling { retries: 3, max_delay: Some(Span::secs(2)), ..ErrorHandling::default() };
    for header in ["3600", "Wed, 21 Oct 2099 07:28:00 GMT"] {
        let server = serve(move |_, _| answer("503 Unavailable", &format!("retry-after: {header}\r\n"), "")).await;
        let (report, count) = attempts(&context(), &get(&server.url), &handling).await;
        assert_eq!(count, 1, "{header}");
        assert!(report.notes.iter().any(|note| note.contains("asks to wait")), "{:?}", report.notes);
    }
    // A date in the past asks for no wait, whatever the backoff would be.
    let handling = ErrorHandling { delay: Some(Span::secs(3600)), max_delay: Some(Span::secs(3600)), ..handling };
    let server = serve(|_, count| match count {
        0 => answer("503 Unavailable", "retry-after: Wed, 21 Oct 2015 07:28:00 GMT\r\n", ""),
        _ => answer("200 OK", "", ""),
    })
    .await;
    let (report, count) = attempts(&context(), &get(&server.url), &handling).await;
    assert_eq!((count, report.response.map(|response| response.status)), (2, Some(200)));
}

#[test]
fn waits_grow_and_spread_as_they_are_told_to() {
    let handling = |backoff, jitter| ErrorHandling {
        backoff,
        jitter,
        delay: Some(Span::millis(100)),
        max_delay: Some(Span::millis(1000)),
        ..ErrorHandling::default()
    };
    for (backoff, jitter, chance, waits) in [
        (Backoff::None, Jitter::Full, 0.5, [0, 0, 0, 0]),
        (Backoff::Constant, Jitter::None, 0.5, [100, 100, 100, 100]),
        (Backoff::Linear, Jitter::None, 0.5, [100, 200, 300, 400]),
        (Backoff::Exponential, Jitter::None, 0.5, [100, 200, 400, 800]),
        (Backoff::Exponential, Jitter::Full, 0.0, [0, 0, 0, 0]),
        (Backoff::Exponential, Jitter::Full, 0.5, [50, 100, 200, 400]),
        (Backoff::Exponential, Jitter::Equal, 0.0, [50, 100, 200, 400]),
        (Backoff::Exponential, Jitter::Equal, 0.5, [75, 150, 300, 600]),
    ] {
        let handling = handling(backoff, jitter);
        let got: Vec<u64> = (1..=4).map(|attempt| delay_before(attempt, &handling, chance).as_millis() as u64).collect();
        assert_eq!(got, waits, "{backoff:?} {jitter:?} {chance}");
    }
    let handling = handling(Backoff::Exponential, Jitter::None);
    assert_eq!(delay_before(1000, &handling, 0.0), Duration::from_secs(1), "the longest wait is the longest");
}

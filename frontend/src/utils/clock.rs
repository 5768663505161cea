//! What time it is, as the browser sees it.

use patchbay_contracts::Timestamp;

/// Now.
pub fn now() -> Timestamp {
    #[cfg(target_arch = "wasm32")]
    return js_sys::Date::now() as Timestamp;
    #[cfg(not(target_arch = "wasm32"))]
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| Timestamp::try_from(since.as_millis()).unwrap_or(Timestamp::MAX))
}

/// Minutes by which local time is ahead of UTC at that moment; 0 outside a browser.
pub fn offset_minutes(at: Timestamp) -> i32 {
    #[cfg(target_arch = "wasm32")]
    return -(js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(at as f64)).get_timezone_offset() as i32);
    #[cfg(not(target_arch = "wasm32"))]
    {
        let _ = at;
        0
    }
}

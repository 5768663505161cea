//! Making a failing value small: step by step to the simplest one that still fails.

use std::future::Future;

use serde_json::{Map, Value, json};

/// The smallest value that still fails, found by trying simpler ones in a fixed order, at most `most` of them. `fails`
/// tries one, by sending it, say.
pub async fn shrink<F>(value: Value, most: usize, mut fails: impl FnMut(Value) -> F) -> Value
where
    F: Future<Output = bool>,
{
    let mut smallest = value;
    let mut left = most;
    loop {
        let mut simpler = None;
        for candidate in candidates(&smallest) {
            if left == 0 {
                return smallest;
            }
            left -= 1;
            if fails(candidate.clone()).await {
                simpler = Some(candidate);
                break;
            }
        }
        match simpler {
            Some(candidate) => smallest = candidate,
            None => return smallest,
        }
    }
}

/// Values that are simpler than this one by one step, the boldest steps first.
pub fn candidates(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(members) => object(members),
        Value::Array(elements) => array(elements),
        Value::String(text) => string(text),
        Value::Number(number) => numbers(number.as_f64().unwrap_or_default()),
        Value::Bool(true) => vec![json!(false)],
        _ => Vec::new(),
    }
}

fn object(members: &Map<String, Value>) -> Vec<Value> {
    let mut all = Vec::new();
    if members.len() > 2 {
        all.push(json!({}));
        // Halves first: a large object gets small in few steps.
        let half = members.len() / 2;
        let part = |range: &dyn Fn(usize) -> bool| -> Value {
            members
                .iter()
                .enumerate()
                .filter(|(index, _)| range(*index))
                .map(|(_, (name, value))| (name.clone(), value.clone()))
                .collect::<Map<_, _>>()
                .into()
        };
        all.extend([part(&|index| index < half), part(&|index| index >= half)]);
    }
    for name in members.keys() {
        let mut fewer = members.clone();
        fewer.shift_remove(name);
        all.push(Value::Object(fewer));
    }
    for (name, value) in members {
        for simpler in candidates(value) {
            let mut changed = members.clone();
            changed.insert(name.clone(), simpler);
            all.push(Value::Object(changed));
        }
    }
    all
}

fn array(elements: &[Value]) -> Vec<Value> {
    let mut all = Vec::new();
    if elements.len() > 1 {
        let (front, back) = elements.split_at(elements.len() / 2);
        all.extend([Value::Array(front.to_vec()), Value::Array(back.to_vec())]);
    }
    for index in 0..elements.len().min(20) {
        let fewer = elements.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, element)| element.clone()).collect();
        all.push(Value::Array(fewer));
    }
    for (index, element) in elements.iter().enumerate().take(20) {
        for simpler in candidates(element) {
            let mut changed = elements.to_vec();
            if let Some(place) = changed.get_mut(index) {
                *place = simpler;
            }
            all.push(Value::Array(changed));
        }
    }
    all
}

fn string(text: &str) -> Vec<Value> {
    let chars: Vec<char> = text.chars().collect();
    let mut all = Vec::new();
    let mut put = |candidate: String| {
        if candidate != text && !all.contains(&Value::String(candidate.clone())) {
            all.push(Value::String(candidate));
        }
    };
    if !chars.is_empty() {
        put(String::new());
    }
    if chars.len() > 1 {
        let half = chars.len() / 2;
        put(chars[..half].iter().collect());
        put(chars[half..].iter().collect());
        put(chars[..chars.len() - 1].iter().collect());
        put(chars[1..].iter().collect());
    }
    // The same length with nothing special in it is simpler too.
    if chars.iter().any(|c| *c != 'a') {
        put("a".repeat(chars.len()));
    }
    all
}

fn numbers(number: f64) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    let mut put = |candidate: f64| {
        let value = if candidate.fract() == 0.0 && candidate.abs() < 9e15 { json!(candidate as i64) } else { json!(candidate) };
        if candidate.abs() < number.abs() && !all.contains(&value) {
            all.push(value);
        }
    };
    put(0.0);
    put(number.signum());
    put(number.trunc());
    put((number / 2.0).trunc());
    put(number - number.signum());
    all
}

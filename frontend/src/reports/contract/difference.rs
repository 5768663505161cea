//! Expected beside actual, and a body with one of its places marked.

use serde_json::Value;
use yew::prelude::*;

use crate::utils::{
    difference::{Difference, Pair, Piece, Stretch, difference, folded, marked, opposed},
    text,
};

/// How many lines stand around one that matters.
const AROUND: usize = 4;

/// The properties of [`Versus`].
#[derive(Properties, PartialEq)]
pub struct VersusProps {
    /// What the contract asks.
    pub expected: Option<Value>,
    /// What came.
    pub actual: Option<Value>,
    /// Whether both are values of one kind. Where they aren't, what is expected is a rule.
    pub alike: bool,
}

/// Expected beside actual, with the differing places marked.
#[component]
pub fn Versus(props: &VersusProps) -> Html {
    let whole = use_state_eq(|| false);
    let deps = (props.expected.clone(), props.actual.clone(), props.alike);
    let difference = use_memo(deps, |(expected, actual, alike)| match alike {
        true => difference(expected.as_ref(), actual.as_ref()),
        false => opposed(expected.as_ref(), actual.as_ref()),
    });
    let lines = &difference.lines;
    let shown: Vec<Stretch> = match *whole {
        true => (0..lines.len()).map(Stretch::Line).collect(),
        false => folded(lines.len(), |at| lines.get(at).is_some_and(|pair| pair.differs), AROUND),
    };
    let left_out = shown.iter().any(|stretch| matches!(stretch, Stretch::Left(_)));
    let onclick = Callback::from(move |_: MouseEvent| whole.set(true));
    html! {
        <>
            <div class="versus">
                { side("Expected", "expected", &difference, &shown, props.expected.is_none(), |pair| pair.expected.as_ref()) }
                { side("Actual", "actual", &difference, &shown, props.actual.is_none(), |pair| pair.actual.as_ref()) }
            </div>
            if left_out {
                <button type="button" class="link start" data-test="show-equal" {onclick}>{ "Show the equal lines too" }</button>
            }
        </>
    }
}

fn side(
    title: &'static str,
    name: &'static str,
    difference: &Difference,
    shown: &[Stretch],
    missing: bool,
    of: fn(&Pair) -> Option<&Vec<Piece>>,
) -> Html {
    html! {
        <div>
            <h3>{ title }</h3>
            <pre class={classes!("code", "lines", name)} tabindex="0" aria-label={title} data-test={name}>
                if missing {
                    <span class="line muted">{ "nothing" }</span>
                } else {
                    { for shown.iter().map(|stretch| match stretch {
                        Stretch::Line(at) => line(difference.lines.get(*at), of),
                        Stretch::Left(count) => left_out(*count),
                    }) }
                    if difference.cut { <span class="line muted">{ "… and more" }</span> }
                }
            </pre>
        </div>
    }
}

fn line(pair: Option<&Pair>, of: fn(&Pair) -> Option<&Vec<Piece>>) -> Html {
    let Some(pair) = pair else { return Html::default() };
    let Some(pieces) = of(pair) else { return html! { <span class="line absent" /> } };
    html! {
        <span class={classes!("line", pair.differs.then_some("differs"))}>
            { for pieces.iter().map(|piece| match piece.differs {
                true => html! { <mark>{ piece.text.clone() }</mark> },
                false => html! { { piece.text.clone() } },
            }) }
        </span>
    }
}

fn left_out(count: usize) -> Html {
    html! { <span class="line muted">{ format!("⋯ {}", text::counted(count as u64, "equal line")) }</span> }
}

/// The properties of [`MarkedBody`].
#[derive(Properties, PartialEq)]
pub struct MarkedBodyProps {
    /// The body, which need not be JSON; it is shown only where it is.
    pub body: AttrValue,
    /// What it is called.
    pub title: AttrValue,
    /// The place in it, as a JSON pointer.
    pub pointer: AttrValue,
    /// What was found there, where that is known. Where the body has something else there, it is another answer's.
    pub actual: Option<Value>,
}

/// The place of a failure within the answer.
#[component]
pub fn MarkedBody(props: &MarkedBodyProps) -> Html {
    let deps = (props.body.clone(), props.pointer.clone(), props.actual.clone());
    let lines = use_memo(deps, |(body, pointer, actual)| {
        let document: Value = serde_json::from_str(body).ok()?;
        let there = document.pointer(pointer);
        (actual.is_none() || there == actual.as_ref()).then(|| marked(&document, pointer))
    });
    let Some(lines) = &*lines else { return Html::default() };
    let shown = folded(lines.len(), |at| lines.get(at).is_some_and(|(_, marked)| *marked), AROUND);
    html! {
        <div>
            <h3>{ props.title.clone() }</h3>
            <pre class="code lines actual" tabindex="0" aria-label={props.title.clone()} data-test="marked-body">
                { for shown.into_iter().map(|stretch| match stretch {
                    Stretch::Line(at) => match lines.get(at) {
                        Some((text, true)) => {
                            let (indent, rest) = text.split_at(text.len() - text.trim_start().len());
                            html! { <span class="line differs">{ indent.to_owned() }<mark data-test="marked-place">{ rest.to_owned() }</mark></span> }
                        }
                        Some((text, false)) => html! { <span class="line">{ text.clone() }</span> },
                        None => Html::default(),
                    },
                    Stretch::Left(count) => html! { <span class="line muted">{ format!("⋯ {}", text::counted(count as u64, "line")) }</span> },
                }) }
            </pre>
        </div>
    }
}

//! Tables.

use yew::prelude::*;

/// A column of a [`Table`].
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    title: AttrValue,
    class: &'static str,
    reader_only: bool,
}

impl Column {
    /// A column of words.
    pub fn words(title: impl Into<AttrValue>) -> Self {
        Self { title: title.into(), class: "", reader_only: false }
    }

    /// A column of figures, set to the right with digits of one width. Its cells take the class `figure`.
    pub fn figures(title: impl Into<AttrValue>) -> Self {
        Self { title: title.into(), class: "figure", reader_only: false }
    }

    /// A column that takes what room is left.
    pub fn wide(title: impl Into<AttrValue>) -> Self {
        Self { title: title.into(), class: "wide", reader_only: false }
    }

    /// A column of words that narrow windows leave out. Its cells take the class `only-wide`.
    pub fn spare(title: impl Into<AttrValue>) -> Self {
        Self { title: title.into(), class: "only-wide", reader_only: false }
    }

    /// A narrow column of buttons, whose title only a screen reader says.
    pub fn actions(title: impl Into<AttrValue>) -> Self {
        Self { title: title.into(), class: "actions", reader_only: true }
    }
}

/// The properties of [`Table`].
#[derive(Properties, PartialEq)]
pub struct TableProps {
    /// What it lists.
    pub label: AttrValue,
    /// The columns.
    pub columns: Vec<Column>,
    /// The name by which tests find it.
    #[prop_or_default]
    pub test: Option<AttrValue>,
    /// The rows, as `<tr>`.
    #[prop_or_default]
    pub children: Html,
}

/// A table that scrolls sideways by itself where the window is narrow.
#[component]
pub fn Table(props: &TableProps) -> Html {
    html! {
        <div class="table-frame">
            <table class="table" aria-label={props.label.clone()} data-test={props.test.clone()}>
                <thead>
                    <tr>
                        { for props.columns.iter().map(|column| html! {
                            <th scope="col" class={column.class}>
                                <span class={column.reader_only.then_some("for-reader")}>{ column.title.clone() }</span>
                            </th>
                        }) }
                    </tr>
                </thead>
                <tbody>{ props.children.clone() }</tbody>
            </table>
        </div>
    }
}

//! Icons, drawn with lines on a grid of sixteen.

use yew::prelude::*;

/// A picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say what is drawn, or what for")]
pub enum Glyph {
    Overview,
    Integrations,
    Probe,
    Contract,
    Load,
    Metrics,
    Incidents,
    History,
    Settings,
    Log,
    Healthy,
    Degraded,
    Down,
    Unobserved,
    Inconclusive,
    Plus,
    Close,
    Search,
    Back,
    Chevron,
    Copy,
    Play,
    Stop,
    Refresh,
    Trash,
    Key,
    Download,
    Undo,
    Info,
    Edit,
    External,
    Sample,
    Pause,
    Flag,
}

impl Glyph {
    /// The outline as an SVG path, to be stroked.
    const fn path(self) -> &'static str {
        match self {
            Self::Overview => "M2.5 2.5h4.5v5h-4.5zM9 2.5h4.5v3h-4.5zM9 8h4.5v5.5h-4.5zM2.5 10h4.5v3.5h-4.5z",
            Self::Integrations => "M5.5 1.5v3M10.5 1.5v3M3.5 4.5h9v3a4.5 4.5 0 0 1-9 0zM8 12v2.5",
            Self::Probe => "M2 8h8M7 4.5l3.5 3.5-3.5 3.5M13.5 2.5v11",
            Self::Contract => "M3.5 1.5h6l3 3v10h-9zM9.5 1.5v3h3M5.5 9.5l2 2 3-4",
            Self::Load => "M2.5 12.5a6 6 0 1 1 11 0M8 11l3-4.5M8 11.5v0",
            Self::Metrics => "M2 2v12h12M4.5 10.5l3-4 2.5 2.5 3.5-5",
            Self::Incidents => "M8 2l6.2 11.2H1.8zM8 6.5v3M8 11.4v.1",
            Self::History => "M2.6 6A5.8 5.8 0 1 1 2.3 9M2.3 2.8V6h3.2M8 5v3.3l2.3 1.4",
            Self::Settings => "M2 4.5h7M13 4.5h1M2 11.5h1M7 11.5h7M11 2.7v3.6M5 9.7v3.6",
            Self::Log => "M2.5 3.5h11M2.5 6.5h8M2.5 9.5h11M2.5 12.5h6",
            Self::Healthy => "M8 1.8a6.2 6.2 0 1 1 0 12.4a6.2 6.2 0 0 1 0-12.4zM5.2 8.2l2 2 3.6-4.2",
            Self::Degraded => "M8 2l6.2 11.2H1.8zM8 6.3v3.2M8 11.4v.1",
            Self::Down => "M5.4 1.8h5.2l3.6 3.6v5.2l-3.6 3.6H5.4l-3.6-3.6V5.4zM5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4",
            Self::Unobserved => {
                "M6.2 2.1a6.2 6.2 0 0 1 3.6 0M13 4.3a6.2 6.2 0 0 1 1.1 3.2M13.6 10.6a6.2 6.2 0 0 1-2.3 2.7M8.6 14.2a6.2 6.2 0 0 1-3.4-.7M2.7 11.2a6.2 6.2 0 0 1-.9-3.3M2.3 5.5a6.2 6.2 0 0 1 1.4-1.9M6 8h4"
            }
            Self::Inconclusive => {
                "M8 1.8a6.2 6.2 0 1 1 0 12.4a6.2 6.2 0 0 1 0-12.4zM6.2 6.3a1.9 1.9 0 1 1 2.7 1.8c-.6.3-.9.6-.9 1.2M8 11.3v.1"
            }
            Self::Plus => "M8 3v10M3 8h10",
            Self::Close => "M4 4l8 8M12 4l-8 8",
            Self::Search => "M7 2.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 0 1 0-9zM10.4 10.4l3.4 3.4",
            Self::Back => "M10 3L5 8l5 5",
            Self::Chevron => "M6 3.5L10.5 8 6 12.5",
            Self::Copy => "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
            Self::Play => "M4.5 2.8v10.4L13 8z",
            Self::Stop => "M4 4h8v8H4z",
            Self::Refresh => "M13.4 6.5A5.6 5.6 0 1 0 13.6 9M13.6 2.8v3.7H9.9",
            Self::Trash => "M2.5 4h11M6 4V2.5h4V4M4 4l.7 9.5h6.6L12 4M6.6 6.7v4.2M9.4 6.7v4.2",
            Self::Key => "M10.5 2.5a3 3 0 1 1 0 6a3 3 0 0 1 0-6zM8.3 7.7L2.5 13.5M4.5 11.5l2 2",
            Self::Download => "M8 2v8M4.5 7L8 10.5 11.5 7M2.5 13.5h11",
            Self::Undo => "M5.5 2.5L2.5 5.5l3 3M2.5 5.5h6.5a4 4 0 0 1 0 8H5.5",
            Self::Info => "M8 1.8a6.2 6.2 0 1 1 0 12.4a6.2 6.2 0 0 1 0-12.4zM8 7.3v4M8 4.8v.1",
            Self::Edit => "M2.5 13.5l.7-3.2 7.6-7.6 2.5 2.5-7.6 7.6zM9.3 4.2l2.5 2.5",
            Self::External => "M9 2.5h4.5V7M13.5 2.5L7.5 8.5M11.5 9.5v4h-9v-9h4",
            Self::Sample => "M6 1.8h4M6.8 1.8v4.4L3 13.2a.8.8 0 0 0 .7 1.2h8.6a.8.8 0 0 0 .7-1.2L9.2 6.2V1.8M4.7 10.2h6.6",
            Self::Pause => "M5 3v10M11 3v10",
            Self::Flag => "M3.5 14.5v-12.5M3.5 2.5h9l-2.2 3.3 2.2 3.2h-9",
        }
    }
}

impl Glyph {
    /// The picture by itself, for where thousands of them stand and a component for each would be felt.
    pub fn picture(self, class: &'static str) -> Html {
        html! {
            <svg class={classes!("icon", class)} viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d={self.path()} /></svg>
        }
    }
}

/// The properties of [`Icon`].
#[derive(Properties, PartialEq)]
pub struct IconProps {
    /// What it shows.
    pub glyph: Glyph,
    /// A class over its own.
    #[prop_or_default]
    pub class: Classes,
}

/// A picture beside a word. It says nothing to a screen reader, since the word does.
#[component]
pub fn Icon(props: &IconProps) -> Html {
    html! {
        <svg class={classes!("icon", props.class.clone())} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
            <path d={props.glyph.path()} />
        </svg>
    }
}

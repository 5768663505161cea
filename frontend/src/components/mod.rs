//! The parts that pages are made of.

mod button;
mod drawer;
mod editor;
mod empty;
mod field;
mod icon;
mod json;
mod problem;
mod segments;
mod spark;
mod status;
mod table;
mod tabs;
mod words;

pub use button::{Button, Kind, LinkButton};
pub use drawer::Drawer;
pub use editor::CodeEditor;
pub use empty::{EmptyState, Loading, Panel};
pub use field::{Field, Input, Select, Toggle, value_of};
pub use icon::{Glyph, Icon};
pub use json::JsonTree;
pub use problem::{ProblemList, ProblemView, in_words};
pub use segments::Segments;
pub use spark::Sparkline;
pub use status::{StatusBadge, VerdictBadge};
pub use table::{Column, Table};
pub use tabs::{TabItem, Tabs};
pub use words::{CopyButton, MiddleCut, Time};

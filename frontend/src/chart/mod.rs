//! Charts: the drawings of [`patchbay_contracts::chart`] with a legend, a crosshair and a zoom.

mod group;
mod range;
mod view;

pub use group::ChartGroup;
pub use range::{RangePicker, use_span, zone};
pub use view::ChartView;

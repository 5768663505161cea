//! The frame around the pages.

mod header;
mod help;
mod notices;
mod palette;
mod sidebar;

pub use header::Header;
pub use help::KeyHelp;
pub use notices::NoticeList;
pub use palette::Palette;
pub use sidebar::Sidebar;

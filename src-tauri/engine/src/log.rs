//! What the program did, for the window and for `-v`.

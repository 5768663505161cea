//! Credentials: where they are, where they may go, and how they stay out of everything else.

//! The integration file: read with the place of every mistake, and changed without losing a comment.

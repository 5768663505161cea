//! From an integration to a load run and back.

//! Reports as files: HTML, JSON, JUnit XML.

pub mod junit;

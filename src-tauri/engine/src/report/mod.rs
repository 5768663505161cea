//! Reports as files: HTML, JSON, JUnit XML.

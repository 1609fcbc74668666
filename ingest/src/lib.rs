//! When: feeds, lanes, back-fill.

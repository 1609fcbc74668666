//! What the decision must never do, over random worlds, and what the regulations say, by example.

mod governance;
mod properties;
mod worlds;

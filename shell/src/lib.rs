//! The frame of every page: layout, assets, security headers.
//!
//! | file | holds |
//! | --- | --- |
//! | `page` | [`page()`]: a page's own part inside the layout; pages for 404 and 405 |
//! | [`assets`] | style and script, embedded, under names that change with their content |
//! | [`headers()`] | what stands on every response |

pub mod assets;
mod headers;
mod page;

pub use headers::headers;
pub use page::{Frame, method_not_allowed, not_found, page};

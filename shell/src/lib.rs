//! The frame of every page: layout, assets, security headers.

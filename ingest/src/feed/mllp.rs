//! A feed whose senders connect and push.

pub(crate) mod frames;

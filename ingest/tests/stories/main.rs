//! Stories about single files of a storage, swept by a feed into a store of their own.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod damaged;
mod demographics;
mod hospital;
mod padded;
mod strays;

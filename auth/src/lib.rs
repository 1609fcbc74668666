//! Who asks: accounts, factors, sessions, read tokens.
//!
//! | file | answers |
//! | --- | --- |
//! | [`verify`] | what follows from a stored account, presented factors and the time |
//! | [`factor`] | what can be presented, one file each |
//! | [`lockout`] | how often somebody may fail |
//! | [`limits`] | how much somebody may do in a while |
//! | `strangers` | how often somebody unknown was turned away |
//! | [`session`] | how long a session lasts |
//! | `state` | what all of it needs: accounts, audit, network, clock |
//! | `sign_in` | how a person signs in and out |
//! | `token` | how a person makes a read token |
//! | `enrol` | how a person gets an account, and loses it |
//! | `refusal` | what can be refused, in which words |
//! | [`http`] | the routes, and the extractor [`Caller`] that all faces share |
//! | `page` | the sign-in pages |
//!
//! `verify`, `lockout`, `limits`, `strangers` and `session` are pure. Every sign-in and its end, every failure and
//! every token is in the audit before its answer goes out.

mod enrol;
pub mod factor;
pub mod http;
pub mod limits;
pub mod lockout;
mod page;
mod refusal;
mod secret;
pub mod session;
mod sign_in;
mod state;
mod strangers;
#[cfg(test)]
mod testing;
mod token;
pub mod verify;

pub use enrol::{EnrolError, Enrolment};
pub use http::{
    Caller, Connection, Front, ROUTES, Recorded, Route, Site, request_id, router, witness,
};
pub use limits::Use;
pub use refusal::Refusal;
pub use state::Auth;
pub use token::IssuedToken;

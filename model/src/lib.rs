//! Which words: the vocabulary of Musubi. Types, their derives, and the parsing of their own text
//! forms; no rules about who may see what, no input or output, no clock.
//!
//! | file | holds |
//! | --- | --- |
//! | [`id`] | identifiers of facilities, patients, records |
//! | [`time`] | instants, partial dates and times, periods |
//! | [`code`] | codes, code systems, concepts |
//! | [`quantity`] | exact decimals, quantities, ranges |
//! | [`person`] | names, sex, addresses, staff |
//! | [`patient`], [`encounter`], [`condition`], [`allergy`], [`medication`], [`observation`] | clinical bodies |
//! | [`record`] | a record: what rules look at, and its body |
//! | [`papers`] | what people decided: consents, withdrawals |
//! | [`network`], [`feed`] | the parsed forms of a network's profile, facilities and feed files |
//! | [`written`] | their written form: TOML with places, read through a table of keys |
//! | [`address`] | addresses of the network, and blocks of them |
//! | [`mistake`] | what is wrong with a configuration file, and where |
//! | [`finding`] | what reading noticed in an item |
//! | [`phi`] | a wrapper for what must not be printed |
//! | `text_form` | types whose stored form is their text |

pub mod address;
pub mod allergy;
pub mod code;
pub mod condition;
pub mod encounter;
pub mod feed;
pub mod finding;
pub mod id;
pub mod medication;
pub mod mistake;
pub mod network;
pub mod observation;
pub mod papers;
pub mod patient;
pub mod person;
pub mod phi;
pub mod quantity;
pub mod record;
mod text_form;
pub mod time;
pub mod written;

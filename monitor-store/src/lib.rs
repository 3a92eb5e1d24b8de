//! The record: its schema.
//!
//! [`schema`] is the one table of columns that everything else is derived from. It knows neither the daemon nor its events.

#![forbid(unsafe_code)]

pub mod schema;

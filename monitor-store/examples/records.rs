//! Prints one of the generated tables of docs/records.md; `cargo xtask docs` puts them there.

use std::process::ExitCode;

use monitor_store::schema::{SECTIONS, section};

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    match section(&name) {
        Some(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        None => {
            eprintln!("records: give one of: {}", SECTIONS.join(", "));
            ExitCode::from(2)
        }
    }
}

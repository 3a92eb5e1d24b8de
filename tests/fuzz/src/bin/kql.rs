//! Queries: lexer, parser and binder. A text is refused with a message within it, or gives a plan whose columns are unique.

#![no_main]

use std::{collections::HashSet, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use monitor_kql::{Discovered, Schema, Style, bind, parse, schema::Table};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let columns = "a:string, b:int, c:long, d:dynamic, t:datetime, r:real, s:timespan, f:bool, g:guid, m:decimal";
    Schema::new(vec![Table::new("T", columns), Table::new("U", "a:string, b:long, x:string")])
});

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let checked = parse(&text).and_then(|query| bind(&query, &SCHEMA, &Discovered::new()));
    match checked {
        Ok(bound) => {
            for result in &bound.results {
                let mut ids = HashSet::new();
                for column in &result.plan.columns {
                    assert!(ids.insert(column.id), "two columns with one number: {text}");
                }
            }
        }
        Err(message) => {
            assert!(message.span.start <= message.span.end && message.span.end <= text.len(), "{message}: {text}");
            assert!(!message.render(&text, Style::Plain).is_empty());
        }
    }
});

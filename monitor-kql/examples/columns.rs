//! Names and types of the columns that queries give, for comparing with another binder.
//!
//! Reads `{"tables": {"T": "a:string, b:long"}, "queries": ["T | take 1"]}` from stdin and writes a JSON array with an entry
//! for each query: `{"results": [[["a", "string"], …], …]}` or `{"refused": "the message"}`.

use std::{error::Error, io};

use monitor_kql::{Discovered, Schema, compile, schema::Table};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let input: Value = serde_json::from_reader(io::stdin())?;
    let mut tables = Vec::new();
    for (name, columns) in input["tables"].as_object().ok_or("`tables` is missing")? {
        tables.push(Table::new(name, columns.as_str().unwrap_or_default()));
    }
    let mut schema = Schema::new(tables);
    if input["microsoft"].as_bool() == Some(true) {
        schema = schema.with_microsoft_tables();
    }
    let queries = input["queries"].as_array().ok_or("`queries` is missing")?;
    let answers: Vec<Value> = queries.iter().filter_map(Value::as_str).map(|query| answer(query, &schema)).collect();
    println!("{}", Value::Array(answers));
    Ok(())
}

fn answer(query: &str, schema: &Schema) -> Value {
    match compile(query, schema, &Discovered::new()) {
        Ok(bound) => {
            let columns = |result: &monitor_kql::bound::ResultSet| {
                let columns = result.plan.columns.iter();
                columns.map(|column| json!([&*column.name, column.ty.name()])).collect::<Vec<_>>()
            };
            json!({ "results": bound.results.iter().map(columns).collect::<Vec<_>>() })
        }
        Err(message) => json!({ "refused": message.to_string() }),
    }
}

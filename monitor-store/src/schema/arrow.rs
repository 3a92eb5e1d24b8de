//! The schema as Arrow has it.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::{Table, Type};

/// The Arrow type of a column. Times are nanoseconds in UTC, of which the last two digits are zero.
#[must_use]
pub fn data_type(r#type: Type) -> DataType {
    match r#type {
        Type::String => DataType::Utf8,
        Type::Int => DataType::Int32,
        Type::Long => DataType::Int64,
        Type::Bool => DataType::Boolean,
        Type::Datetime => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
    }
}

/// The Arrow schema of a table: all of its columns, in order. Strings are never null.
#[must_use]
pub fn arrow_schema(table: Table) -> SchemaRef {
    let fields: Vec<Field> = table
        .columns()
        .map(|column| Field::new(column.name, data_type(column.r#type), column.r#type != Type::String))
        .collect();
    Arc::new(Schema::new(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_never_null_and_everything_else_may_be() {
        let schema = arrow_schema(Table::DeviceNetworkEvents);
        let field = |name: &str| schema.field_with_name(name).cloned().unwrap();
        assert_eq!(field("RemotePort"), Field::new("RemotePort", DataType::Int32, true));
        assert_eq!(field("RemoteUrl"), Field::new("RemoteUrl", DataType::Utf8, false));
        assert_eq!(schema.fields().len(), Table::DeviceNetworkEvents.columns().count());
    }
}

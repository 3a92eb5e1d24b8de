//! The tables that a query may name: what the binder checks names and types against.

mod microsoft;

pub(crate) use self::microsoft::enrichment;
use crate::types::Type;

/// All tables of a store.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    tables: Vec<Table>,
}

/// A table's name and columns. It says nothing of where the rows are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// As queries name it.
    pub name: String,
    /// Other names of the same table.
    pub aliases: Vec<String>,
    /// In the order in which `T | take 1` shows them.
    pub columns: Vec<TableColumn>,
    /// Further names of columns, and the columns that they stand for. They are not shown.
    pub column_aliases: Vec<(String, String)>,
    /// How a query names it.
    pub form: Form,
    /// Whether columns beyond those of `columns` may be named; they have no values.
    pub is_open: bool,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name, which is case-sensitive.
    pub name: String,
    /// Its type.
    pub ty: Type,
}

/// How a query names a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `Name`
    Table,
    /// `Name()`, of rows that the engine makes.
    Function,
}

impl Table {
    /// A table with columns in Kusto's own notation: `a:string, b:long`.
    ///
    /// # Panics
    /// Never; a column whose type is unknown is left out.
    #[must_use]
    pub fn new(name: &str, columns: &str) -> Self {
        let column = |text: &str| {
            let (name, ty) = text.trim().split_once(':')?;
            Some(TableColumn { name: name.trim().to_owned(), ty: Type::parse(ty.trim())? })
        };
        Self {
            name: name.to_owned(),
            aliases: Vec::new(),
            columns: columns.split(',').filter_map(column).collect(),
            column_aliases: Vec::new(),
            form: Form::Table,
            is_open: false,
        }
    }

    /// The same table under one more name.
    #[must_use]
    pub fn with_alias(mut self, alias: &str) -> Self {
        self.aliases.push(alias.to_owned());
        self
    }

    /// The same table with one more name for the column `column`.
    #[must_use]
    pub fn with_column_alias(mut self, alias: &str, column: &str) -> Self {
        self.column_aliases.push((alias.to_owned(), column.to_owned()));
        self
    }

    /// The same table with the names that its columns had until 2019, and `TimeGenerated` for `Timestamp`.
    #[must_use]
    pub fn with_former_names(mut self) -> Self {
        for (alias, column) in microsoft::FORMER_COLUMNS {
            let has = |name: &str| self.columns.iter().any(|column| column.name == name);
            if has(column) && !has(alias) {
                self = self.with_column_alias(alias, column);
            }
        }
        self
    }

    /// The same rows, named `Name()`.
    #[must_use]
    pub fn as_function(mut self) -> Self {
        self.form = Form::Function;
        self
    }
}

impl Schema {
    /// A schema of `tables`, the first of several with one name being it.
    #[must_use]
    pub fn new(tables: Vec<Table>) -> Self {
        Self { tables }
    }

    /// The same schema with Microsoft's tables that it does not have, which have no rows.
    #[must_use]
    pub fn with_microsoft_tables(mut self) -> Self {
        for table in microsoft::tables() {
            let is_known = |name: &String| self.find(name, table.form).is_some();
            if !is_known(&table.name) && !table.aliases.iter().any(is_known) {
                self.tables.push(table);
            }
        }
        self
    }

    /// All tables.
    #[must_use]
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The table of this name, and its place among [`tables`](Self::tables).
    #[must_use]
    pub fn find(&self, name: &str, form: Form) -> Option<(usize, &Table)> {
        let is_named = |table: &Table| table.name == name || table.aliases.iter().any(|alias| alias == name);
        self.tables.iter().enumerate().find(|(_, table)| table.form == form && is_named(table))
    }
}

//! What names of columns mean at a point of a query.

use std::{collections::HashMap, rc::Rc, sync::Arc};

use crate::{
    bound::{Column, ColumnId, Expr, Plan},
    syntax::Function,
};

/// The columns that expressions of an operator see.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) columns: Vec<Column>,
    pub(super) aliases: Vec<(Arc<str>, ColumnId)>,
    pub(super) is_open: bool,
    pub(super) is_ordered: bool,
    /// `$right` of a join; the row itself is `$left`.
    pub(super) right: Option<Box<Row>>,
    /// The rows that steps of `scan` matched last, by the steps' names.
    pub(super) steps: Vec<(String, Vec<Column>)>,
}

impl Row {
    pub(super) fn of(plan: &Plan) -> Self {
        Self {
            columns: plan.columns.clone(),
            aliases: plan.aliases.clone(),
            is_open: plan.is_open,
            is_ordered: plan.is_ordered,
            right: None,
            steps: Vec::new(),
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| &*column.name == name).or_else(|| {
            let (_, id) = self.aliases.iter().find(|(alias, _)| &**alias == name)?;
            self.columns.iter().find(|column| column.id == *id)
        })
    }

    /// All names, for suggestions.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| &*column.name).chain(self.aliases.iter().map(|(alias, _)| &**alias))
    }
}

/// What a name of `let`, or a parameter, stands for.
#[derive(Clone, Debug)]
pub(super) enum Symbol<'q> {
    Value(Expr),
    /// An entry of the shared tables.
    Table(usize),
    Function {
        function: &'q Function,
        scope: Scope<'q>,
        /// Whether a call without arguments may leave its parentheses out.
        is_bare: bool,
    },
}

/// The names that are visible at a point, innermost first.
pub(super) type Scope<'q> = Option<Rc<Frame<'q>>>;

#[derive(Debug)]
pub(super) struct Frame<'q> {
    pub(super) name: String,
    pub(super) symbol: Symbol<'q>,
    /// The body in which it was declared: a body may not declare a name twice.
    pub(super) body: u32,
    /// How many names are visible here: each look-up may walk over all of them.
    pub(super) number: usize,
    pub(super) before: Scope<'q>,
}

/// The frames of a scope.
pub(super) fn frames<'s, 'q>(scope: &'s Scope<'q>) -> impl Iterator<Item = &'s Frame<'q>> {
    std::iter::successors(scope.as_deref(), |frame| frame.before.as_deref())
}

/// Makes names unique as Kusto does: `x`, `x1`, `x2`.
#[derive(Debug, Default)]
pub(super) struct UniqueNames {
    /// The last number that a name was given.
    used: HashMap<String, u32>,
}

impl UniqueNames {
    pub(super) fn reserve(&mut self, name: &str) {
        self.used.entry(name.to_owned()).or_insert(0);
    }

    /// `name`, or `name` with the first free number behind it.
    pub(super) fn take(&mut self, name: &str) -> String {
        let Some(last) = self.used.get(name).copied() else {
            self.reserve(name);
            return name.to_owned();
        };
        let mut number = last;
        loop {
            number = number.saturating_add(1);
            let candidate = format!("{name}{number}");
            if !self.used.contains_key(&candidate) {
                self.used.insert(name.to_owned(), number);
                self.reserve(&candidate);
                return candidate;
            }
        }
    }
}

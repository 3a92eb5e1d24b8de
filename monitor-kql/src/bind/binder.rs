//! The state of binding a query.

use std::{rc::Rc, sync::Arc};

use super::{
    BindError, Discovered,
    row::{Frame, Row, Scope, Symbol, frames},
};
use crate::{
    bound::{Aggregate, Column, ColumnId, Expr, Notice, Pending, Plan, PlanKind, Render, SharedTable},
    limits::{BOUND_NODES_MAX, COLUMNS_MAX, DECLARATIONS_MAX, PLAN_DEPTH_MAX, TREE_DEPTH_MAX},
    message::Message,
    schema::Schema,
    span::Span,
    types::Type,
};

pub(super) type Bind<T> = Result<T, Message>;

pub(super) struct Binder<'a, 'q> {
    pub(super) schema: &'a Schema,
    pub(super) discovered: &'a Discovered,
    pub(super) shared: Vec<SharedTable>,
    pub(super) values: Vec<Expr>,
    pub(super) notices: Vec<Notice>,
    pub(super) pending: Vec<Pending>,
    pub(super) scope: Scope<'q>,
    /// The columns that names may mean; `None` outside of operators.
    pub(super) row: Option<Row>,
    /// What a body without a source reads.
    pub(super) context: Option<Row>,
    /// Where aggregates are collected, and whether one is being read.
    pub(super) aggregates: Aggregates,
    /// Columns that a summarize groups by: `*` of its aggregates leaves them out.
    pub(super) grouped: Vec<ColumnId>,
    /// What `render` said last.
    pub(super) render: Option<Render>,
    /// How many columns have had no name: Kusto counts them through a query.
    pub(super) unnamed: u32,
    body: u32,
    bodies: u32,
    next_column: u32,
    nodes: usize,
    depth: u16,
}

/// Whether aggregate functions may be called.
#[derive(Debug, Default)]
pub(super) enum Aggregates {
    /// Not here.
    #[default]
    Refused,
    /// They are collected, and columns may only be named within them.
    Collected(Vec<Aggregate>),
    /// Within one: columns may be named, further aggregates may not.
    Within { function: String, before: Vec<Aggregate> },
}

impl<'a, 'q> Binder<'a, 'q> {
    pub(super) fn new(schema: &'a Schema, discovered: &'a Discovered) -> Self {
        Self {
            schema,
            discovered,
            shared: Vec::new(),
            values: Vec::new(),
            notices: Vec::new(),
            pending: Vec::new(),
            scope: None,
            row: None,
            context: None,
            aggregates: Aggregates::Refused,
            grouped: Vec::new(),
            render: None,
            unnamed: 0,
            body: 0,
            bodies: 0,
            next_column: 0,
            nodes: 0,
            depth: 0,
        }
    }

    #[expect(clippy::unused_self, reason = "reads like the other ways to fail")]
    pub(super) fn fail(&self, span: Span, reason: BindError) -> Message {
        Message::new(span, reason)
    }

    /// Counts `nodes` more parts of the checked query.
    pub(super) fn count(&mut self, span: Span, nodes: usize) -> Bind<()> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > BOUND_NODES_MAX {
            return Err(self.fail(span, BindError::TooManyNodes));
        }
        Ok(())
    }

    /// Goes a level deeper into the tree, or into a function.
    pub(super) fn deeper<T>(&mut self, span: Span, bind: impl FnOnce(&mut Self) -> Bind<T>) -> Bind<T> {
        self.count(span, 1)?;
        if self.depth >= TREE_DEPTH_MAX {
            return Err(self.fail(span, BindError::TooDeep));
        }
        self.depth += 1;
        let done = bind(self);
        self.depth -= 1;
        done
    }

    pub(super) fn column(&mut self, name: impl Into<Arc<str>>, ty: Type) -> Column {
        let id = ColumnId(self.next_column);
        self.next_column = self.next_column.saturating_add(1);
        Column { id, name: name.into(), ty }
    }

    /// A plan over its inputs, whose order and openness it has unless `kind` says otherwise.
    pub(super) fn plan(&mut self, span: Span, kind: PlanKind, columns: Vec<Column>) -> Bind<Plan> {
        if columns.len() > COLUMNS_MAX {
            return Err(self.fail(span, BindError::TooManyColumns));
        }
        self.count(span, 1 + columns.len() / 16)?;
        let mut plan = Plan { kind, columns, is_ordered: false, is_open: false, aliases: Vec::new(), depth: 1 };
        let inputs = plan.inputs();
        let depth = inputs.iter().map(|input| input.depth).max().unwrap_or(0).saturating_add(1);
        let first = inputs.first().map(|input| (input.is_ordered, input.is_open, input.aliases.clone()));
        if depth > PLAN_DEPTH_MAX {
            return Err(self.fail(span, BindError::TooDeep));
        }
        plan.depth = depth;
        if let Some((is_ordered, is_open, aliases)) = first {
            (plan.is_ordered, plan.is_open, plan.aliases) = (is_ordered, is_open, aliases);
        }
        Ok(plan)
    }

    /// Binds with `row` as what names of columns mean.
    pub(super) fn with_row<T>(&mut self, row: Row, bind: impl FnOnce(&mut Self) -> Bind<T>) -> Bind<T> {
        let outer = self.row.replace(row);
        let aggregates = std::mem::take(&mut self.aggregates);
        let done = bind(self);
        self.row = outer;
        self.aggregates = aggregates;
        done
    }

    /// Binds without columns: a query within a query does not see those around it.
    pub(super) fn without_row<T>(&mut self, bind: impl FnOnce(&mut Self) -> Bind<T>) -> Bind<T> {
        let outer = self.row.take();
        let aggregates = std::mem::take(&mut self.aggregates);
        let done = bind(self);
        self.row = outer;
        self.aggregates = aggregates;
        done
    }

    /// Binds the body of a function: its names are its own.
    pub(super) fn in_body<T>(&mut self, scope: Scope<'q>, bind: impl FnOnce(&mut Self) -> Bind<T>) -> Bind<T> {
        let outer = std::mem::replace(&mut self.scope, scope);
        let body = self.body;
        self.bodies = self.bodies.saturating_add(1);
        self.body = self.bodies;
        let done = bind(self);
        self.scope = outer;
        self.body = body;
        done
    }

    /// Declares a name.
    pub(super) fn declare(&mut self, name: &str, span: Span, symbol: Symbol<'q>) -> Bind<()> {
        if frames(&self.scope).any(|frame| frame.body == self.body && frame.name == name) {
            return Err(self.fail(span, BindError::DeclaredTwice(name.to_owned())));
        }
        let number = self.scope.as_ref().map_or(1, |frame| frame.number + 1);
        if number > DECLARATIONS_MAX {
            return Err(self.fail(span, BindError::TooManyDeclarations));
        }
        let (name, before) = (name.to_owned(), self.scope.clone());
        self.scope = Some(Rc::new(Frame { name, symbol, body: self.body, number, before }));
        Ok(())
    }

    pub(super) fn symbol(&self, name: &str) -> Option<Symbol<'q>> {
        frames(&self.scope).find(|frame| frame.name == name).map(|frame| frame.symbol.clone())
    }

    pub(super) fn notice(&mut self, span: Span, text: impl Into<String>) {
        self.notices.push(Notice { span, text: text.into() });
    }

    /// The next name of a column without one.
    pub(super) fn unnamed_column(&mut self) -> String {
        loop {
            self.unnamed += 1;
            let name = format!("Column{}", self.unnamed);
            let is_taken = self.row.as_ref().is_some_and(|row| row.find(&name).is_some());
            if !is_taken {
                return name;
            }
        }
    }
}
